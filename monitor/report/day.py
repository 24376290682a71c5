"""From a shooting day's journal records to its document. Pure: every time is in the arguments.

All comparing is done in UTC nanoseconds: the engine's axis begins anew at every boot, and each
record carries both clocks, so that what it tells in engine time can be moved to UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from monitor.records import (
    AlertBody,
    GapBody,
    GapRecord,
    LineUpBody,
    NoticeBody,
    Record,
    SourceBody,
    Take,
    TakeBody,
)
from monitor.report.document import (
    Acknowledged,
    DayAlert,
    DayDocument,
    Hole,
    IntegratedSince,
    LineUpChannel,
    LineUpRow,
    Loss,
    Moment,
    TakePart,
    TakeRow,
    TakeVerdict,
    Totals,
)
from monitor.rules.model import RANK, Alert

SERVICE = "service"
"""Source name of gaps the service itself saw: nothing at all was monitored."""
NS = 1_000_000_000
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceName:
    """What a report must know of a source: what it is called and which group it belongs to."""

    name: str
    group: str | None = None
    practice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What stands above a day's report and is not in its records."""

    production: str
    unit: str
    day: str
    spec: str | None
    generated_utc_ns: int
    software: str
    zone: tzinfo = UTC


@dataclass(slots=True, kw_only=True)
class _Day:
    """The day's records sorted by what they tell."""

    header: Header
    names: Mapping[str, SourceName]
    takes: dict[str, Take] = field(default_factory=dict)
    alerts: dict[str, tuple[Alert, int]] = field(default_factory=dict)
    muted_by: dict[str, str] = field(default_factory=dict)
    """Who marked the channel of an alert as muted."""
    """Alert as it last stood, and what to add to its times for UTC."""
    shown: set[str] = field(default_factory=set)
    """Alerts that were active and not suppressed at some time."""
    losses: list[tuple[GapRecord, int]] = field(default_factory=list)
    blackouts: list[tuple[Span, str]] = field(default_factory=list)
    states: dict[str, list[tuple[int, str, str | None]]] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    line_up: dict[str, LineUpRow] = field(default_factory=dict)

    def name(self, source: str) -> str:
        """Return what people call a source."""
        known = self.names.get(source)
        return known.name if known else source

    def moment(
        self, utc_ns: int, roll_utc_ns: int | None = None, code: str | None = None
    ) -> Moment:
        """Return a point of the day as the report tells it."""
        position = None if roll_utc_ns is None else round((utc_ns - roll_utc_ns) / NS, 3)
        wall = wall_clock(utc_ns, self.header.zone)
        return Moment(utc_ns=utc_ns, wall=wall, position_s=position, timecode=code)


