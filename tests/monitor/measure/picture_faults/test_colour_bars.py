"""Bars of FFmpeg's generators are recognised, whatever the coder; nothing else is."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.practice_picture import Scene
from capture.source import Coding, Frame
from monitor.measure.picture_faults.colour_bars import Found, find, nominal
from tests.monitor.measure.feeding import make, measure_file, picture, run, video
from tests.rigs.clips import Clips

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
MJPEG = ("-c:v", "mjpeg", "-q:v", "6", "-pix_fmt", "yuvj422p")
KNOWN = {
    "smptebars": "SMPTE 75/0/75/0",
    "smptehdbars": "SMPTE RP 219 75/0/75/0",
    "pal75bars": "EBU 100/0/75/0",
    "pal100bars": "EBU 100/0/100/0",
}
Change = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def shown(
    bars: int = 8,
    matrix: str = "bt709",
    levels: tuple[float, float] = (1.0, 0.75),
    change: Change = lambda codes: codes,
    *,
    noise: float = 0.0,
    declared: str | None = None,
    width: int = 640,
    height: int = 180,
) -> Frame:
    """Bars of our own making, changed as normalised Y', Cb, Cr, in limited range."""
    columns = change(nominal(bars, matrix, levels).copy())
    codes = np.repeat(columns * [219, 224, 224] + [16, 128, 128], width // bars, axis=0)
    rng = np.random.default_rng(4)
    planes = [
        np.clip(
            np.rint(codes[:, part] + rng.normal(0, noise, (height, len(codes)))), 0, 255
        ).astype(np.uint8)
        for part in range(3)
    ]
    frame = picture(0, planes[0])
    return replace(frame, planes=tuple(planes[1:]), coding=Coding(colour_matrix=declared))


def found(frame: Frame) -> Found:
    bars = find(frame)
    assert bars is not None
    return bars


@pytest.mark.parametrize("source", sorted(KNOWN))
@pytest.mark.parametrize(
    ("size", "filters", "codec", "suffix"),
    [
        ("1920x1080", "", H264, ".mp4"),
        ("720x576", "noise=alls=12:allf=t", H264, ".mp4"),
        ("320x180", "", MJPEG, ".mkv"),
    ],
)
def test_ffmpegs_bars_are_recognised_by_name_with_little_error(
    clips: Clips, source: str, size: str, filters: str, codec: tuple[str, ...], suffix: str
) -> None:
    path = clips.picture(suffix, source=source, size=size, frames=12, filters=filters, codec=codec)
    outcome = measure_file("colour_bars", path)
    assert outcome.values["colour_bars"] == KNOWN[source]
    if source == "smptehdbars":  # made of BT.709 codes, and FFmpeg declares them as BT.601
        assert 9 < outcome.number("bars_error_max_percent") < 10
    else:
        assert outcome.number("bars_error_max_percent") < 1.5
    (episode,) = outcome.closed("colour_bars")
    assert (episode.start, episode.unit) == (0, "s")
    assert episode.worst == pytest.approx(12 / 25)


def test_bars_between_pictures_are_told_from_their_first_look_to_their_last() -> None:
    other = replace(shown(), luma=np.full((180, 640), 90, np.uint8))
    frames = [replace(one, pts=3_600 * n) for n, one in enumerate([other] * 20 + [shown()] * 40)]
    frames += [replace(other, pts=3_600 * n) for n in range(60, 90)]
    (episode,) = run(make("colour_bars", video()), frames).closed("colour_bars")
    assert (episode.start, episode.end) == (20 * 3_600, 60 * 3_600)


def test_the_error_of_each_bar_is_its_distance_from_the_nominal_level() -> None:
    def lowered(bars: NDArray[np.float64]) -> NDArray[np.float64]:
        bars[:, 0] *= 0.95
        bars[:, 1:] *= 0.9
        return bars

    bars = found(shown(change=lowered, declared="bt709"))
    wanted = nominal(8, "bt709", (1.0, 0.75)) * [-5, -10, -10]
    assert bars.errors == pytest.approx(wanted, abs=0.3)
    assert bars.worst == pytest.approx(5, abs=0.3)


def test_bars_of_another_matrix_than_the_declared_one_are_off_their_levels() -> None:
    assert found(shown(matrix="bt601")).worst < 0.3
    assert found(shown(matrix="bt601", declared="bt601")).worst < 0.3
    assert found(shown(matrix="bt601", declared="bt709")).worst > 5


@pytest.mark.parametrize("levels", [(0.75, 0.75), (1.0, 0.75), (1.0, 1.0)])
@pytest.mark.parametrize("bars", [7, 8])
def test_levels_are_told_apart_under_noise(bars: int, levels: tuple[float, float]) -> None:
    name = found(shown(bars, levels=levels, noise=10, width=112 * bars)).name
    white, coloured = (round(100 * level) for level in levels)
    assert name.endswith(f"{white}/0/{coloured}/0")


def test_bars_with_two_components_swapped_are_not_taken_for_bars() -> None:
    assert find(shown(change=lambda bars: bars[:, [0, 2, 1]])) is None


def test_ten_bits_and_full_range_are_bars_too() -> None:
    eight = shown()
    planes = [plane.astype(np.uint16) << 2 for plane in (eight.luma, *eight.planes)]
    deep = replace(eight, luma=planes[0], planes=tuple(planes[1:]), bit_depth=10)
    assert found(deep).errors == pytest.approx(found(eight).errors, abs=0.01)
    columns = nominal(8, "bt709", (1.0, 1.0)) * 255 + [0, 127.5, 127.5]
    wide = np.repeat(columns, 80, axis=0).round().astype(np.uint8)
    parts = [np.tile(wide[:, part], (180, 1)) for part in range(3)]
    full = replace(eight, luma=parts[0], planes=tuple(parts[1:]), full_range=True)
    assert found(full).worst < 0.5


def stripes(seed: int) -> Frame:
    """A curtain: stripes as wide as bars, in colours of a dyer's choice."""
    rng = np.random.default_rng(seed)
    rgb = (
        np.sort(rng.uniform(0, 1, (8, 3)), axis=0)[::-1] if seed % 2 else rng.uniform(0, 1, (8, 3))
    )
    kr, kb = 0.2126, 0.0722

    def dyed(_: NDArray[np.float64]) -> NDArray[np.float64]:
        luma = rgb @ np.array([kr, 1 - kr - kb, kb])
        return np.column_stack(
            [luma, (rgb[:, 2] - luma) / (2 - 2 * kb), (rgb[:, 0] - luma) / (2 - 2 * kr)]
        )

    return shown(change=dyed)


def test_striped_curtains_are_no_bars() -> None:
    assert [seed for seed in range(100) if find(stripes(seed))] == []


@pytest.mark.parametrize("camera", ["a", "b"])
def test_the_practice_feeds_are_no_bars(camera: Literal["a", "b"]) -> None:
    planes = Scene(camera, 1).render(3)
    assert find(replace(picture(0, planes.luma), planes=(planes.u, planes.v))) is None


def test_greys_and_pictures_without_colour_are_no_bars() -> None:
    assert find(shown(change=lambda bars: bars * [1, 0, 0])) is None
    assert find(picture(0, shown().luma)) is None


@pytest.mark.parametrize(
    "source", ["testsrc", "testsrc2", "rgbtestsrc", "yuvtestsrc", "mandelbrot"]
)
def test_other_test_pictures_are_no_bars(clips: Clips, source: str) -> None:
    outcome = measure_file("colour_bars", clips.picture(source=source, frames=30))
    assert outcome.steps == []
    assert outcome.values["colour_bars"] == "none"
    assert outcome.values["bars_error_max_percent"] is None
