"""A session goes on where the journal ended: takes, alerts, the line-up, a roll that was on."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from config.settings import Production
from monitor.hub import ourselves
from monitor.hub.hub import Hub
from monitor.hub.line_up import Learned
from monitor.journal.reader import Checkpoint, JournalReader
from monitor.records import AlertBody, LineUpBody, Record, Take, TakeBody


@dataclass(frozen=True, slots=True)
class Axis:
    """This boot's axis: what another boot wrote is moved to it by way of UTC."""

    boot_id: str
    offset_ns: int
    """UTC minus the axis."""

    def shift_ns(self, boot_id: str, t_ns: int, utc_ns: int) -> int:
        """Return what to add to a boot's times to lie on this axis."""
        return 0 if boot_id == self.boot_id else utc_ns - self.offset_ns - t_ns


def resume(hub: Hub, reader: JournalReader, production: Production, day: str, t_ns: int) -> None:
    """Continue the takes, alerts and line-up that a journal knows, as of ``t_ns``."""
    axis = Axis(hub.boot_id, hub.wall.offset_ns)
    try:
        kept, slate = reader.checkpoint("engine"), reader.checkpoint("next_take")
        records = reader.latest_takes(production.name, production.unit)
        alerts = reader.latest_alerts(day)
        learned = reader.latest_line_ups(day)
    except (sqlite3.Error, OSError):
        return  # nothing can be read; the journal has already said so
    hub.line_up.restore(_learned(learned, hub, production))
    takes = [_take_here(record, axis) for record in records]
    known = [
        record.body.alert
        for record in alerts
        if isinstance(record.body, AlertBody) and record.boot_id == axis.boot_id
    ]
    shift_ns = axis.shift_ns(kept.boot_id, kept.t_ns, kept.utc_ns) if kept else 0
    state = kept.value if kept else None
    try:
        hub.restore(state, shift_ns, takes, _slate(slate), known, t_ns)
    except ValueError:
        hub.restore(None, 0, takes, _slate(slate), known, t_ns)
        text = "the state of the alerts was damaged: those that stood are in the report only"
        hub.notice(text, t_ns, warning=True)
    if kept and hub.book.rolling_groups():
        since_ns = kept.t_ns + shift_ns
        hub.resume_rolling(since_ns)
        ourselves.down(hub, since_ns, t_ns, "takewatch was not running while this take rolled")


def _learned(records: Sequence[Record], hub: Hub, production: Production) -> list[Learned]:
    return [
        Learned(body=record.body, utc_ns=record.utc_ns, who=record.who)
        for record in records
        if isinstance(record.body, LineUpBody)
        and record.body.source in hub.watching
        and record.production == production.name
    ]


def _take_here(record: Record, axis: Axis) -> Take:
    assert isinstance(record.body, TakeBody)
    return shifted(record.body.take, axis.shift_ns(record.boot_id, record.t_ns, record.utc_ns))


def shifted(take: Take, shift_ns: int) -> Take:
    """Return the take with its parts moved along the axis; UTC stays."""
    parts = [
        part.model_copy(
            update={
                "roll_ns": part.roll_ns + shift_ns,
                "cut_ns": None if part.cut_ns is None else part.cut_ns + shift_ns,
            }
        )
        for part in take.parts
    ]
    return take.model_copy(update={"parts": parts})


def _slate(kept: Checkpoint | None) -> Take | None:
    """Return the next slate as it was kept; a damaged one is only typed again."""
    try:
        return Take.model_validate_json(kept.value) if kept else None
    except ValueError:
        return None
