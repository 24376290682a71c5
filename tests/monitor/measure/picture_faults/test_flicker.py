"""Lamps that pulse are told by the beat of mains and frame rate, whatever moves in the picture."""

from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.measure.picture_faults.flicker import beats_hz
from tests.monitor.measure.feeding import Outcome, make, picture, run, video

HEIGHT, WIDTH = 144, 256
READ_OUT = 0.8  # of the frame time that a rolling shutter takes from top to bottom
Move = Callable[[float], tuple[float, float]]


def wall() -> NDArray[np.float64]:
    """A set with large and small detail and a bright upper half: a horizon."""
    rng = np.random.default_rng(4)
    noise = rng.normal(0, 1, (600, 900))
    made = cv2.GaussianBlur(noise, (0, 0), 20) * 400 + cv2.GaussianBlur(noise, (0, 0), 3) * 40 + 110
    made[300:] -= 40
    return np.clip(made, 20, 220)


SET = wall()
MOVES: dict[str, Move] = {
    "still": lambda _: (250.0, 100.0),
    "pan": lambda t: (250.0, 20 + 60 * t),
    "tilt": lambda t: (120 + 60 * t, 100.0),
    "hand-held": lambda t: (250 + 8 * np.sin(38 * t), 100 + 8 * np.sin(31 * t)),
    "walk": lambda t: (250 + 12 * abs(np.sin(11 * t)), 100 + 10 * np.sin(11 * t)),
}


def shot(move: str, n: int, rate: float, light: NDArray[np.float64] | float) -> NDArray[np.uint8]:
    top, left = (int(x) for x in MOVES[move](n / rate))
    scene = SET[top : top + HEIGHT, left : left + WIDTH]
    noise = np.random.default_rng(n).normal(0, 2, scene.shape)
    return np.clip(16 + (scene - 16) * light + noise, 0, 255).astype(np.uint8)


def lamp(n: int, rate: float, mains: float, depth: float, *, bands: bool) -> NDArray[np.float64]:
    """The light of a lamp at each row of a picture, a column."""
    rows = np.arange(HEIGHT) / HEIGHT * READ_OUT if bands else np.zeros(HEIGHT)
    times = (n + rows) / rate
    return (1 + depth / 2 * np.sin(4 * np.pi * mains * times))[:, None]


def watched(shots: list[NDArray[np.uint8]], rate: int = 25) -> Outcome:
    frames = [picture(90_000 // rate * n, luma) for n, luma in enumerate(shots)]
    return run(make("flicker", video(Fraction(rate))), frames)


@pytest.mark.parametrize("move", ["still", "pan"])
@pytest.mark.parametrize("bands", [True, False])
@pytest.mark.parametrize(("rate", "mains"), [(25, 60.0), (24, 50.0), (30, 49.95)])
def test_mains_flicker_is_found_where_the_camera_does_not_tilt(
    move: str, bands: bool, rate: int, mains: float
) -> None:
    lights = [lamp(n, rate, mains, 0.05, bands=bands) for n in range(4 * rate)]
    outcome = watched([shot(move, n, rate, light) for n, light in enumerate(lights)], rate)
    (episode,) = outcome.closed("flicker")
    assert episode.start <= 1.1 * 90_000
    assert episode.worst == pytest.approx(5.0, abs=1.2)
    assert outcome.number("flicker_ratio") == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize("move", sorted(MOVES))
@pytest.mark.parametrize("rate", [24, 25, 50])
def test_moves_alone_are_no_flicker(move: str, rate: int) -> None:
    assert watched([shot(move, n, rate, 1.0) for n in range(4 * rate)], rate).steps == []


def test_fire_a_strobe_a_flash_and_a_cut_are_no_mains() -> None:
    rng = np.random.default_rng(9)
    fire = 1 + 0.1 * np.convolve(rng.normal(0, 1, 150), np.ones(3) / 3, "same")
    strobe = [1.5 if n // 5 % 2 else 1.0 for n in range(150)]
    flash = [1.8 if 60 <= n <= 62 else 1.0 for n in range(150)]
    for lights in (fire, strobe, flash):
        assert watched([shot("still", n, 25, light) for n, light in enumerate(lights)]).steps == []
    cut = [shot("still" if n < 60 else "pan", n, 25, 1.0 if n < 60 else 0.7) for n in range(120)]
    assert watched(cut).steps == []


def test_the_end_of_flicker_closes_the_episode() -> None:
    lights = [lamp(n, 25, 60, 0.08 if n < 100 else 0, bands=True) for n in range(200)]
    (episode,) = watched([shot("still", n, 25, x) for n, x in enumerate(lights)]).closed("flicker")
    assert episode.end is not None
    assert 4 * 90_000 <= episode.end <= 7 * 90_000


@pytest.mark.parametrize(
    ("rate", "beats"), [(25, [5]), (50, [20]), (24, [4]), (24_000 / 1_001, [4.096]), (30, [10])]
)
def test_a_frame_rate_has_its_beats(rate: float, beats: list[float]) -> None:
    assert beats_hz(rate) == pytest.approx(beats, abs=0.01)


def test_a_dark_picture_and_a_hole_in_the_stamps_say_nothing() -> None:
    dark = [np.full((HEIGHT, WIDTH), 16 + n % 2, np.uint8) for n in range(100)]
    assert watched(dark).values == {}
    lights = [lamp(n, 25, 60, 0.08, bands=True) for n in range(100)]
    shots = [shot("still", n, 25, light) for n, light in enumerate(lights)]
    frames = [picture(3_600 * (n + n // 20), luma) for n, luma in enumerate(shots)]
    assert run(make("flicker", video()), frames).steps == []
