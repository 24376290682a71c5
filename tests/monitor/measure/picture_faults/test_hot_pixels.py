"""What stands out wherever the camera looks is a hot or dead pixel; what moves, or text, is not."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.measure.look import Look
from monitor.measure.measurement import MEASUREMENTS, Setup
from tests.monitor.measure.feeding import Outcome, picture, run, video

SHAPE = (90, 160)
SECONDS = 14
RNG = np.random.default_rng(11)
WORLD = cv2.GaussianBlur(RNG.normal(120, 400, (90, 1600)), (0, 0), 12)
WORLD = np.clip(120 + (WORLD - WORLD.mean()) * 45 / WORLD.std(), 30, 200)


def shots(seconds: int = SECONDS, *, pans: bool = True) -> list[NDArray[np.uint8]]:
    """One picture a second of a slow pan, with sensor noise."""
    made = []
    for n in range(seconds):
        left = 25 * n if pans else 0
        noise = np.random.default_rng(n).normal(0, 3, SHAPE)
        made.append(np.clip(WORLD[:, left : left + 160] + noise, 0, 255).astype(np.uint8))
    return made


def watched(lumas: list[NDArray[Any]], look: Look | None = None) -> Outcome:
    setup = Setup(stream=video(), look=look or Look(), only=frozenset(["hot_pixels"]))
    frames = [picture(90_000 * n, luma) for n, luma in enumerate(lumas)]
    return run(MEASUREMENTS["viewing"].make(setup), frames)


@pytest.mark.parametrize("code", [255, 0])
def test_a_pixel_that_stands_out_wherever_the_camera_looks_is_found(code: int) -> None:
    lumas = shots()
    for luma in lumas:
        luma[40, 100] = code
    outcome = watched(lumas)
    (episode,) = outcome.closed("hot_pixels")
    opened = next(step for step in outcome.steps if step.phase == "open")
    assert opened.detail == "column/row 101/41"
    assert opened.place == pytest.approx((100 / 160, 40 / 90, 101 / 160, 41 / 90))
    assert episode.worst == 1
    assert outcome.values["hot_pixels"] == 1


def test_one_the_coder_hides_now_and_then_is_found_all_the_same() -> None:
    lumas = shots()
    for n, luma in enumerate(lumas):
        if n % 4:
            luma[40, 100] = 250
    assert len(watched(lumas).closed("hot_pixels")) == 1


def test_noise_and_a_pan_have_none() -> None:
    outcome = watched(shots())
    assert outcome.steps == []
    assert outcome.values["hot_pixels"] == 0


def test_a_spot_on_the_wall_moves_with_it_and_in_a_still_shot_is_not_told() -> None:
    world = WORLD.copy()
    world[::9, ::13] = 255
    panned = [world[:, 25 * n : 25 * n + 160].astype(np.uint8) for n in range(SECONDS)]
    assert watched(panned).steps == []
    still = shots(pans=False)
    for luma in still:
        luma[40, 100] = 255
    assert watched(still).steps == []


def test_burnt_in_text_and_what_is_masked_are_no_pixels() -> None:
    lumas = shots()
    for n, luma in enumerate(lumas):
        cv2.putText(luma, f"10:42:{n:02d}:17", (4, 20), cv2.FONT_HERSHEY_PLAIN, 1.0, 255, 1)
        luma[60:70, 10:40] = 20
        cv2.putText(luma, "A.i:x", (11, 68), cv2.FONT_HERSHEY_PLAIN, 0.6, 255, 1)
        luma[62, 30] = luma[66, 36] = 255  # dots within a label
    assert watched(lumas).steps == []
    for luma in lumas:
        luma[80, 20] = 255
    assert watched(lumas, Look(masks=((0.0, 0.8, 1.0, 1.0),))).steps == []


def test_glitter_is_too_many_to_be_pixels() -> None:
    lumas = [
        np.where(np.random.default_rng(n).random(SHAPE) < 0.2, 255, 40).astype(np.uint8)
        for n in range(SECONDS)
    ]
    assert watched(lumas).steps == []


def test_another_size_begins_anew() -> None:
    lumas: list[NDArray[Any]] = shots()
    for luma in lumas:
        luma[40, 100] = 255
    other = [np.full((50, 60), 80, np.uint8)]
    (episode,) = watched([*lumas, *other]).closed("hot_pixels")
    assert episode.end == SECONDS * 90_000
