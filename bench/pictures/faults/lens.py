"""The lens and the sensor: focus lost, hot and dead pixels."""

import numpy as np

from bench.pictures.faults.fault import during, eased, fault, fine, gentle, to_the_end
from bench.pictures.paint import Picture
from bench.pictures.scenes.camera import blurred
from bench.pictures.scenes.scene import Scene
from bench.pictures.shots import Shot, Wanted

FOCUS_PX = (2.5, 6.0)  # deviation of the blur in pixels of 1080 lines
STEPS = 10  # different blurs on the way: a blur of a picture is what takes the time


def _steady(scene: Scene) -> bool:
    """Say whether sharpness means the same from picture to picture."""
    return fine(scene) and scene.name not in ("rack focus", "whip pans")


@fault(
    "focus lost",
    says="a blur of 2.5 to 6 px (1080 lines) comes in 0.3 to 1.5 s and stays; noise stays sharp",
    detectors=["focus_lost"],
    metric="sharpness",
    less=True,
    recall=0.9,
    false_per_h=2.0,
    within_s=5.0,
    wanted=Wanted(scenes=_steady, heights=(1080,)),
)
def focus_lost(shot: Shot, random: np.random.Generator) -> None:
    """Defocus."""
    start, end = to_the_end(shot, random)
    sigma = float(random.uniform(*FOCUS_PX))
    over = float(random.uniform(0.3, 1.5)) * float(shot.rate)

    def change(picture: Picture, n: int, first: int) -> Picture:
        share = np.ceil(eased(n, first, over) * STEPS) / STEPS
        return blurred(picture, max(0.2, sigma * share * shot.canvas.scale))

    shot.optics.append(during([(start, end)], change))
    shot.label("focus lost", start, end, sigma)


def _pixels(name: str, shot: Shot, random: np.random.Generator, codes: tuple[int, int]) -> None:
    """Set a few pixels by themselves all along."""
    number = int(random.integers(1, 9))
    rows = random.integers(20, shot.canvas.height - 20, number)
    columns = random.integers(20, shot.canvas.width - 20, number)
    values = random.integers(*codes, number)
    start, end = to_the_end(shot, random)

    def change(picture: Picture, _n: int, _first: int) -> Picture:
        y = picture.y.copy()
        y[rows, columns] = values
        return Picture(y, picture.u, picture.v)

    shot.signal.append(during([(start, end)], change))
    shot.label(name, start, end, number)


_SENSOR = Wanted(
    scenes=lambda scene: not scene.synthetic, coders=gentle, heights=(1080,), seconds=14.0
)


@fault(
    "hot pixels",
    says="1 to 8 pixels that shine at codes 200 to 235 from some picture on",
    detectors=["hot_pixels"],
    recall=0.9,
    within_s=8.0,
    wanted=_SENSOR,
)
def hot_pixels(shot: Shot, random: np.random.Generator) -> None:
    """Let pixels shine."""
    _pixels("hot pixels", shot, random, (200, 236))


@fault(
    "dead pixels",
    says="1 to 8 pixels that stay black (16 to 20) from some picture on",
    detectors=["hot_pixels"],
    also=["dead_pixels"],
    recall=0.9,
    within_s=8.0,
    wanted=Wanted(scenes=fine, coders=gentle, heights=(1080,), seconds=14.0),
)
def dead_pixels(shot: Shot, random: np.random.Generator) -> None:
    """Let pixels die."""
    _pixels("dead pixels", shot, random, (16, 21))
