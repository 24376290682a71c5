"""Colour that shifts all over the picture, and what else changes colour."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.measure.measurement import MEASUREMENTS, Setup
from tests.monitor.measure.feeding import Outcome, picture, run, video

SHAPE = (72, 128)
TICKS = 3_600  # of 1/90000 s: 25 pictures a second
RNG = np.random.default_rng(8)
SCENES = [RNG.integers(40, 200, (9, 16)).repeat(8, 0).repeat(8, 1) for _ in range(2)]
TINTS = [RNG.integers(-20, 20, (2, 9, 16)).repeat(4, 1).repeat(4, 2) for _ in range(2)]
Chroma = NDArray[np.int64]


def watched(change: Callable[[int, Chroma], Chroma], scene_at: Callable[[int], int]) -> Outcome:
    """Show 8 s of pictures with noise; ``change`` moves picture n's chroma."""
    noise = np.random.default_rng(9)
    frames = []
    for n in range(200):
        which = scene_at(n)
        luma = SCENES[which] + noise.integers(-3, 4, SHAPE)
        cb, cr = np.clip(128 + change(n, TINTS[which]), 16, 240).astype(np.uint8)
        frame = picture(TICKS * n, np.clip(luma, 16, 235).astype(np.uint8))
        frames.append(replace(frame, planes=(cb, cr)))
    setup = Setup(stream=video(), only=frozenset(["colour_shift"]))
    return run(MEASUREMENTS["viewing"].make(setup), frames, every=5)


def one(_n: int) -> int:
    return 0


@pytest.mark.parametrize("shift", [(12, 0), (0, -12), (-20, 20)])
def test_a_cast_from_some_picture_on_is_told_with_its_step_and_ends_when_it_does(
    shift: tuple[int, int],
) -> None:
    cast = np.array(shift).reshape(2, 1, 1)
    outcome = watched(lambda n, tint: tint + (cast if 75 <= n < 150 else 0), one)
    (episode,) = outcome.closed("colour_shift")
    assert 75 * TICKS <= episode.start <= 80 * TICKS
    assert episode.end is not None
    assert 150 * TICKS <= episode.end <= 155 * TICKS
    assert episode.worst == pytest.approx(np.hypot(*shift), abs=1.0)


def test_a_lost_component_is_a_shift() -> None:
    def without_red(n: int, tint: Chroma) -> Chroma:
        return np.stack([tint[0] + 10, np.full_like(tint[1], -60)]) if n >= 75 else tint

    outcome = watched(without_red, one)
    assert [s.phase for s in outcome.steps] == ["open", "close"]


@pytest.mark.parametrize(
    ("what", "change", "scene_at"),
    [
        ("a cut", lambda n, tint: tint + (15 if n >= 75 else 0), lambda n: int(n >= 75)),
        ("a drift over 4 s", lambda n, tint: tint + min(15, max(0, n - 50) // 7), one),
        ("a flash of colour", lambda n, tint: tint + (30 if 75 <= n < 85 else 0), one),
        ("a lamp on one side", lambda n, tint: tint + (n >= 75) * 25 * (np.arange(64) < 24), one),
        ("more saturation", lambda n, tint: tint * (2 if n >= 75 else 1), one),
        ("nothing", lambda _n, tint: tint, one),
    ],
)
def test_other_changes_of_colour_are_none(
    what: str, change: Callable[[int, Chroma], Chroma], scene_at: Callable[[int], int]
) -> None:
    assert watched(change, scene_at).steps == [], what


def test_a_picture_without_colour_is_looked_at_without_a_word() -> None:
    setup = Setup(stream=video(), only=frozenset(["colour_shift"]))
    grey = [replace(picture(TICKS * n, np.full(SHAPE, 90, np.uint8)), planes=()) for n in range(50)]
    outcome = run(MEASUREMENTS["viewing"].make(setup), grey)
    assert outcome.steps == []
    assert outcome.values == {}
