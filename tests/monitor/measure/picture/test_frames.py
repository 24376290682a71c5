"""Missing pictures are found by their stamps, to the frame, and only where there is a cadence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitor.measure.feeding import make, measure_file, picture, run, video
from tests.rigs.clips import Clips


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_one_picture_taken_out_of_a_file_is_named(clips: Clips, suffix: str) -> None:
    path = clips.picture(
        suffix,
        frames=99,
        filters="select='not(eq(n,37))'",
        output=("-fps_mode", "passthrough"),
    )
    outcome = measure_file("frames", path)
    assert outcome.values["frames_total"] == 99
    assert outcome.values["frames_dropped"] == 1
    (episode,) = outcome.closed("frames_dropped")
    assert episode.detail == "missing: frame 37"
    assert (episode.count, episode.worst) == (1, 1)


@pytest.mark.parametrize("rate", ["24000/1001", "25", "30000/1001", "50", "60000/1001"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
def test_a_whole_file_has_no_missing_pictures(clips: Clips, suffix: str, rate: str) -> None:
    b_frames = ("-c:v", "libx264", "-bf", "0" if suffix == ".avi" else "2")
    made = clips.picture(suffix, rate=rate, frames=60, codec=b_frames)
    outcome = measure_file("frames", made)
    assert outcome.values["frames_total"] == 60
    assert outcome.values["frames_dropped"] == 0
    assert outcome.steps == []


@settings(max_examples=40)
@given(st.sets(st.integers(1, 98), max_size=12))
def test_every_hole_is_counted(missing: set[int]) -> None:
    frames = [picture(3_600 * n) for n in range(100) if n not in missing]
    outcome = run(make("frames", video()), frames, every=7)
    assert outcome.values["frames_dropped"] == len(missing)
    assert sum(step.count for step in outcome.closed("frames_dropped")) == len(missing)


def test_a_hole_among_the_first_pictures_is_found_too() -> None:
    frames = [picture(3_600 * n) for n in range(40) if n not in (2, 3)]
    (episode,) = run(make("frames", video()), frames).closed("frames_dropped")
    assert (episode.start, episode.end) == (7_200, 14_400)
    assert episode.detail == "missing: frame 2–3"


def test_a_variable_frame_rate_has_an_unknown_number_of_missing_pictures() -> None:
    steps = np.random.default_rng(5).integers(1_000, 20_000, 200)
    outcome = run(make("frames", video()), [picture(int(t)) for t in np.cumsum(steps)])
    assert outcome.values["frames_dropped_total"] is None
    assert outcome.steps == []


def test_a_wrong_declared_rate_drops_nothing() -> None:
    frames = [picture(7_200 * n) for n in range(40)]
    assert run(make("frames", video()), frames).values["frames_dropped"] == 0


def test_pictures_with_the_same_stamp_are_counted_apart() -> None:
    frames = [picture(3_600 * (n - (n > 20))) for n in range(40)]
    outcome = run(make("frames", video()), frames)
    assert outcome.values["stamps_repeated"] == 1
    assert outcome.values["frames_dropped"] == 0


def test_an_episode_closes_a_second_after_its_last_hole_and_counts_the_worst_second() -> None:
    missing = {20, 22, 24, 60}
    frames = [picture(3_600 * n) for n in range(100) if n not in missing]
    outcome = run(make("frames", video()), frames, every=1)
    assert [(e.count, e.count_1s) for e in outcome.closed("frames_dropped")] == [(3, 3), (1, 1)]


def test_a_jump_of_the_stamps_is_another_timeline_not_thousands_of_drops() -> None:
    frames = [picture(3_600 * n) for n in range(40)]
    frames += [picture(3_600 * n + 90_000_000) for n in range(40)]
    frames += [picture(3_600 * n) for n in range(40)]
    assert run(make("frames", video()), frames).values["frames_dropped"] == 0


def test_totals_restart_at_reset() -> None:
    made = make("frames", video())
    for n in range(30):
        made.feed(picture(3_600 * n))
    made.drain()
    made.reset()
    made.feed(picture(3_600 * 30))
    assert made.drain()["frames_total"] == 1


def test_pictures_that_lost_only_their_stamp_are_not_missing() -> None:
    frames = [picture(None if n in (50, 60, 61) else 3_600 * n) for n in range(100) if n != 62]
    outcome = run(make("frames", video()), frames)
    assert outcome.values["frames_dropped"] == 1
