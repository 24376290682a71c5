"""Reading a journal: records, roll-ups, checkpoints; the file is never touched."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from monitor.journal.errors import JournalError
from monitor.journal.packing import unpacked
from monitor.journal.schema import SELECT, read
from monitor.records import Record, Rollup, TakeBody

FILE_NAME = "journal.sqlite3"
BUSY_S = 2.0  # a commit that waits for a slow disk takes less; then reading fails in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """State kept for a restart, with the time axis it was written on."""

    value: str
    t_ns: int
    utc_ns: int
    boot_id: str


def _text(raw: bytes) -> str:
    """Read text of the file; a damaged byte costs itself, not the row."""
    return raw.decode("utf-8", "replace")


class JournalReader:
    """Reads a journal without touching it; usable from any thread, one connection a call."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE_NAME

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        db = sqlite3.connect(uri, uri=True, timeout=BUSY_S)
        db.text_factory = _text
        return db

    def _select(self, rest: str, values: Sequence[object]) -> list[Record]:
        with closing(self._connect()) as db:
            return read(db.execute(SELECT + rest, values))

    def records(self, since: int = 0, limit: int = 10_000, up_to: int = 2**62) -> list[Record]:
        """Return durable records after ``since``, oldest first."""
        where = "WHERE r.seq > ? AND r.seq <= ? ORDER BY r.seq LIMIT ?"
        return self._select(where, (since, up_to, limit))

    def count(self, since: int, up_to: int) -> int:
        """Return how many durable records lie after ``since`` up to ``up_to``."""
        with closing(self._connect()) as db:
            where = "SELECT count(*) FROM records WHERE seq > ? AND seq <= ?"
            return int(db.execute(where, (since, up_to)).fetchone()[0])

    def day_records(self, day: str) -> list[Record]:
        """Return all records of one shooting day, oldest first."""
        return self._select("WHERE r.day = ? ORDER BY r.seq", (day,))

    def days(self) -> list[str]:
        """Return the shooting days that have a take, oldest first."""
        with closing(self._connect()) as db:
            rows = db.execute("SELECT DISTINCT day FROM records WHERE kind = 'take' ORDER BY day")
            return [str(day) for (day,) in rows]

    def latest_takes(self, production: str, unit: str, limit: int = 1000) -> list[Record]:
        """Return the newest record of each of the last ``limit`` takes, in order of rolling."""
        newest = (
            "WHERE r.seq IN (SELECT max(seq) FROM records WHERE kind = 'take' AND production = ?"
            " AND unit = ? GROUP BY subject ORDER BY min(seq) DESC LIMIT ?)"
        )
        records = self._select(newest, (production, unit, limit))
        takes = [record for record in records if record.body.kind == "take"]  # damaged ones aside
        return sorted(takes, key=_first_roll_utc_ns)

    def latest_alerts(self, day: str) -> list[Record]:
        """Return the newest record of each alert of a day, in order of their first."""
        newest = (
            "WHERE r.seq IN (SELECT max(seq) FROM records WHERE kind = 'alert' AND day = ?"
            " GROUP BY subject) ORDER BY r.seq"
        )
        return self._select(newest, (day,))

    def latest_line_ups(self, day: str) -> list[Record]:
        """Return what was last learned of each source on a day."""
        newest = (
            "WHERE r.seq IN (SELECT max(seq) FROM records WHERE kind = 'line_up' AND day = ?"
            " GROUP BY subject) ORDER BY r.seq"
        )
        return self._select(newest, (day,))

    def rollups(self, source: str, start_utc_s: int, end_utc_s: int) -> list[Rollup]:
        """Return a source's seconds in [start, end), oldest first."""
        with closing(self._connect()) as db:
            rows = db.execute(
                "SELECT stream, utc_s, t_ns, intervals, body FROM rollups"
                " WHERE source = ? AND utc_s >= ? AND utc_s < ? ORDER BY utc_s, stream",
                (source, start_utc_s, end_utc_s),
            )
            return [
                Rollup(
                    source=source,
                    stream=stream,
                    utc_s=utc_s,
                    t_ns=t_ns,
                    intervals=intervals,
                    values=unpacked(body),
                )
                for stream, utc_s, t_ns, intervals, body in rows
            ]

    def rollup_sources(self) -> list[str]:
        """Return the sources that have roll-ups."""
        with closing(self._connect()) as db:
            rows = db.execute("SELECT DISTINCT source FROM rollups ORDER BY source")
            return [str(name) for (name,) in rows]

    def checkpoint(self, key: str) -> Checkpoint | None:
        """Return what was last kept under a key."""
        with closing(self._connect()) as db:
            row = db.execute(
                "SELECT value, t_ns, utc_ns, boot_id FROM checkpoints WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        return Checkpoint(value=row[0], t_ns=row[1], utc_ns=row[2], boot_id=row[3])


def _first_roll_utc_ns(record: Record) -> int:
    assert isinstance(record.body, TakeBody)
    parts = record.body.take.parts
    return min((part.roll_utc_ns for part in parts), default=record.utc_ns)


def open_readonly(folder: Path) -> JournalReader:
    """Open the journal of a data folder for reading. Raises ``JournalError`` if there is none."""
    reader = JournalReader(folder)
    if not reader.path.is_file():
        raise JournalError(f"no journal in {folder}: expected {FILE_NAME} there")
    try:
        reader.days()
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{reader.path} cannot be read: {error}") from error
    return reader
