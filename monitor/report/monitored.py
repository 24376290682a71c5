"""What was monitored of a shooting day, and what was not. Pure; spans are UTC nanoseconds."""

from collections.abc import Mapping, Sequence

from monitor.report.day_records import NS, DayRecords, Span
from monitor.report.document import Hole, IntegratedSince


def _live(day: DayRecords, source: str) -> list[Span]:
    """Return when a source was live.

    A source whose first record of the day says that it went away had been live until then.
    """
    states = day.states.get(source, [])
    spans: list[Span] = []
    since: int | None = None
    if states and states[0][1] in ("stalled", "lost", "ended"):
        since = 0
    for utc_ns, state, _ in states:
        if state == "live":
            since = utc_ns if since is None else since
        elif since is not None:
            spans.append((since, utc_ns))
            since = None
    if since is not None:
        spans.append((since, day.header.generated_utc_ns))
    return spans


def seen(day: DayRecords, source: str) -> list[Span]:
    """Return when a source was live and the service itself was there."""
    return _without(_live(day, source), [span for span, _ in day.blackouts])


def _without(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    for hole in holes:
        spans = [
            piece
            for start, end in spans
            for piece in ((start, min(end, hole[0])), (max(start, hole[1]), end))
            if piece[0] < piece[1]
        ]
    return list(spans)


def overlap(one: Span, other: Span) -> bool:
    """Say whether two spans share any time."""
    return one[0] < other[1] and other[0] < one[1]


def holes_in(
    day: DayRecords, spans: Mapping[str, Span], members: Mapping[str, Sequence[str]], roll: int
) -> list[Hole]:
    """Return the holes in a take: no source, a source away, the service away."""
    holes: dict[tuple[str | None, Span], Hole] = {}
    for group, span in spans.items():
        if not members[group]:
            why = f"no source belongs to {group}"
            holes[(group, span)] = _hole(day, None, group, span, why, roll)
        for source in members[group]:
            for missing in _without([span], _live(day, source)):
                why = _why(day, source, missing[0])
                key = (source, missing)
                holes[key] = _hole(day, source, day.name(source), missing, why, roll)
    for away, reason in day.blackouts:
        if any(overlap(away, span) for span in spans.values()):
            holes[(None, away)] = blackout(day, away, reason, roll)
    return sorted(holes.values(), key=lambda hole: hole.start.utc_ns)


def _hole(
    day: DayRecords, source: str | None, name: str, span: Span, reason: str, roll: int | None
) -> Hole:
    return Hole(
        source=source,
        source_name=name,
        start=day.moment(span[0], roll),
        end=None if span[1] >= day.header.generated_utc_ns else day.moment(span[1], roll),
        length_s=round((span[1] - span[0]) / NS, 3),
        reason=reason,
    )


def blackout(day: DayRecords, span: Span, reason: str, roll: int | None) -> Hole:
    """Return a time in which the service itself was away."""
    return _hole(day, None, "everything", span, reason, roll)


def _why(day: DayRecords, source: str, utc_ns: int) -> str:
    """Return why a source was away at a time: its state then, with the reason it gave."""
    past = [state for state in day.states.get(source, []) if state[0] <= utc_ns]
    if not past:
        return "never live"
    _, state, why = past[-1]
    return f"{state}: {why}" if why else state


def restarts(
    day: DayRecords, spans: Mapping[str, Span], members: Mapping[str, Sequence[str]], roll: int
) -> list[IntegratedSince]:
    """Return the sources that came back in a take: their integrated values begin there."""
    found = {
        source: max(starts)
        for group, (rolled, cut) in spans.items()
        for source in members[group]
        if (starts := [start for start, _ in seen(day, source) if rolled < start < cut])
    }
    return [
        IntegratedSince(source=key, source_name=day.name(key), since=day.moment(since, roll))
        for key, since in found.items()
    ]
