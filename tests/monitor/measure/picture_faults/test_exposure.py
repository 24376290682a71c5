"""How much of the picture is clipped or crushed, where, and what is not judged."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.measure.look import Look
from monitor.measure.measurement import MEASUREMENTS, Setup
from monitor.measure.picture_faults.area import place_of
from monitor.measure.picture_faults.exposure import code_at
from tests.monitor.measure.feeding import Outcome, make, measure_file, picture, run, video
from tests.rigs.clips import Clips

SHAPE = (72, 128)


def lit(share: float, code: int = 250, rest: int = 120) -> NDArray[np.uint8]:
    """A picture whose right part is bright."""
    luma = np.full(SHAPE, rest, np.uint8)
    luma[:, SHAPE[1] - round(share * SHAPE[1]) :] = code
    return luma


def exposed(lumas: list[NDArray[Any]], look: Look | None = None, bits: int = 8) -> Outcome:
    setup = Setup(stream=video(), look=look or Look(), only=frozenset(["exposure"]))
    frames = [picture(3_600 * n, luma, bits=bits) for n, luma in enumerate(lumas)]
    return run(MEASUREMENTS["viewing"].make(setup), frames)


@pytest.mark.parametrize("share", [0.125, 0.25, 0.5, 1.0])
def test_the_clipped_share_of_the_picture_is_its_area(share: float) -> None:
    outcome = exposed([lit(share)])
    assert outcome.number("clipped_area") == pytest.approx(share, abs=1e-4)
    assert outcome.number("crushed_area") == 0


def test_a_clipped_stretch_is_told_with_its_times_worst_area_and_place() -> None:
    lumas = [lit(0)] * 25 + [lit(0.25)] * 25 + [lit(0.5)] * 25 + [lit(0)] * 25
    (episode,) = exposed(lumas).closed("overexposed")
    assert (episode.start, episode.end) == (25 * 3_600, 75 * 3_600)
    assert (episode.worst, episode.unit) == (50.0, "%")
    assert episode.place == pytest.approx((0.75, 0, 1, 1))


def test_a_lamp_in_the_picture_is_normal() -> None:
    assert exposed([lit(0.06)] * 50).steps == []


def test_an_area_that_breathes_at_the_limit_is_one_episode() -> None:
    lumas = [lit(0.125), lit(0.0938)] * 50
    assert len(exposed(lumas).closed("overexposed")) == 1


def test_a_dark_picture_is_crushed_but_a_black_one_is_black() -> None:
    dark = lit(0.25, 120, 16)
    (episode,) = exposed([dark] * 25).closed("underexposed")
    assert episode.worst == pytest.approx(75, abs=0.1)
    assert exposed([lit(0, 0, 16)] * 25).steps == []


def test_noise_in_a_dark_picture_with_detail_is_not_crushed() -> None:
    rng = np.random.default_rng(3)
    lumas = [np.clip(rng.normal(28, 4, SHAPE), 0, 255).astype(np.uint8) for _ in range(25)]
    assert exposed(lumas).steps == []


def test_a_log_picture_clips_where_its_look_says() -> None:
    flat = lit(0.5, code=round(code_at(0.92, full_range=False)))
    assert exposed([flat] * 25).steps == []
    assert exposed([flat] * 25, Look(clip=0.9)).number("clipped_area") == pytest.approx(0.5)


def test_what_lies_under_a_mask_is_not_judged() -> None:
    masks = ((0.7, 0.0, 1.0, 1.0),)
    assert exposed([lit(0.25)] * 25, Look(masks=masks)).steps == []
    everything = ((0.0, 0.0, 1.0, 1.0),)
    assert exposed([lit(0.25)] * 25, Look(masks=everything)).steps == []


def test_ten_bits_are_judged_as_eight() -> None:
    deep = lit(0.5).astype(np.uint16) << 2
    assert exposed([deep], bits=10).number("clipped_area") == pytest.approx(0.5)


def test_the_share_agrees_with_ffmpegs_own_picture_of_known_area(clips: Clips) -> None:
    path = clips.picture(frames=25, filters="drawbox=x=0:y=0:w=iw/4:h=ih:c=white:t=fill")
    (episode,) = measure_file("exposure", path).closed("overexposed")
    assert episode.worst == pytest.approx(25, abs=6)  # the test picture has white of its own
    assert episode.place is not None
    assert episode.place[0] == 0


def test_nothing_found_has_no_place() -> None:
    assert place_of(np.zeros((4, 4), np.uint8)) is None
    assert run(make("exposure", video()), []).steps == []
