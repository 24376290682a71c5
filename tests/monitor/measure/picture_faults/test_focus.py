"""Focus that goes and stays away is told; other shots, moves, dark and noise are not."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.monitor.measure.feeding import Outcome, make, picture, run, video

SHAPE = (360, 640)
PER_S = 5
RNG = np.random.default_rng(5)


def textured(seed: int = 5, contrast: float = 1.0) -> NDArray[np.float64]:
    """A set with detail of every size, wider than the picture."""
    rng = np.random.default_rng(seed)
    made = np.zeros((400, 1400))
    for size in (40, 12, 4, 1.5, 0.7):
        layer = cv2.GaussianBlur(rng.normal(0, 1, made.shape), (0, 0), size)
        made += layer / layer.std() * 12 * size**0.25
    return np.clip(120 + contrast * made, 0, 255)


SET = textured()


def shot(n: int, blur: float = 0.0, *, step: float = 0.0, noise: float = 2.0) -> NDArray[np.uint8]:
    left = int(step * n)
    scene = SET[:360, left : left + 640]
    if blur:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), blur), np.float64)
    grain = np.random.default_rng(n).normal(0, noise, SHAPE)
    return np.clip(scene + grain, 0, 255).astype(np.uint8)


def watched(lumas: list[NDArray[Any]]) -> Outcome:
    step = 90_000 // PER_S
    return run(make("focus", video()), [picture(step * n, x) for n, x in enumerate(lumas)], 5)


@pytest.mark.parametrize("blur", [1.5, 2.5, 4.0])
@pytest.mark.parametrize("noise", [0.0, 2.0, 5.0])
def test_focus_that_is_lost_is_told_within_five_seconds(blur: float, noise: float) -> None:
    lost = 8 * PER_S
    lumas = [shot(n, blur if n >= lost else 0, noise=noise) for n in range(14 * PER_S)]
    outcome = watched(lumas)
    (episode,) = outcome.closed("focus_lost")
    assert 8.0 <= episode.start / 90_000 <= 8.5
    assert episode.worst is not None
    assert episode.worst < 60


def test_it_is_told_in_a_slow_pan_too_and_is_over_when_focus_is_back() -> None:
    blurs = [0.0] * 40 + [4.0] * 25 + [0.0] * 30
    outcome = watched([shot(n, blur, step=0.2) for n, blur in enumerate(blurs)])
    (episode,) = outcome.closed("focus_lost")
    assert episode.end is not None
    assert 13.0 <= episode.end / 90_000 <= 13.6


def test_a_glance_out_of_focus_for_a_second_is_not_told() -> None:
    blurs = [0.0] * 40 + [4.0] * 5 + [0.0] * 40
    assert watched([shot(n, blur) for n, blur in enumerate(blurs)]).steps == []


def test_another_shot_a_pan_darkness_and_noise_are_no_loss() -> None:
    soft = cv2.GaussianBlur(textured(9), (0, 0), 4)[:360, :640]
    cut = [shot(n) if n < 40 else np.clip(soft, 0, 255).astype(np.uint8) for n in range(80)]
    assert watched(cut).steps == []
    assert watched([shot(n, step=8) for n in range(90)]).steps == []
    assert (
        watched([(shot(n) * (1 if n < 40 else 0.4)).astype(np.uint8) for n in range(80)]).steps
        == []
    )
    assert watched([shot(n, noise=1.0 if n < 40 else 6.0) for n in range(80)]).steps == []


def test_pulling_focus_keeps_some_of_the_picture_sharp() -> None:
    near, far = slice(0, 320), slice(320, 640)
    lumas = []
    for n in range(80):
        luma, soft = shot(n), shot(n, 5.0)
        side = far if n < 40 else near
        luma[:, side] = soft[:, side]
        lumas.append(luma)
    assert watched(lumas).steps == []


def test_sharpness_does_not_depend_on_contrast_but_falls_with_blur() -> None:
    whole = watched([shot(0, noise=0)]).number("sharpness")
    faint = watched([(40 + 0.5 * shot(0, noise=0)).astype(np.uint8)]).number("sharpness")
    soft = watched([shot(0, 2.5, noise=0)]).number("sharpness")
    assert faint == pytest.approx(whole, rel=0.1)
    assert soft < 0.6 * whole


def test_small_pictures_and_plain_walls_have_no_sharpness() -> None:
    assert watched([np.full(SHAPE, 120, np.uint8)]).values == {}
    assert watched([RNG.integers(0, 255, (90, 160)).astype(np.uint8)]).values == {}
