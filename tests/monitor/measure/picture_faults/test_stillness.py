"""A doubled picture is told from a quiet one."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.measure.picture.view import mean_difference
from tests.monitor.measure.feeding import Outcome, make, measure_file, noisy, picture, run, video
from tests.rigs.clips import Clips


def watched(lumas: list[NDArray[Any]]) -> Outcome:
    frames = [picture(3_600 * n, luma) for n, luma in enumerate(lumas)]
    return run(make("stillness", video()), frames)


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


def test_a_moving_file_has_no_repeats(clips: Clips) -> None:
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-g", "25")
    outcome = measure_file("stillness", clips.picture(frames=75, codec=codec))
    assert outcome.values["frames_repeated"] == 0


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
