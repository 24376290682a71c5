"""From a shooting day's journal records to its document. Pure: every time is in the arguments."""

from collections.abc import Iterable, Mapping, Sequence

from monitor.records import (
    GapRecord,
    Record,
    Take,
)
from monitor.report import monitored
from monitor.report.day_records import (
    NS,
    DayRecords,
    Header,
    SourceName,
    Span,
    gathered,
    group_of,
    members_of,
    source_ids,
    visible,
    wall_clock,
)
from monitor.report.document import (
    Acknowledged,
    DayAlert,
    DayDocument,
    Loss,
    TakePart,
    TakeRow,
    TakeVerdict,
    Totals,
)
from monitor.rules.model import RANK, Alert


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
    day = gathered(records, header, sources)
    rows = [_take_row(day, take) for take in _in_order(day.takes.values())]
    covered = {alert.id for row in rows for alert in row.alerts}
    told = {loss for row in rows for loss in _keys(row.losses)}
    losses = [_loss(day, gap, utc) for gap, utc in day.losses]
    between = [
        _day_alert(day, alert, shift, None)
        for alert, shift in visible(day)
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
        sources=[day.name(source) for source in source_ids(day)],
        circled_with_faults=[row.id for row in rows if row.circled and _faulty(row)],
        circled_not_monitored=[row.id for row in rows if row.circled and not row.complete],
        takes=rows,
        between_takes=sorted(between, key=lambda alert: alert.start.utc_ns),
        holes=[monitored.blackout(day, span, why, None) for span, why in day.blackouts],
        losses=[loss for loss in losses if _key(loss) not in told],
        notices=day.notices,
        line_up=list(day.line_up.values()),
        totals=_totals(day, rows, coarser or {}),
    )


def _in_order(takes: Iterable[Take]) -> list[Take]:
    kept = [take for take in takes if not take.deleted and take.parts]
    return sorted(kept, key=lambda take: min(part.roll_utc_ns for part in take.parts))


# ---- one take


def _take_row(day: DayRecords, take: Take) -> TakeRow:
    roll = min(part.roll_utc_ns for part in take.parts)
    spans = _part_spans(day, take)
    members = {group: members_of(day, group) for group in spans}
    alerts = [
        _day_alert(day, alert, shift, roll)
        for alert, shift in visible(day)
        if alert.take == take.id or _falls(day, alert.source, _lasted(day, alert, shift), spans)
    ]
    holes = monitored.holes_in(day, spans, members, roll)
    seen = any(
        monitored.overlap(live, span)
        for group, span in spans.items()
        for source in members[group]
        for live in monitored.seen(day, source)
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
        integrated_since=monitored.restarts(day, spans, members, roll),
        loudness=_loudness(day, take),
    )


def _part_spans(day: DayRecords, take: Take) -> dict[str, Span]:
    now = day.header.generated_utc_ns
    return {
        part.group: (part.roll_utc_ns, now if part.cut_utc_ns is None else part.cut_utc_ns)
        for part in take.parts
    }


def _parts(day: DayRecords, take: Take, roll: int) -> list[TakePart]:
    return [
        TakePart(
            group=part.group,
            roll=day.moment(part.roll_utc_ns, roll),
            cut=None if part.cut_utc_ns is None else day.moment(part.cut_utc_ns, roll),
        )
        for part in take.parts
    ]


def _falls(day: DayRecords, source: str, span: Span, spans: Mapping[str, Span]) -> bool:
    """Say whether something of a source lies in the take's part that source belongs to."""
    group = group_of(day, source)
    return any(monitored.overlap(span, part) for of, part in spans.items() if group in (of, None))


def _lasted(day: DayRecords, alert: Alert, shift: int) -> Span:
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


def _loudness(day: DayRecords, take: Take) -> dict[str, dict[str, float | None]]:
    by_source: dict[str, dict[str, float | None]] = {}
    for key, value in take.loudness.items():
        source, _, metric = key.partition("/")
        if not (source in day.names and day.names[source].practice):
            by_source.setdefault(day.name(source), {})[metric] = value
    return by_source


# ---- rows


def _day_alert(day: DayRecords, alert: Alert, shift: int, roll: int | None) -> DayAlert:
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
        cause=alert.cause,
        acknowledged=None
        if took_note is None
        else Acknowledged(who=took_note.who, wall=wall_clock(took_note.utc_ns, day.header.zone)),
        trace=alert.trace,
    )


def _loss(day: DayRecords, gap: GapRecord, utc_ns: int, roll: int | None = None) -> Loss:
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


def _totals(day: DayRecords, rows: Sequence[TakeRow], coarser: Mapping[str, int]) -> Totals:
    alerts = {alert.id: alert.severity for alert, _ in visible(day)}
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
