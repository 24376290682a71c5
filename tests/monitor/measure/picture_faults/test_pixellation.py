"""A starved encoder is told by its quantiser or its blocks; cuts and busy shots are not."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from typing import cast

import av
import numpy as np
import pytest
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from capture.demux import Demuxer
from capture.source import Frame, Item, StreamInfo
from monitor.measure.picture_faults.pixellation import BOUNDS, Usual, blockiness, bound_of
from tests.monitor.measure.feeding import Outcome, make, picture, run, video

RNG = np.random.default_rng(11)
TEXTURE = np.clip(RNG.normal(120, 30, (96, 320)), 0, 255).astype(np.uint8)
STEP = 3_600


def panned(count: int) -> list[NDArray[np.uint8]]:
    return [TEXTURE[:, 2 * n % 160 :][:, :160] for n in range(count)]


def coded(codec: str, quantisers: list[int]) -> tuple[StreamInfo, Iterable[Item]]:
    """Pictures through a real encoder, each stretch of 2 s with its quantiser, and back."""
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    out = BytesIO()
    container = av.open(out, "w", format="matroska")
    stream = cast("VideoStream", container.add_stream(codec, rate=25))
    shots = panned(50 * len(quantisers))
    for part, quantiser in enumerate(quantisers):
        context = stream.codec_context
        if part > 0:
            context = cast("VideoCodecContext", CodecContext.create(codec, "w"))
        context.width, context.height, context.pix_fmt = 160, 96, pixels
        context.framerate, context.time_base = Fraction(25), Fraction(1, 25)
        step = {"qmin": str(quantiser), "qmax": str(quantiser)}
        context.options = {"qp": str(quantiser), "bf": "0"} if codec == "libx264" else step
        for n in range(50 * part, 50 * part + 50):
            frame = VideoFrame.from_ndarray(shots[n], format="gray").reformat(format=pixels)
            frame.pts, frame.time_base = n, Fraction(1, 25)
            for packet in context.encode(frame):
                packet.stream = stream
                container.mux(packet)
        for packet in context.encode(None):
            packet.stream = stream
            container.mux(packet)
    container.close()
    demuxer = Demuxer(av.open(BytesIO(out.getvalue()), "r"), lambda: 0, quantisers=True)

    def items() -> Iterable[Item]:
        while (packet := demuxer.next_packet()) is not None:
            yield from demuxer.items(packet)

    return demuxer.infos()[0], items()


def watched(values: Sequence[float | None], codec: str = "h264") -> Outcome:
    """What is told of a feed at 25 pictures a second with these quantisers, one a look."""

    def frame(n: int) -> Frame:
        return replace(picture(STEP * n), quantiser=lambda: values[n // 5])

    info = replace(video(), codec=codec)
    return run(make("pixellation", info), [frame(n) for n in range(5 * len(values))])


@pytest.mark.parametrize(
    ("codec", "fine", "coarse", "metric"),
    [("libx264", 20, 45, "quantiser"), ("mpeg2video", 3, 25, "quantiser"),
     ("mjpeg", 3, 25, "blockiness")],
)  # fmt: skip
def test_a_coder_that_is_starved_and_recovers_is_one_episode(
    codec: str, fine: int, coarse: int, metric: str
) -> None:
    info, items = coded(codec, [fine, fine, coarse, fine])
    (episode,) = run(make("pixellation", info), items).closed("pixellation")
    second = 1 / info.time_base
    assert episode.end is not None
    assert episode.start / second == pytest.approx(4.0, abs=0.25)
    assert episode.end / second == pytest.approx(6.0, abs=0.5)
    assert episode.detail is not None
    assert episode.detail.startswith(metric)


@pytest.mark.parametrize(("codec", "quantiser"), [("libx264", 27), ("mpeg2video", 6), ("mjpeg", 3)])
def test_good_quality_is_told_by_nobody(codec: str, quantiser: int) -> None:
    info, items = coded(codec, [quantiser, quantiser])
    assert run(make("pixellation", info), items).steps == []


def test_the_quantiser_is_the_coders_own() -> None:
    info, items = coded("mpeg2video", [7])
    assert run(make("pixellation", info), items).number("quantiser") == 7
    info, items = coded("libx264", [33])
    assert run(make("pixellation", info), items).number("quantiser") == pytest.approx(33, abs=3)


def test_one_second_of_coarse_pictures_after_a_cut_is_not_told_if_it_is_half_over() -> None:
    assert watched([20.0] * 30 + [45.0] * 2 + [20.0] * 30).steps == []


def test_a_feed_is_held_to_its_own_usual_value() -> None:
    assert len(watched([18.0] * 30 + [32.0] * 20).closed("pixellation")) == 1
    assert watched([27.0] * 30 + [32.0] * 20).steps == []


def test_a_feed_that_begins_starved_is_told_by_the_bound() -> None:
    (episode,) = watched([42.0] * 30).closed("pixellation")
    assert episode.worst == 42
    assert watched([34.0] * 30).steps == []


def test_pictures_without_a_quantiser_say_nothing() -> None:
    outcome = watched([None] * 30)
    assert (outcome.steps, outcome.values) == ([], {})


def test_unknown_codecs_are_not_judged() -> None:
    assert watched([60.0] * 30, codec="hevc").steps == []


def test_usual_is_known_after_three_seconds() -> None:
    usual = Usual()
    for _ in range(14):
        usual.add(20.0)
    assert bound_of(BOUNDS["h264"], usual.value) == 38
    usual.add(20.0)
    assert bound_of(BOUNDS["h264"], usual.value) == 31


def test_blocks_count_on_the_grid_only() -> None:
    steps = np.repeat(np.arange(0, 160, 8, dtype=np.uint8)[None, :], 24, 0)
    on_grid = np.repeat(steps, 8, axis=1)
    assert blockiness(on_grid) == pytest.approx(17)
    assert blockiness(np.ascontiguousarray(on_grid[:, 3:])) == pytest.approx(1)
    assert blockiness(TEXTURE) == pytest.approx(1, abs=0.05)
    assert blockiness(TEXTURE[:, :15]) == 1
