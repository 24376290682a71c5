"""What a scene is, and the registry: it paints clean pictures for ever, from a seed.

A scene knows nothing of noise, coders, faults or detectors. Whole scenes belong to one half, by a
hash of their name, so that no detector is tuned on what is reported.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.corpus.material import Half, half_of
from bench.pictures.paint import Canvas, Pictures

Paint = Callable[[Canvas, np.random.Generator], Pictures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One generator.

    ``grain``: the range of its sensor noise, deviation in codes of luma. ``moves``: most pictures
    differ from the one before by more than noise; ``fine``: it has sharp detail all over;
    ``lit``: ordinary light, so that over- and under-exposure mean something. ``synthetic``: a test
    pattern no camera took.
    """

    name: str
    says: str
    grain: tuple[float, float]
    moves: bool
    fine: bool
    lit: bool
    synthetic: bool
    paint: Paint

    @property
    def half(self) -> Half:
        """The half it belongs to."""
        return half_of(f"scene {self.name}")


SCENES: dict[str, Scene] = {}


def scene(
    name: str,
    *,
    says: str,
    grain: tuple[float, float] = (0.8, 2.0),
    moves: bool = True,
    fine: bool = True,
    lit: bool = True,
    synthetic: bool = False,
) -> Callable[[Paint], Paint]:
    """Register a scene; the arguments are those of ``Scene``."""

    def register(paint: Paint) -> Paint:
        assert name not in SCENES, f"scene registered twice: {name}"
        SCENES[name] = Scene(
            name=name,
            says=says,
            grain=grain,
            moves=moves,
            fine=fine,
            lit=lit,
            synthetic=synthetic,
            paint=paint,
        )
        return paint

    return register


def scenes_of(half: Half) -> list[Scene]:
    """Return one half's scenes in a fixed order."""
    return [found for _, found in sorted(SCENES.items()) if found.half == half]
