"""What a viewer is: a detector of faults that are seen in the decoded picture, and their registry.

:mod:`monitor.measure.picture.viewing` shows every picture to all viewers, as a :class:`View` of
which each part is worked out at most once. What needs packets, arrivals or stamps alone (rates,
formats, damage on the link) is a measurement of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

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
        """Close open episodes at the tick where the last picture ended: there are no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewerKind:
    """A registered viewer, the detectors whose events it gives, and how often it wants to see."""

    name: str
    make: Callable[[Setup], Viewer]
    detectors: tuple[str, ...]
    every_s: float


VIEWERS: Final[dict[str, ViewerKind]] = {}
DETECTORS_SEEN: Final[list[str]] = []
"""Detectors of all viewers, in order of their registration."""


def viewer(
    name: str, detectors: tuple[str, ...] = (), every_s: float = 0.0
) -> Callable[[type], type]:
    """Register a viewer under a name, with the detectors whose events it gives.

    ``every_s``: it is shown one picture in so many seconds of stamps; 0: all of them.
    """

    def register(cls: type) -> type:
        assert name not in VIEWERS, f"viewer registered twice: {name}"
        VIEWERS[name] = ViewerKind(name=name, make=cls, detectors=detectors, every_s=every_s)
        DETECTORS_SEEN.extend(detectors)
        return cls

    return register
