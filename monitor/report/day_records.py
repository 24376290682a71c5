"""A shooting day's journal records, sorted by what they tell. Pure.

All comparing is done in UTC nanoseconds: the engine's axis begins anew at every boot, and each
record carries both clocks, so that what it tells in engine time can be moved to UTC.
"""

from collections.abc import Iterable, Mapping
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
from monitor.report.document import LineUpChannel, LineUpRow, Moment
from monitor.rules.model import Alert

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
class DayRecords:
    """The day's records sorted by what they tell."""

    header: Header
    names: Mapping[str, SourceName]
    takes: dict[str, Take] = field(default_factory=dict)
    alerts: dict[str, tuple[Alert, int]] = field(default_factory=dict)
    """Alert as it last stood, and what to add to its times for UTC."""
    muted_by: dict[str, str] = field(default_factory=dict)
    """Who marked the channel of an alert as muted."""
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


def gathered(
    records: Iterable[Record], header: Header, sources: Mapping[str, SourceName]
) -> DayRecords:
    """Return the records sorted by what they tell; practice is left out."""
    day = DayRecords(header=header, names=sources)
    practice = {key for key, source in sources.items() if source.practice}
    for record in records:
        _take_in(day, record, practice)
    return day


def _take_in(day: DayRecords, record: Record, practice: set[str]) -> None:
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


def _seen_as(day: DayRecords, alert: Alert) -> Alert:
    """Return an alert as the report tells it: silence on purpose is a NOTE, and says so."""
    if alert.muted_ns is None:
        return alert
    by = day.muted_by.get(alert.id)
    message = f"{alert.message}; marked as muted{f' by {by}' if by else ''}"
    return alert.model_copy(update={"severity": "NOTE", "message": message})


def _line_up(day: DayRecords, record: Record, body: LineUpBody) -> LineUpRow:
    return LineUpRow(
        source=body.source,
        source_name=body.source_name,
        learned=day.moment(record.utc_ns),
        who=record.who,
        channels=[LineUpChannel(**dict(channel)) for channel in body.channels],
    )


def _take_in_gap(day: DayRecords, gap: GapRecord, utc_ns: int) -> None:
    if gap.source == SERVICE and gap.unit == "s":
        day.blackouts.append(((utc_ns - int(gap.amount * NS), utc_ns), gap.reason))
    else:
        day.losses.append((gap, utc_ns))


def source_ids(day: DayRecords) -> list[str]:
    """Return the sources of the day that are not practice."""
    named = [key for key, source in day.names.items() if not source.practice]
    return named + [key for key in day.states if key not in day.names and key != SERVICE]


def visible(day: DayRecords) -> list[tuple[Alert, int]]:
    """Return the alerts to be told, each with what to add to its times for UTC."""
    return [(alert, shift) for alert, shift in day.alerts.values() if alert.id in day.shown]


def members_of(day: DayRecords, group: str) -> list[str]:
    """Return the sources of a group; those of no known group belong to each."""
    return [source for source in source_ids(day) if group_of(day, source) in (group, None)]


def group_of(day: DayRecords, source: str) -> str | None:
    """Return the group of a source, None where it is not known."""
    known = day.names.get(source)
    return known.group if known else None