def wall_clock(utc_ns: int, zone: tzinfo) -> str:
    """Return UTC nanoseconds as the wall clock of a zone, ISO 8601 with milliseconds."""
    seconds, rest = divmod(utc_ns, NS)
    whole = datetime.fromtimestamp(seconds, zone)
    return whole.replace(microsecond=rest // 1000).isoformat(timespec="milliseconds")


def day_document(
    records: Iterable[Record],
    header: Header,
    *,
    sources: Mapping[str, SourceName],
    coarser: Mapping[str, int] | None = None,
) -> DayDocument:
    """Return the document of a shooting day from its records, oldest first.

    ``sources``: by id; practice sources are left out of everything. Sources the records name but
    ``sources`` does not are taken to belong to every part of a take. ``coarser``: readings that
    were merged into later ones, by source id.
    """
    day = _sorted(records, header, sources)
    rows = [_take_row(day, take) for take in _in_order(day.takes.values())]
    covered = {alert.id for row in rows for alert in row.alerts}
    told = {loss for row in rows for loss in _keys(row.losses)}
    losses = [_loss(day, gap, utc) for gap, utc in day.losses]
    between = [
        _day_alert(day, alert, shift, None)
        for alert, shift in _visible(day)
        if alert.id not in covered
    ]
    return DayDocument(
        production=header.production,
        unit=header.unit,
        day=header.day,
        spec=header.spec,
        generated=wall_clock(header.generated_utc_ns, header.zone),
        software=header.software,
        time_zone=str(header.zone),
        sources=[day.name(source) for source in _source_ids(day)],
        circled_with_faults=[row.id for row in rows if row.circled and _faulty(row)],
        circled_not_monitored=[row.id for row in rows if row.circled and not row.complete],
        takes=rows,
        between_takes=sorted(between, key=lambda alert: alert.start.utc_ns),
        holes=[_blackout(day, span, why, None) for span, why in day.blackouts],
        losses=[loss for loss in losses if _key(loss) not in told],
        notices=day.notices,
        line_up=list(day.line_up.values()),
        totals=_totals(day, rows, coarser or {}),
    )


def _sorted(records: Iterable[Record], header: Header, sources: Mapping[str, SourceName]) -> _Day:
    day = _Day(header=header, names=sources)
    practice = {key for key, source in sources.items() if source.practice}
    for record in records:
        _take_in(day, record, practice)
    return day


def _take_in(day: _Day, record: Record, practice: set[str]) -> None:
    body, shift = record.body, record.utc_ns - record.t_ns
    match body:
        case TakeBody():
            day.takes[body.take.id] = body.take
        case AlertBody() if body.alert.source not in practice:
            if body.what == "muted" and record.who is not None:
                day.muted_by[body.alert.id] = record.who
            day.alerts[body.alert.id] = (_seen_as(day, body.alert), shift)
            if body.alert.active_ns is not None and body.alert.suppressed_by is None:
                day.shown.add(body.alert.id)
        case GapBody() if body.gap.source not in practice:
            _take_in_gap(day, body.gap, body.gap.t_ns + shift)
        case SourceBody() if body.source.source not in practice:
            state = (body.source.t_ns + shift, body.source.state, body.source.why)
            day.states.setdefault(body.source.source, []).append(state)
        case LineUpBody() if body.source not in practice:
            day.line_up[body.source] = _line_up(day, record, body)
        case NoticeBody():
            day.notices.append(f"{wall_clock(record.utc_ns, day.header.zone)[11:19]} {body.text}")
        case _:
            pass


def _seen_as(day: _Day, alert: Alert) -> Alert:
    """Return an alert as the report tells it: silence on purpose is a NOTE, and says so."""
    if alert.muted_ns is None:
        return alert
    by = day.muted_by.get(alert.id)
    message = f"{alert.message}; marked as muted{f' by {by}' if by else ''}"
    return alert.model_copy(update={"severity": "NOTE", "message": message})


def _line_up(day: _Day, record: Record, body: LineUpBody) -> LineUpRow:
    return LineUpRow(
        source=body.source,
        source_name=body.source_name,
        learned=day.moment(record.utc_ns),
        who=record.who,
        channels=[LineUpChannel(**dict(channel)) for channel in body.channels],
    )


def _take_in_gap(day: _Day, gap: GapRecord, utc_ns: int) -> None:
    if gap.source == SERVICE and gap.unit == "s":
        day.blackouts.append(((utc_ns - int(gap.amount * NS), utc_ns), gap.reason))
    else:
        day.losses.append((gap, utc_ns))


def _in_order(takes: Iterable[Take]) -> list[Take]:
    kept = [take for take in takes if not take.deleted and take.parts]
    return sorted(kept, key=lambda take: min(part.roll_utc_ns for part in take.parts))


def _source_ids(day: _Day) -> list[str]:
    named = [key for key, source in day.names.items() if not source.practice]
    return named + [key for key in day.states if key not in day.names and key != SERVICE]


def _visible(day: _Day) -> list[tuple[Alert, int]]:
    return [(alert, shift) for alert, shift in day.alerts.values() if alert.id in day.shown]


# ---- one take


def _take_row(day: _Day, take: Take) -> TakeRow:
    roll = min(part.roll_utc_ns for part in take.parts)
    spans = _part_spans(day, take)
    members = {group: _members(day, group) for group in spans}
    alerts = [
        _day_alert(day, alert, shift, roll)
        for alert, shift in _visible(day)
        if alert.take == take.id or _falls(day, alert.source, _lasted(day, alert, shift), spans)
    ]
    holes = _holes(day, spans, members, roll)
    seen = any(
        _overlap(live, span)
        for group, span in spans.items()
        for source in members[group]
        for live in _seen(day, source)
    )
    cut = None if take.rolling else max(end for _, end in spans.values())
    return TakeRow(
        id=take.id,
        scene=take.scene,
        slate=take.slate,
        take=take.take,
        notes=take.notes,
        circled=take.circled,
        false_start=take.false_start,
        verdict=_verdict(alerts, seen),
        complete=seen and not holes,
        start=day.moment(roll),
        length_s=None if cut is None else round((cut - roll) / NS, 3),
        parts=_parts(day, take, roll),
        alerts=sorted(alerts, key=lambda alert: (-RANK[alert.severity], alert.start.utc_ns)),
        holes=holes,
        losses=[
            _loss(day, gap, utc, roll)
            for gap, utc in day.losses
            if _falls(day, gap.source, (utc, utc + 1), spans)
        ],
        integrated_since=_restarts(day, spans, members, roll),
        loudness=_loudness(day, take),
    )


def _part_spans(day: _Day, take: Take) -> dict[str, Span]:
    now = day.header.generated_utc_ns
    return {
        part.group: (part.roll_utc_ns, now if part.cut_utc_ns is None else part.cut_utc_ns)
        for part in take.parts
    }


def _parts(day: _Day, take: Take, roll: int) -> list[TakePart]:
    return [
        TakePart(
            group=part.group,
            roll=day.moment(part.roll_utc_ns, roll),
            cut=None if part.cut_utc_ns is None else day.moment(part.cut_utc_ns, roll),
        )
        for part in take.parts
    ]


def _members(day: _Day, group: str) -> list[str]:
    return [source for source in _source_ids(day) if _group(day, source) in (group, None)]


def _group(day: _Day, source: str) -> str | None:
    known = day.names.get(source)
    return known.group if known else None


def _falls(day: _Day, source: str, span: Span, spans: Mapping[str, Span]) -> bool:
    """Say whether something of a source lies in the take's part that source belongs to."""
    group = _group(day, source)
    return any(_overlap(span, part) for of, part in spans.items() if group in (of, None))


def _lasted(day: _Day, alert: Alert, shift: int) -> Span:
    end = alert.end_ns if alert.end_ns is not None else alert.cleared_ns
    start = alert.onset_ns + shift
    if end is None:
        return (start, max(start + 1, day.header.generated_utc_ns))
    return (start, max(start + 1, end + shift))


def _verdict(alerts: Sequence[DayAlert], seen: bool) -> TakeVerdict:
    """Return the take's word. What nobody saw is never said to be good."""
    if not seen:
        return "NOT MONITORED"
    severities = {alert.severity for alert in alerts}
    return "FAULT" if "FAULT" in severities else "CHECK" if "CHECK" in severities else "OK"


def _faulty(row: TakeRow) -> bool:
    return row.verdict in ("CHECK", "FAULT")


def _loudness(day: _Day, take: Take) -> dict[str, dict[str, float | None]]:
    by_source: dict[str, dict[str, float | None]] = {}
    for key, value in take.loudness.items():
        source, _, metric = key.partition("/")
        if not (source in day.names and day.names[source].practice):
            by_source.setdefault(day.name(source), {})[metric] = value
    return by_source


# ---- what was monitored


def _live(day: _Day, source: str) -> list[Span]:
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


def _seen(day: _Day, source: str) -> list[Span]:
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


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _holes(
    day: _Day, spans: Mapping[str, Span], members: Mapping[str, Sequence[str]], roll: int
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
    for blackout, reason in day.blackouts:
        if any(_overlap(blackout, span) for span in spans.values()):
            holes[(None, blackout)] = _blackout(day, blackout, reason, roll)
    return sorted(holes.values(), key=lambda hole: hole.start.utc_ns)


def _hole(
    day: _Day, source: str | None, name: str, span: Span, reason: str, roll: int | None
) -> Hole:
    return Hole(
        source=source,
        source_name=name,
        start=day.moment(span[0], roll),
        end=None if span[1] >= day.header.generated_utc_ns else day.moment(span[1], roll),
        length_s=round((span[1] - span[0]) / NS, 3),
        reason=reason,
    )


def _blackout(day: _Day, span: Span, reason: str, roll: int | None) -> Hole:
    return _hole(day, None, "everything", span, reason, roll)


def _why(day: _Day, source: str, utc_ns: int) -> str:
    """Return why a source was away at a time: its state then, with the reason it gave."""
    past = [state for state in day.states.get(source, []) if state[0] <= utc_ns]
    if not past:
        return "never live"
    _, state, why = past[-1]
    return f"{state}: {why}" if why else state


def _restarts(
    day: _Day, spans: Mapping[str, Span], members: Mapping[str, Sequence[str]], roll: int
) -> list[IntegratedSince]:
    found = {
        source: max(starts)
        for group, (rolled, cut) in spans.items()
        for source in members[group]
        if (starts := [start for start, _ in _seen(day, source) if rolled < start < cut])
    }
    return [
        IntegratedSince(source=key, source_name=day.name(key), since=day.moment(since, roll))
        for key, since in found.items()
    ]


# ---- rows


def _day_alert(day: _Day, alert: Alert, shift: int, roll: int | None) -> DayAlert:
    end = alert.end_ns if alert.end_ns is not None else alert.cleared_ns
    took_note = alert.acknowledged
    return DayAlert(
        id=alert.id,
        group=alert.group,
        rule=alert.rule,
        severity=alert.severity,
        source=alert.source,
        source_name=alert.source_name,
        stream=alert.stream,
        channel=alert.channel,
        channel_name=alert.channel_name,
        start=day.moment(alert.onset_ns + shift, roll, alert.timecode),
        length_s=None if end is None else round((end - alert.onset_ns) / NS, 3),
        active=alert.condition == "active",
        worst=alert.worst,
        limit=alert.limit,
        unit=alert.unit,
        count=alert.count,
        message=alert.message,
        acknowledged=None
        if took_note is None
        else Acknowledged(who=took_note.who, wall=wall_clock(took_note.utc_ns, day.header.zone)),
        trace=alert.trace,
    )


def _loss(day: _Day, gap: GapRecord, utc_ns: int, roll: int | None = None) -> Loss:
    return Loss(
        source=gap.source,
        source_name=day.name(gap.source),
        at=day.moment(utc_ns, roll),
        amount=gap.amount,
        unit=gap.unit,
        reason=gap.reason,
    )


def _key(loss: Loss) -> tuple[str, int, float, str]:
    return (loss.source, loss.at.utc_ns, loss.amount, loss.reason)


def _keys(losses: Iterable[Loss]) -> list[tuple[str, int, float, str]]:
    return [_key(loss) for loss in losses]


def _totals(day: _Day, rows: Sequence[TakeRow], coarser: Mapping[str, int]) -> Totals:
    alerts = {alert.id: alert.severity for alert, _ in _visible(day)}
    return Totals(
        takes=len(rows),
        circled=sum(row.circled for row in rows),
        circled_with_faults=sum(row.circled and _faulty(row) for row in rows),
        verdicts=_counts(row.verdict for row in rows),
        severities=_counts(alerts.values()),
        rolled_s=round(sum(row.length_s or 0.0 for row in rows), 3),
        not_monitored_s=round(sum(_missing_s(row) for row in rows), 3),
        losses=len(day.losses),
        deleted_takes=sum(take.deleted for take in day.takes.values()),
        coarser={day.name(source): count for source, count in coarser.items() if count},
    )


def _counts(words: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts


def _missing_s(row: TakeRow) -> float:
    """Return the seconds of a take in which at least one of its sources was not monitored."""
    total, reached = 0, row.start.utc_ns
    for hole in row.holes:
        end = hole.start.utc_ns + int((hole.length_s or 0.0) * NS)
        total += max(0, end - max(reached, hole.start.utc_ns))
        reached = max(reached, end)
    return total / NS
