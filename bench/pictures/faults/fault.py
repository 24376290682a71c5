"""What a picture fault is: it spoils a clean shot and says exactly where. And the registry.

``inject(shot, random)`` adds layers to the shot, or changes its stamps, coder or link, and labels
each spoilt stretch; a layer may label as its pictures pass. It knows nothing of the detectors'
code: only their names stand beside it, and the aim that the project set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bench.pictures.coders import Coder
from bench.pictures.paint import Layer, Picture, Pictures
from bench.pictures.scenes.scene import Scene
from bench.pictures.shots import Shot, Wanted

FIRST_S = 3.0  # a shot is left alone until it has been seen
LAST_S = 1.0  # and at its end
Stage = Literal["feed", "delivery"]
Inject = Callable[[Shot, np.random.Generator], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A kind of fault: how it is injected, which events find it, and what is aimed at.

    ``detectors``: names of the events that are meant to tell it; those of ``also`` count as finding
    it too. ``metric``: a metric that should tell spoilt from clean stretches by itself, more in
    spoilt ones unless ``less``; its aim is ``auc``. ``within_s``: told later than this after the
    label's start is too late; with ``from_end``, after its end. ``by_frame``: what counts is each
    picture inside or outside an episode. ``recall``, ``precision`` and ``false_per_h`` are the
    other aims; None where none was set. ``stage``: a feed as it happens, or a file to be delivered.
    """

    name: str
    says: str
    detectors: tuple[str, ...]
    also: tuple[str, ...]
    metric: str | None
    less: bool
    recall: float | None
    precision: float | None
    auc: float | None
    false_per_h: float | None
    within_s: float
    from_end: bool
    by_frame: bool
    stage: Stage
    wanted: Wanted
    inject: Inject


FAULTS: dict[str, Fault] = {}


def fault(
    name: str,
    *,
    says: str,
    detectors: Sequence[str],
    also: Sequence[str] = (),
    metric: str | None = None,
    less: bool = False,
    recall: float | None = None,
    precision: float | None = None,
    auc: float | None = None,
    false_per_h: float | None = None,
    within_s: float = 1.0,
    from_end: bool = False,
    by_frame: bool = False,
    stage: Stage = "feed",
    wanted: Wanted | None = None,
) -> Callable[[Inject], Inject]:
    """Register an injection; the arguments are those of ``Fault``."""

    def register(inject: Inject) -> Inject:
        assert name not in FAULTS, f"fault registered twice: {name}"
        FAULTS[name] = Fault(
            name=name,
            says=says,
            detectors=tuple(detectors),
            also=tuple(also),
            metric=metric,
            less=less,
            recall=recall,
            precision=precision,
            auc=auc,
            false_per_h=false_per_h,
            within_s=within_s,
            from_end=from_end,
            by_frame=by_frame,
            stage=stage,
            wanted=wanted or Wanted(),
            inject=inject,
        )
        return inject

    return register


def spots(
    shot: Shot, random: np.random.Generator, length_s: tuple[float, float], *, apart_s: float = 3.0
) -> list[tuple[int, int]]:
    """Return stretches of pictures of a random length, ``apart_s`` or more between them."""
    found: list[tuple[int, int]] = []
    rate = float(shot.rate)
    at = (FIRST_S + random.uniform(0, 1)) * rate
    while True:
        low, high = length_s
        frames = max(1, round(low * (high / low) ** random.random() * rate))
        if at + frames > shot.frames - LAST_S * rate:
            return found
        found.append((round(at), round(at) + frames))
        at += frames + apart_s * rate * random.uniform(1, 1.5)


def to_the_end(shot: Shot, random: np.random.Generator) -> tuple[int, int]:
    """Return a stretch from some picture in the first half on to the end."""
    rate = float(shot.rate)
    latest = max(FIRST_S * rate, shot.frames / 2)
    return round(random.uniform(FIRST_S * rate, latest)), shot.frames


def during(
    stretches: Sequence[tuple[int, int]], change: Callable[[Picture, int, int], Picture]
) -> Layer:
    """Return a layer that changes pictures inside stretches.

    ``change`` gets the picture, its number and the number of the stretch's first picture.
    """

    def layer(pictures: Pictures) -> Pictures:
        for n, picture in enumerate(pictures):
            start = next((a for a, b in stretches if a <= n < b), None)
            yield picture if start is None else change(picture, n, start)

    return layer


def eased(n: int, start: int, over: float) -> float:
    """Return how far what begins at ``start`` and takes ``over`` pictures has come, 0 to 1."""
    return float(min(1.0, (n - start + 1) / max(over, 1)))


def camera(scene: Scene) -> bool:
    """Say whether a camera took it."""
    return not scene.synthetic


def lit(scene: Scene) -> bool:
    """Say whether a camera took it in ordinary light."""
    return camera(scene) and scene.lit


def fine(scene: Scene) -> bool:
    """Say whether it is full of sharp detail, taken in ordinary light."""
    return lit(scene) and scene.fine


def moving(scene: Scene) -> bool:
    """Say whether it moves."""
    return scene.moves


def gentle(coder: Coder) -> bool:
    """Say whether noise survives the coder."""
    return coder.gentle


def follows(coder: Coder) -> bool:
    """Say whether another coder can follow in mid-stream."""
    return coder.codec == "mjpeg" or (coder.codec is not None and coder.container == "mpegts")
