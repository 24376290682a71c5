"""Levels outside EBU R 103 by their area, against FFmpeg's own conversion to RGB."""

from dataclasses import replace
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from capture.source import Coding, Frame
from monitor.measure.look import Look, Rectangle
from monitor.measure.measurement import MEASUREMENTS, Setup
from monitor.measure.picture_faults.legal_range import matrix_of, outside, to_rgby
from tests.monitor.measure.feeding import Outcome, make, picture, run, video

SHAPE = (72, 128)
SUBSAMPLED = {"4:2:0": (2, 2), "4:2:2": (1, 2), "4:4:4": (1, 1), "4:1:1": (1, 4)}


def coloured(
    y: int, cb: int, cr: int, part: float = 1.0, chroma: str = "4:2:0", bits: int = 8
) -> Frame:
    """A legal grey picture of which the left part has one colour."""
    rows, columns = SUBSAMPLED[chroma]
    dtype = np.uint8 if bits == 8 else np.uint16

    def plane(grey: int, code: int, shape: tuple[int, int]) -> NDArray[Any]:
        made = np.full(shape, grey, dtype) << (bits - 8)
        made[:, : round(part * shape[1])] = code << (bits - 8)
        return made.astype(dtype)

    small = (SHAPE[0] // rows, SHAPE[1] // columns)
    frame = picture(0, plane(126, y, SHAPE), bits=bits)
    planes = (plane(128, cb, small), plane(128, cr, small))
    return replace(frame, planes=planes, coding=Coding(colour_matrix="bt709"))


def judged(frame: Frame, *, live: bool = False, masks: tuple[Rectangle, ...] = ()) -> Outcome:
    setup = Setup(
        stream=video(), live=live, look=Look(masks=masks), only=frozenset(["legal_range"])
    )
    return run(
        MEASUREMENTS["viewing"].make(setup), [replace(frame, pts=3_600 * n) for n in range(50)]
    )


@pytest.mark.parametrize("space", ["bt709", "bt601"])
@pytest.mark.parametrize("full_range", [False, True])
def test_the_matrix_agrees_with_ffmpegs(space: str, full_range: bool) -> None:
    rng = np.random.default_rng(2)
    grey = rng.integers(60, 190, (1, 64))
    yuv = np.stack([grey, *(rng.integers(108, 148, (1, 64)) for _ in "uv")]).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(yuv.reshape(3, 1, 64), format="yuv444p", channel_last=False)
    names = {"bt709": Colorspace.ITU709, "bt601": Colorspace.ITU601}
    rgb = frame.reformat(
        format="rgb24",
        src_colorspace=names[space],
        src_color_range=ColorRange.JPEG if full_range else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    ).to_ndarray()
    ones = np.concatenate([yuv.reshape(3, 64).astype(float), np.ones((1, 64))])
    ours = (to_rgby(space, full_range=full_range) @ ones)[:3]
    assert np.abs((ours - 16) * 255 / 219 - rgb.reshape(64, 3).T).max() < 2.5


@pytest.mark.parametrize(
    ("codes", "legal"),
    [
        ((126, 128, 128), True),
        ((235, 128, 128), True),
        ((246, 128, 128), True),
        ((247, 128, 128), False),
        ((16, 128, 128), True),
        ((5, 128, 128), True),
        ((4, 128, 128), False),
        ((63, 102, 240), True),  # BT.709 red of 100 %
        ((32, 240, 118), True),  # blue
        ((173, 42, 26), True),  # green
        ((200, 128, 200), False),  # red far over white
        ((40, 220, 128), True),
        ((20, 90, 128), False),  # blue far under black
    ],
)
def test_a_colour_is_legal_by_every_one_of_r_g_b_and_y(
    codes: tuple[int, int, int], legal: bool
) -> None:
    planes = tuple(np.full((2, 2), code, np.uint8) for code in codes)
    found = outside((planes[0], planes[1], planes[2]), to_rgby("bt709", full_range=False))
    assert bool(found.any()) is not legal


@pytest.mark.parametrize("chroma", sorted(SUBSAMPLED))
@pytest.mark.parametrize("bits", [8, 10])
def test_an_illegal_area_is_told_whatever_the_chroma(chroma: str, bits: int) -> None:
    outcome = judged(coloured(200, 128, 200, 0.25, chroma, bits))
    assert outcome.number("illegal_area") == pytest.approx(0.25, abs=0.02)
    (episode,) = outcome.closed("legal_range")
    assert episode.place is not None
    assert episode.place[:2] == (0, 0)
    assert episode.place[2] == pytest.approx(0.25, abs=0.04)


def test_one_pixel_of_glint_and_less_than_a_hundredth_of_the_area_pass() -> None:
    frame = coloured(126, 128, 128)
    luma = frame.luma.copy()
    luma[10, 10] = 255  # averaged away
    luma[40:44, 40:56] = 255  # 0.7 %
    outcome = judged(replace(frame, luma=luma))
    assert 0.003 < outcome.number("illegal_area") < 0.01
    assert outcome.steps == []


def test_a_feed_a_grey_picture_and_what_is_masked_are_not_judged() -> None:
    illegal = coloured(200, 128, 200)
    assert judged(illegal, live=True).values == {}
    assert judged(replace(illegal, planes=())).values == {}
    assert judged(coloured(200, 128, 200, 0.25), masks=((0, 0, 0.3, 1),)).steps == []
    assert run(make("legal_range", video()), []).steps == []


def test_an_undeclared_matrix_is_taken_by_size() -> None:
    assert matrix_of(None, 1080) == "bt709"
    assert matrix_of(None, 576) == "bt601"
    assert matrix_of("smpte170m", 1080) == "bt601"
    assert matrix_of("bt2020nc", 2160) == "bt2020"
