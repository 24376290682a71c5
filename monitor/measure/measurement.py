"""What a measurement is: three verbs (feed, drain, reset), and the registry of them.

A measurement is pure: it takes items and gives values and episodes; it knows no clock. Windows are
counted in samples or ticks. One is made for every stream it ``suits``; when the stream's format
changes a new one is made. Draining late *is* coalescing: whatever came since the last drain is in
the next, maxima still maxima.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol, runtime_checkable

from capture.source import Item, StreamInfo
from monitor.measure.look import PLAIN, Look
from monitor.metrics import Value

LIMIT_MAX: Final = 1e6  # 11 days in seconds: a larger limit, or infinity, is a slip of the pen


StepPhase = Literal["open", "update", "close"]
"""Where in its episode a step stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One step of a detector's episode; becomes an ``event`` line (same meaning of fields).

    ``key`` tells episodes of one detector apart and stays the same from open to close.
    """

    detector: str
    key: str
    phase: StepPhase
    start: int
    end: int | None = None
    channels: tuple[int, ...] = ()
    worst: float | None = None
    worst_tick: int | None = None
    unit: str = ""
    count: int = 1
    count_1s: int = 1
    detail: str | None = None
    place: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a measurement is made from: its stream, detector limits, and the programme's channels.

    ``programme``: indices of the channels that are the mix, or None when there is no mix.
    ``pairs``: channels declared as two sides of one thing; others may be alike by intent.
    ``baseline``: what the line-up learned, by metric; a view that may change at any time.
    ``look``: where the picture clips, and what in it is no picture.
    ``live``: as seen on a feed while it happens; False for a recorded file.
    """

    stream: StreamInfo
    limits: Mapping[str, object] = field(default_factory=dict)
    programme: tuple[int, ...] | None = None
    pairs: tuple[tuple[int, int], ...] = ()
    baseline: Mapping[str, Value] = field(default_factory=dict)
    live: bool = True
    look: Look = PLAIN
    only: frozenset[str] | None = None
    """Names of the measurements and listeners to be made; None: all."""

    def wants(self, name: str) -> bool:
        """Say whether a measurement or listener of this name is to be made."""
        return self.only is None or name in self.only

    def limit(self, name: str, default: float) -> float:
        """Return a detector limit by name, or the default where it is absent or no use.

        Of use is a number over 0, up to ``LIMIT_MAX``.
        """
        value = self.limits.get(name, default)
        return (
            float(value) if isinstance(value, int | float) and 0 < value <= LIMIT_MAX else default
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Values of a part of the interval that is drained, from tick ``start`` to ``end``."""

    start: int
    end: int
    values: Mapping[str, Value]


@runtime_checkable
class InPieces(Protocol):
    """A measurement that resolves some metrics of a file more finely than it is drained."""

    def pieces(self) -> list[Piece]:
        """Return the pieces since the last drain, in order; ``drain`` has not got their metrics."""


@runtime_checkable
class Integrates(Protocol):
    """A measurement, or listener, whose integrated values can be paused and continued.

    EBU Tech 3341: start, pause and continue I and LRA together, and reset them in
    either state. Faults are never paused.
    """

    def integrate(self, *, on: bool) -> None:
        """Pause or continue integrated values and maxima since reset, at the next sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Levels in equal steps from tick ``start`` on, dBFS; unknown is None."""

    start: int
    levels: tuple[float | None, ...]


@runtime_checkable
class Traced(Protocol):
    """A measurement that keeps the course of the last seconds, as evidence for any detector's."""

    def trace(self, channels: Sequence[int], start: int, end: int | None) -> Trace:
        """Return the course around the ticks of an episode; ``end`` None: it lasts."""


class Measurement(Protocol):
    """One measurement of one stream."""

    def feed(self, item: Item) -> None:
        """Take the next block, packet, frame or loss of the stream, in order."""

    def drain(self) -> Mapping[str, Value]:
        """Return the metric values since the last drain. Keys are declared metrics."""

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call, in order."""

    def reset(self) -> None:
        """Restart integrated values and maxima since reset, at the next sample."""

    def finish(self) -> None:
        """Close open episodes and fill last windows: the stream has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementKind:
    """A registered measurement: the streams it suits and how to make one."""

    name: str
    suits: Callable[[StreamInfo], bool]
    make: Callable[[Setup], Measurement]
    detectors: Sequence[str]


MEASUREMENTS: dict[str, MeasurementKind] = {}


def measure(
    name: str, suits: Callable[[StreamInfo], bool], detectors: Sequence[str] = ()
) -> Callable[[type], type]:
    """Register a measurement class under a name, with the detectors whose events it gives."""

    def register(cls: type) -> type:
        assert name not in MEASUREMENTS, f"measurement registered twice: {name}"
        MEASUREMENTS[name] = MeasurementKind(name=name, suits=suits, make=cls, detectors=detectors)
        return cls

    return register


def is_audio(stream: StreamInfo) -> bool:
    """Say whether the stream is sound."""
    return stream.kind == "audio"


def is_video(stream: StreamInfo) -> bool:
    """Say whether the stream is picture."""
    return stream.kind == "video"
