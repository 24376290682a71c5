"""A frozen picture is told from a still shot, before a coder and behind it."""

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.measure.picture.view import View
from monitor.measure.picture_faults.freeze import BlockChanges
from tests.monitor.measure.feeding import Outcome, make, measure_file, noisy, picture, run, video
from tests.rigs.clips import Clips, run_ffmpeg


def held(frames: int) -> str:
    """Two seconds that move, then the last picture held, then what moves again."""
    gone = f"select='not(between(n,50,{49 + frames}))',setpts=N/25/TB"
    return f"{gone},loop=loop={frames}:size=1:start=49,setpts=N/25/TB"


HIGH_RATE = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-g", "25")


def watched(lumas: list[NDArray[Any]]) -> Outcome:
    frames = [picture(3_600 * n, luma) for n, luma in enumerate(lumas)]
    return run(make("freeze", video()), frames)


def freezedetect(path: Path) -> tuple[float, float]:
    """FFmpeg's own verdict: start and end in seconds."""
    log = run_ffmpeg("-i", str(path), "-vf", "freezedetect=n=-60dB:d=1", "-f", "null", "-")
    found = [float(re.findall(rf"freeze_{word}: ([\d.]+)", log)[0]) for word in ("start", "end")]
    return found[0], found[1]


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_a_held_picture_is_a_freeze_where_ffmpeg_sees_it(clips: Clips, suffix: str) -> None:
    path = clips.picture(suffix, frames=150, filters=held(75), codec=HIGH_RATE)
    (episode,) = measure_file("freeze", path).closed("freeze")
    rate = 12_800 if suffix == ".mp4" else 90_000
    origin = 0.0 if suffix == ".mp4" else episode.start / rate - 2.0
    start, end = freezedetect(path)
    assert episode.end is not None
    assert episode.start / rate - origin == pytest.approx(start, abs=0.081)
    assert episode.end / rate - origin == pytest.approx(end, abs=0.081)
    assert episode.worst == pytest.approx(3.0, abs=0.1)


def test_a_moving_file_never_freezes(clips: Clips) -> None:
    outcome = measure_file("stillness", clips.picture(frames=75, codec=HIGH_RATE))
    assert outcome.steps == []


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


def panned(count: int, speed: float = 3.0) -> list[NDArray[Any]]:
    """A textured wall that moves sideways under sensor noise."""
    rng = np.random.default_rng(5)
    wall = 120 + cv2.GaussianBlur(rng.normal(0, 600, (36, 700)), (0, 0), 8)
    shots = []
    for n in range(count):
        at = round(n * speed) % 600
        shots.append(np.clip(wall[:, at : at + 64] + rng.normal(0, 1.5, (36, 64)), 0, 255))
    return [shot.astype(np.uint8) for shot in shots]


def refined(held: NDArray[Any], count: int) -> list[NDArray[Any]]:
    """A held picture as an encoder goes on to refine it: less and less, and anew with a key."""
    rng = np.random.default_rng(6)
    shots = []
    for n in range(count):
        share = 0.5 * 0.8**n + 0.002
        change = (rng.random(held.shape) < share) * rng.choice([-1, 1], held.shape)
        shots.append(np.clip(held.astype(int) + change, 0, 255).astype(np.uint8))
    return shots


@pytest.mark.parametrize("length", [14, 30, 75])
def test_a_held_picture_that_its_encoder_refines_is_a_freeze_told_by_its_end(length: int) -> None:
    lumas = panned(60 + length)
    lumas[60 : 60 + length] = refined(lumas[59], length)
    lumas += panned(90 + length)[60 + length :]
    (closed,) = watched(lumas).closed("freeze")
    assert (closed.start, closed.end) == (3_600 * 60, 3_600 * (60 + length))


def noisy_holds(luma: NDArray[Any], count: int, codes: float) -> list[NDArray[Any]]:
    rng = np.random.default_rng(8)
    noise = rng.normal(0, codes, (count, *luma.shape))
    return list(np.clip(np.rint(luma + noise), 0, 255).astype(np.uint8))


def test_a_pan_that_ends_in_a_still_shot_is_no_freeze_while_its_sensor_is_alive() -> None:
    lumas = panned(60)
    lumas += noisy_holds(lumas[-1], 80, 1.0)
    assert watched(lumas + panned(200)[140:]).steps == []


def test_a_picture_held_before_a_noisy_converter_is_told_when_the_scene_jumps_on() -> None:
    lumas = panned(60)
    lumas += noisy_holds(lumas[-1], 30, 0.35)
    (closed,) = watched(lumas + panned(150)[90:]).closed("freeze")
    assert closed.end == 3_600 * 90


def test_a_flash_is_no_end_of_a_freeze() -> None:
    lumas = panned(60)
    held = noisy_holds(lumas[-1], 50, 0.35)
    flash = np.clip(held[30].astype(int) + 60, 0, 255).astype(np.uint8)
    assert watched([*lumas, *held[:30], flash, *held[31:]]).steps == []


@pytest.mark.parametrize(
    "codec",
    [
        ("-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-b:v", "400k"),
        ("-c:v", "mpeg2video", "-b:v", "2M", "-g", "12"),
        ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "24", "-x265-params", "log-level=0"),
    ],
)
def test_a_picture_held_for_12_s_before_any_coder_is_a_freeze(
    clips: Clips, codec: tuple[str, ...]
) -> None:
    noise = "noise=alls=6:allf=t"  # a sensor's, before the hold
    path = clips.picture(".mkv", frames=375, filters=f"{noise},{held(300)}", codec=codec)
    (episode,) = measure_file("freeze", path).closed("freeze")
    assert episode.end is not None
    assert (episode.end - episode.start) / 1_000 == pytest.approx(12.0, abs=0.3)


def test_a_still_shot_with_noise_is_no_freeze_behind_a_coder_of_a_low_rate(clips: Clips) -> None:
    still = "select='eq(n,0)',loop=loop=-1:size=1,setpts=N/25/TB,noise=alls=6:allf=t"
    codec = ("-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-b:v", "150k")
    path = clips.picture(".mkv", frames=200, filters=still, codec=codec)
    assert measure_file("freeze", path).steps == []


@pytest.mark.parametrize(("depth", "shape"), [(8, (144, 256)), (10, (144, 256)), (8, (150, 250))])
def test_the_block_that_changes_most_is_the_largest_mean_of_all(
    depth: int, shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(4)
    one, two = (rng.integers(0, 12 << (depth - 8), shape).astype(np.uint16) for _ in range(2))
    two[32:48, 64:80] += 8 << (depth - 8)
    if depth == 8:
        one, two = one.astype(np.uint8), two.astype(np.uint8)
    before = View(picture(0, one, bits=depth), tick=0, number=0, duration=1, before=None)
    view = View(picture(1, two, bits=depth), tick=1, number=1, duration=1, before=before)
    apart = np.abs(one[::4].astype(float) - two[::4]) / (1 << (depth - 8))
    rows, columns = (side // step for side, step in zip(apart.shape, (4, 16), strict=True))
    means = apart[: rows * 4, : columns * 16].reshape(rows, 4, columns, 16).mean(axis=(1, 3))
    assert BlockChanges().largest(view) == pytest.approx(means.max(), abs=0.3)
