"""Where a take's microphones hang and what they are like: booms, lavaliers, stereo pairs."""

from dataclasses import dataclass

import numpy as np

from bench.corpus import rooms
from bench.corpus.material import Samples

NOBODY = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Microphone:
    """Where a microphone hangs, its colour, and ``tail``, the noise its late field is made of.

    ``leads``: the first of a stereo pair. ``apart_m``: how far the second hangs from it, else None.
    """

    place: rooms.Point
    low_cut_hz: float
    high_cut_hz: float
    tail: Samples
    side: float = 1.0
    leads: bool = False
    apart_m: float | None = None


def somewhere(generator: np.random.Generator, place: rooms.Room) -> rooms.Point:
    """Return a point where somebody may stand."""
    low, high = place.size_m * 0.15, place.size_m * 0.85
    point: rooms.Point = generator.uniform(low, high)
    point[2] = generator.uniform(1.2, 1.8)
    return point


def microphone(
    generator: np.random.Generator,
    room: rooms.Room,
    speakers: list[rooms.Point],
    role: str,
    worn: int,
) -> Microphone:
    """Return a lavalier on speaker ``worn``, a boom over all speakers, or one put down anywhere."""
    tail = generator.standard_normal(rooms.LENGTH, np.float32)
    if role == "lav" and worn < len(speakers):
        place = speakers[worn] + np.array([0.12, 0.0, -0.2])
        top_hz = generator.uniform(6000, 12000)
    elif role == "boom":
        middle = np.mean(speakers, axis=0)
        place = middle + np.array([*generator.normal(0, 0.3, 2), generator.uniform(0.5, 0.9)])
        top_hz = 18000.0
    else:
        place, top_hz = somewhere(generator, room), generator.uniform(9000, 20000)
    return Microphone(
        place=room.inside(place),
        low_cut_hz=float(generator.choice([20, 40, 80, 80])),
        high_cut_hz=float(top_hz),
        tail=tail,
    )


def stereo(generator: np.random.Generator, room: rooms.Room) -> tuple[str, dict[str, Microphone]]:
    """Return a declared pair: coincident, or spaced 0.2 to 2 m; their late fields are one field."""
    first = microphone(generator, room, [], "stereo", NOBODY)
    coincident = generator.random() < 0.5
    apart_m, side, place = 0.0, 1.0, first.place
    if coincident:
        other = generator.standard_normal(rooms.LENGTH, np.float32)
        side = float(generator.uniform(0.6, 1.4))
    else:
        apart_m = float(generator.uniform(0.2, 2.0))
        other = generator.standard_normal(rooms.LENGTH, np.float32)
        apart = np.array([apart_m, 0.0, 0.0])
        place = room.inside(first.place + apart) - apart  # both within the walls
    left = Microphone(
        place=place,
        low_cut_hz=first.low_cut_hz,
        high_cut_hz=first.high_cut_hz,
        tail=first.tail,
        leads=True,
    )
    right = Microphone(
        place=place + np.array([apart_m, 0.0, 0.0]),
        low_cut_hz=first.low_cut_hz,
        high_cut_hz=first.high_cut_hz,
        tail=rooms.diffuse(first.tail, other, apart_m),
        side=side,
        apart_m=apart_m,
    )
    kind = "coincident" if coincident else "spaced"
    return kind, {"stereo left": left, "stereo right": right}
