"""A frozen picture is told from a still shot, and a doubled picture from a quiet one."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.measure.picture.view import mean_difference
from tests.monitor.measure.feeding import Outcome, make, measure_file, picture, run, video
from tests.rigs.clips import Clips, run_ffmpeg

# two seconds that move, then the last picture held for three, then one second that moves
HELD = "select='not(between(n,50,124))',setpts=N/25/TB,loop=loop=75:size=1:start=49,setpts=N/25/TB"
HIGH_RATE = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-g", "25")


def noisy(count: int, seed: int = 0, codes: float = 2.0) -> list[NDArray[Any]]:
    rng = np.random.default_rng(seed)
    base = np.linspace(20, 220, 64 * 36).reshape(36, 64)
    return [
        np.clip(base + rng.normal(0, codes, base.shape), 0, 255).astype(np.uint8)
        for _ in range(count)
    ]


def watched(lumas: list[NDArray[Any]]) -> Outcome:
    frames = [picture(3_600 * n, luma) for n, luma in enumerate(lumas)]
    return run(make("stillness", video()), frames)


def freezedetect(path: Path) -> tuple[float, float]:
    """FFmpeg's own verdict: start and end in seconds."""
    log = run_ffmpeg("-i", str(path), "-vf", "freezedetect=n=-60dB:d=1", "-f", "null", "-")
    found = [float(re.findall(rf"freeze_{word}: ([\d.]+)", log)[0]) for word in ("start", "end")]
    return found[0], found[1]


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_a_held_picture_is_a_freeze_where_ffmpeg_sees_it(clips: Clips, suffix: str) -> None:
    path = clips.picture(suffix, frames=150, filters=HELD, codec=HIGH_RATE)
    (episode,) = measure_file("stillness", path).closed("freeze")
    rate = 12_800 if suffix == ".mp4" else 90_000
    origin = 0.0 if suffix == ".mp4" else episode.start / rate - 2.0
    start, end = freezedetect(path)
    assert episode.end is not None
    assert episode.start / rate - origin == pytest.approx(start, abs=0.081)
    assert episode.end / rate - origin == pytest.approx(end, abs=0.081)
    assert episode.worst == pytest.approx(3.0, abs=0.1)


def test_a_moving_file_never_freezes_nor_repeats(clips: Clips) -> None:
    outcome = measure_file("stillness", clips.picture(frames=75, codec=HIGH_RATE))
    assert outcome.steps == []
    assert outcome.values["frames_repeated"] == 0


def test_a_still_shot_with_sensor_noise_never_freezes() -> None:
    assert watched(noisy(500)).steps == []
    assert watched(noisy(500, codes=0.3)).steps == []


def test_a_frozen_noisy_feed_freezes_once_and_after_half_a_second() -> None:
    lumas = noisy(60)
    outcome = watched(lumas + [lumas[-1]] * 30 + noisy(20, seed=1))
    opened = next(step for step in outcome.steps if step.phase == "open")
    (closed,) = outcome.closed("freeze")
    assert (closed.start, closed.end, closed.count) == (3_600 * 60, 3_600 * 90, 1)
    assert opened.worst == pytest.approx(13 / 25)


def test_a_freeze_that_was_coded_again_is_under_the_feeds_own_floor() -> None:
    lumas = noisy(60)
    held = [lumas[-1].copy() for _ in range(30)]
    for n, luma in enumerate(held):
        luma[n % 36, n % 64] ^= 1  # one pixel flickers
    assert len(watched(lumas + held + noisy(20, seed=1)).closed("freeze")) == 1


def test_a_feed_that_repeats_by_nature_is_not_frozen_when_it_rests_a_little_longer() -> None:
    lumas: list[NDArray[Any]] = []
    for n, luma in enumerate(noisy(60, codes=0.2)):
        lumas += [luma] * (1 + n % 4)  # a low bit rate: most pictures are skipped
    assert watched(lumas + [lumas[-1]] * 100 + lumas[:20]).steps == []
    assert len(watched(lumas + [lumas[-1]] * 300 + lumas[:20]).closed("freeze")) == 1


def test_a_flat_picture_is_never_a_freeze() -> None:
    black = np.full((36, 64), 16, np.uint8)
    assert watched(noisy(60) + [black] * 200 + noisy(10)).closed("freeze") == []


def test_a_freeze_open_at_the_end_is_closed_there() -> None:
    lumas = noisy(60)
    (closed,) = watched(lumas + [lumas[-1]] * 40).closed("freeze")
    assert closed.end == 3_600 * 100


@pytest.mark.parametrize("length", [1, 2, 3])
def test_doubled_pictures_among_moving_ones_are_counted_and_named(length: int) -> None:
    lumas = noisy(80)
    lumas[40 : 40 + length] = [lumas[39]] * length
    outcome = watched(lumas)
    assert outcome.values["frames_repeated"] == length
    (episode,) = outcome.closed("frames_repeated")
    named = "40" if length == 1 else f"40–{39 + length}"
    assert episode.detail == f"repeated: frame {named}"
    assert episode.start == 3_600 * 40


def test_doubled_pictures_of_an_mjpeg_file_are_found(clips: Clips) -> None:
    path = clips.picture(
        ".mov",
        frames=60,
        filters="select='not(eq(n,30))',setpts=N/25/TB,loop=loop=1:size=1:start=29,setpts=N/25/TB",
        codec=("-c:v", "mjpeg", "-q:v", "3"),
    )
    assert measure_file("stillness", path).values["frames_repeated"] == 1


def test_a_quiet_picture_that_repeats_means_nothing() -> None:
    lumas = noisy(80, codes=0.05)
    lumas[40] = lumas[39]
    assert watched(lumas).values["frames_repeated"] == 0


def test_a_change_of_size_is_no_comparison() -> None:
    small = [luma[:18, :32].copy() for luma in noisy(20)]
    outcome = watched(noisy(20) + small)
    assert outcome.steps == []


def test_differences_are_in_codes_of_8_bits_at_any_depth() -> None:
    one, two = (np.full((8, 8), code, np.uint8) for code in (100, 103))
    deep = [plane.astype(np.uint16) << 2 for plane in (one, two)]
    assert mean_difference(one, two, 8) == 3
    assert mean_difference(deep[0], deep[1], 10) == 3
    assert mean_difference(one, two, 8) == np.abs(one.astype(int) - two).mean()


def test_motion_is_the_greatest_difference_of_an_interval() -> None:
    lumas = [np.full((8, 8), code, np.uint8) for code in (0, 51, 51, 61)]
    assert watched(lumas).values["motion"] == pytest.approx(51 / 255)
