"""What a viewer is: a detector of faults that are seen in the decoded picture, and their registry.

:mod:`monitor.measure.picture.viewing` shows every picture to all viewers, as a :class:`View` of
which each part is worked out at most once. What needs packets, arrivals or stamps alone (rates,
formats, damage on the link) is a measurement of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from capture.source import RUNGS, Rung
from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.view import View
from monitor.metrics import Value


class Viewer(Protocol):
    """One detector of decoded pictures. Results must not depend on when it is drained."""

    def __init__(self, setup: Setup) -> None:
        """Begin with no memory."""

    def see(self, view: View) -> None:
        """Take the next picture, of any size from 1×1; the view holds only until the next one."""

    def drain(self) -> Mapping[str, Value]:
        """Return the metric values since the last drain. Keys are declared metrics."""

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call, in order."""

    def reset(self) -> None:
        """Restart integrated values and maxima since reset, at the next picture."""

    def finish(self, end: int) -> None:
        """Close open episodes at the tick where the last picture ended.

        There are no more, or none for a while: pictures may follow after others were left out.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerKind:
    """A registered viewer, the detectors whose events it gives, and how often it wants to see.

    ``sparse``: it can judge pictures between which others were left out.
    """

    name: str
    make: Callable[[Setup], Viewer]
    detectors: tuple[str, ...]
    every_s: float
    sparse: bool = False


VIEWERS: Final[dict[str, ViewerKind]] = {}
DETECTORS_SEEN: Final[list[str]] = []
"""Detectors of all viewers, in order of their registration."""


def judges(kind: ViewerKind, rung: Rung) -> bool:
    """Say whether a viewer judges what is decoded at a rung; else it falls silent.

    The key frame that is decoded now and then where only packets are followed is too rare for any.
    """
    return rung == RUNGS[0] or (kind.sparse and rung != RUNGS[-1])


def detectors_at(rung: Rung) -> list[str]:
    """Return the detectors that are silent at a rung."""
    silent = (kind for kind in VIEWERS.values() if not judges(kind, rung))
    return [detector for kind in silent for detector in kind.detectors]


def viewer(
    name: str, detectors: tuple[str, ...] = (), every_s: float = 0.0, *, sparse: bool = False
) -> Callable[[type], type]:
    """Register a viewer under a name, with the detectors whose events it gives.

    ``every_s``: it is shown one picture in so many seconds of stamps; 0: all of them. ``sparse``:
    it goes on where the machine is short and pictures are left out; others fall silent then.
    """

    def register(cls: type) -> type:
        assert name not in VIEWERS, f"viewer registered twice: {name}"
        VIEWERS[name] = ViewerKind(
            name=name, make=cls, detectors=detectors, every_s=every_s, sparse=sparse
        )
        DETECTORS_SEEN.extend(detectors)
        return cls

    return register
