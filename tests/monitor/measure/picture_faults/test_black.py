"""Black is told as FFmpeg tells it, in limited and full range and at any depth."""

import re

import numpy as np
import pytest

from monitor.measure.picture_faults.black import EVEN, UNEVEN, black_code, black_ratio
from tests.monitor.measure.feeding import make, measure_file, picture, run, video
from tests.rigs.clips import Clips, run_ffmpeg


def test_black_in_a_file_is_one_span_that_begins_and_ends_where_ffmpeg_says(clips: Clips) -> None:
    path = clips.picture(frames=100, filters="drawbox=c=black:t=fill:enable='between(n,30,69)'")
    log = run_ffmpeg("-i", str(path), "-vf", "blackdetect=d=0.1", "-f", "null", "-")
    start, end = (float(re.findall(rf"black_{w}:([\d.]+)", log)[0]) for w in ("start", "end"))
    (episode,) = measure_file("black", path).closed("black")
    assert episode.end is not None
    assert (episode.start / 12_800, episode.end / 12_800) == pytest.approx((start, end))
    assert episode.worst == pytest.approx(1.6)
    assert episode.count == 1


@pytest.mark.parametrize(
    ("bits", "full_range", "expected"), [(8, False, 37), (10, False, 151), (8, True, 25)]
)
def test_the_threshold_is_a_tenth_of_the_nominal_range(
    bits: int, full_range: bool, expected: int
) -> None:
    assert black_code(bits, full_range) == expected
    dtype = np.uint8 if bits == 8 else np.uint16
    for code, ratio in ((expected, 1.0), (expected + 1, 0.0)):
        frame = picture(0, np.full((16, 16), code, dtype), bits=bits, full_range=full_range)
        assert run(make("black", video()), [frame]).values["black_ratio"] == ratio


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (4, 1), (2, 2)])
def test_the_smallest_pictures_are_judged_too(shape: tuple[int, int]) -> None:
    for code, ratio in ((16, 1.0), (200, 0.0)):
        assert black_ratio(np.full(shape, code, np.uint8), 37) == ratio


def test_two_percent_of_light_is_not_black_any_more() -> None:
    luma = np.full((40, 100), 16, np.uint8)
    luma[:, :3] = 200
    outcome = run(make("black", video()), [picture(0, luma)])
    assert outcome.values["black_ratio"] == pytest.approx(0.97)
    assert outcome.steps == []


@pytest.mark.parametrize(("code", "expected"), [(16, 0), (235, 1), (126, 0.5), (5, 0), (250, 1)])
def test_mean_luma_runs_from_nominal_black_to_nominal_white(code: int, expected: float) -> None:
    outcome = run(make("black", video()), [picture(0, np.full((8, 8), code, np.uint8))])
    assert outcome.number("luma_mean") == pytest.approx(expected, abs=0.003)


def test_black_at_the_end_of_a_file_is_closed_there() -> None:
    frames = [picture(3_600 * n, np.full((8, 8), 16, np.uint8)) for n in range(10)]
    (episode,) = run(make("black", video()), frames).closed("black")
    assert (episode.start, episode.end) == (0, 36_000)


@pytest.mark.parametrize(("noise", "words"), [(0.0, EVEN), (1.5, UNEVEN)])
def test_a_lens_cap_is_told_from_no_signal_by_its_noise(noise: float, words: str) -> None:
    rng = np.random.default_rng(2)
    lumas = [np.clip(rng.normal(18, noise, (72, 128)), 0, 255).astype(np.uint8) for _ in range(9)]
    frames = [picture(3_600 * n, luma) for n, luma in enumerate(lumas)]
    steps = run(make("black", video()), frames).steps
    assert steps[0].detail == words
