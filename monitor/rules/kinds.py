"""How a rule judges: the registry of kinds, and the evidence a kind draws from a line.

A kind is one file. It turns a line into :class:`Evidence`: over this interval, at this place, the
condition was true, false or unknown. What follows from that (delays, latches, severity) is the
same for all kinds and lives in ``episode.py``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from config.spec import Limit, Rule
from monitor.lines import OutLine
from monitor.rules.model import Place

Worst = float | list[float] | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A place: source, stream and channel, both from 0; None is the whole source or stream."""

    source: str
    stream: int | None = None
    channel: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A channel's peaks in steps of ``LEVEL_STEP_S`` from ``from_ns`` on, dBFS; unknown is None."""

    from_ns: int
    levels: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one line says about one condition at one place, from ``from_ns`` to ``to_ns``.

    ``true``: None is unknown. ``key`` tells overlapping episodes of a detector apart. ``lasting``:
    it stays so until told otherwise (an open event, a state), else it holds for the interval only.
    ``channels``: all that it is about, where they are more than the place's own.
    """

    where: Where
    true: bool | None
    from_ns: int
    to_ns: int
    lasting: bool = False
    key: str | None = None
    count: int = 1
    count_1s: int = 1
    worst: Worst = None
    unit: str = ""
    detail: str | None = None
    start: Place | None = None
    end: Place | None = None
    levels: Levels | None = None
    channels: tuple[int, ...] = ()


class View(Protocol):
    """What a kind may ask of the engine."""

    live: bool

    def at_ns(self, source: str, stream: int, epoch: int, ticks: int) -> int | None:
        """Return the engine-axis time of a media place, or None where it is not known yet."""

    def place(self, source: str, stream: int, epoch: int, ticks: int) -> Place | None:
        """Return a media place with its stream's time base, or None before its ``hello``."""

    def followed(self, rule: Rule, where: Where) -> bool:
        """Say whether the condition is being followed at this place."""

    def holds(self, rule: Rule, where: Where) -> bool:
        """Say whether the condition is true at this place now."""


Draw = Callable[[Rule, OutLine, int, View], Iterable[Evidence]]
Worse = Callable[[Limit | None, Worst, Worst], Worst]


def newest(limit: Limit | None, old: Worst, new: Worst) -> Worst:
    """Return the newer of two values, where none is worse than another."""
    return old if new is None else new


def largest(limit: Limit | None, old: Worst, new: Worst) -> Worst:
    """Return the larger of two numbers; a known one before an unknown."""
    if isinstance(old, int | float) and isinstance(new, int | float):
        return max(old, new)
    return newest(limit, old, new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A registered kind: the lines it reads, how it draws evidence, which value is the worse."""

    name: str
    lines: tuple[str, ...]
    draw: Draw
    worse: Worse
    needs_limit: bool = False


KINDS: dict[str, Kind] = {}


def kind(
    name: str, lines: tuple[str, ...], worse: Worse = newest, needs_limit: bool = False
) -> Callable[[Draw], Draw]:
    """Register a function as a kind of rule."""

    def register(draw: Draw) -> Draw:
        assert name not in KINDS, f"kind of rule registered twice: {name}"
        KINDS[name] = Kind(name=name, lines=lines, draw=draw, worse=worse, needs_limit=needs_limit)
        return draw

    return register
