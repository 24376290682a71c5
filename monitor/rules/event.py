"""The kind ``event``: a detector's episode, with its exact start and end."""

from collections.abc import Iterator
from fractions import Fraction

from config.spec import Rule
from monitor.lines import Event, OutLine
from monitor.rules.kinds import Evidence, Levels, View, Where, kind, largest
from monitor.rules.model import Place

SECOND_NS = 1_000_000_000


def span_ns(line: Event, t_ns: int, view: View) -> tuple[int, int]:
    """Return an episode's start and newest tick on the engine's axis.

    Before the stream's first reading nothing maps ticks to time; then the line's own time stands
    for its newest tick.
    """
    newest = max(line.start, line.end or line.start, line.worst_tick or line.start)
    start_ns = view.at_ns(line.source, line.stream, line.epoch, line.start)
    if start_ns is None:
        start_ns = t_ns - round((newest - line.start) * Fraction(line.time_base) * SECOND_NS)
    length_ns = round((newest - line.start) * Fraction(line.time_base) * SECOND_NS)
    return start_ns, start_ns + length_ns


def levels_of(line: Event, start_ns: int) -> Levels | None:
    """Return the level trace an episode brings, on the engine's axis."""
    if line.trace is None or line.trace_start is None:
        return None
    ahead_ns = round((line.trace_start - line.start) * Fraction(line.time_base) * SECOND_NS)
    return Levels(from_ns=start_ns + ahead_ns, levels=tuple(line.trace))


@kind("event", ("event",), largest)
def event(rule: Rule, line: OutLine, t_ns: int, view: View) -> Iterator[Evidence]:
    """Draw evidence from one step of an episode, one piece a channel, or one for them together."""
    assert isinstance(line, Event)
    if line.detector != rule.event:
        return
    from_ns, to_ns = span_ns(line, t_ns, view)
    closed = line.phase == "close"
    end = line.end if line.end is not None else line.start
    levels = levels_of(line, from_ns)
    joined = tuple(line.channels) if rule.together and len(line.channels) > 1 else ()
    channels: list[int] | list[None] = list(joined[:1]) or line.channels or [None]
    for channel in channels:
        yield Evidence(
            where=Where(source=line.source, stream=line.stream, channel=channel),
            true=True,
            from_ns=from_ns,
            to_ns=to_ns if closed else max(from_ns, to_ns),
            lasting=not closed,
            key=line.id,
            count=line.count,
            count_1s=line.count_1s,
            worst=line.worst,
            unit=line.unit,
            detail=line.detail,
            start=Place(ticks=line.start, time_base=line.time_base, epoch=line.epoch),
            end=Place(ticks=end, time_base=line.time_base, epoch=line.epoch) if closed else None,
            channels=joined,
            levels=levels,
        )
