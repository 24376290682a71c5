"""The journal: what happened, never lost once said to be durable. SQLite, one writer thread.

Everything queued while one commit runs goes into the next (group commit); ``synchronous=FULL``
makes a commit survive power loss. When the file cannot be written, monitoring goes on: records
wait in memory, bounded and counted, and are written when it works again. A damaged file is set
aside under another name and a new one begun; nothing is ever deleted.

Errors::

    JournalError
    ├── JournalBusy      another takewatch writes this folder
    └── JournalNewer     written by a newer takewatch
"""

import fcntl
import json
import logging
import sqlite3
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from uuid import uuid4

from monitor.journal.schema import SELECT, NewerJournal, insert, migrate, read
from monitor.metrics import Value
from monitor.records import Body, NoticeBody, Record, Rollup, TakeBody

log = logging.getLogger(__name__)

UNWRITABLE = (OverflowError, ValueError, TypeError)
FILE_NAME = "journal.sqlite3"
RECORDS_WAITING = 20_000  # about 20 MiB: hours of a bad day's alerts while the disk is full
ROLLUPS_WAITING = 20_000  # 14 feeds for 20 minutes
RETRY_S = 1.0
SEQ_STRIDE = 100_000  # skipped at each start: more than ever was sent without being durable
WHOLE_CHECK_BYTES = 256 * 1024 * 1024  # checks in about a second; larger files are checked in use
BUSY_S = 2.0


class JournalError(Exception):
    """The journal cannot be used; the message is for an operator."""


class JournalBusy(JournalError):
    """Another takewatch writes this folder."""


class JournalNewer(JournalError):
    """The file was written by a newer takewatch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """State kept for a restart, with the time axis it was written on."""

    value: str
    t_ns: int
    utc_ns: int
    boot_id: str


@dataclass(slots=True)
class _Waiting:
    """What is not written yet."""

    records: deque[tuple[Record, Callable[[int], None] | None]] = field(default_factory=deque)
    rollups: deque[Rollup] = field(default_factory=deque)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.records or self.rollups or self.checkpoints)


def _rounded(value: Value) -> Value:
    if isinstance(value, list):
        return [None if v is None else float(f"{v:.5g}") for v in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


def _text(raw: bytes) -> str:
    """Read text of the file; a damaged byte costs itself, not the row."""
    return raw.decode("utf-8", "replace")


def _pack(values: Mapping[str, Value]) -> bytes:
    text = json.dumps({key: _rounded(value) for key, value in values.items()})
    return zlib.compress(text.encode(), 1)


def _unpack(body: bytes) -> dict[str, Value]:
    values: dict[str, Value] = json.loads(zlib.decompress(body))
    return values


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
                    values=_unpack(body),
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


class Journal:
    """The writer. ``append`` may be called from one thread; callbacks come on the journal's own."""

    def __init__(
        self,
        folder: Path,
        *,
        production: str,
        unit: str,
        boot_id: str,
        on_writable: Callable[[bool, str], None] = lambda writable, why: None,
    ) -> None:
        self.folder = folder
        self.reader = JournalReader(folder)
        self.notices: list[str] = []
        """What had to be done to open it, in words; read after ``start``."""
        self._production, self._unit, self._boot_id = production, unit, boot_id
        self._on_writable = on_writable
        self._lock = threading.Condition()
        self._waiting = _Waiting()
        self._closing = False
        self._lock_file: IO[str] | None = None
        self._db: sqlite3.Connection | None = None
        self._writer: threading.Thread | None = None
        self._seq = 0
        self.writable = False
        self.lost_records = 0
        self.lost_rollups = 0
        self.journal_id = ""

    # -- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the file and start writing. Raises ``JournalBusy`` or ``JournalNewer``.

        A folder that cannot be written is no error: records wait until it can.
        """
        try:
            self._open()
        except (OSError, sqlite3.OperationalError) as error:
            self._said(False, _in_words(error))
            # The file may hold rows nobody could read: milliseconds lie above all of theirs.
            self._seq = time.time_ns() // 1_000_000
        if not self.journal_id:
            self.journal_id = uuid4().hex  # nothing could be read: clients must begin anew
        self._writer = threading.Thread(target=self._run, name="journal", daemon=True)
        self._writer.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits and close; gives up after the time-out when the disk does not answer."""
        with self._lock:
            self._closing = True
            self._lock.notify()
        if self._writer is not None:
            self._writer.join(timeout_s)
        if self._lock_file is not None:
            self._lock_file.close()

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._lock_file is None:
            self._lock_file = _lock(self.folder)
        path = self.folder / FILE_NAME
        try:
            db = self._connect(path)
        except NewerJournal as error:
            self._lock_file.close()
            self._lock_file = None
            raise JournalNewer(f"{path}: {error}") from error
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            aside = _set_aside(path)
            self.notices.append(
                f"the journal was damaged ({error}); it was set aside as {aside.name}"
                " and a new one begun"
            )
            db = self._connect(path)
        (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
        if last and self._seq == 0:
            self._seq = last + SEQ_STRIDE
        (self.journal_id,) = db.execute(
            "SELECT value FROM meta WHERE key = 'journal_id'"
        ).fetchone()
        self._db = db
        self._said(True, "")

    def _connect(self, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("PRAGMA foreign_keys=ON")
            if path.stat().st_size < WHOLE_CHECK_BYTES:
                (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise sqlite3.DatabaseError(verdict)
            migrate(db)
            db.execute(
                "INSERT INTO meta VALUES ('journal_id', ?) ON CONFLICT DO NOTHING", (uuid4().hex,)
            )
        except BaseException:
            db.close()
            raise
        return db

    def _said(self, writable: bool, why: str) -> None:
        if writable != self.writable or not writable:
            self.writable = writable
            self._on_writable(writable, why)

    # -- taking ---------------------------------------------------------------------------------

    @property
    def last_seq(self) -> int:
        """The newest record's seq, written or waiting."""
        return self._seq

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._waiting.records)

    def append(
        self,
        body: Body,
        *,
        t_ns: int,
        utc_ns: int,
        day: str,
        who: str | None = None,
        on_durable: Callable[[int], None] | None = None,
    ) -> Record:
        """Queue one record and return it, not yet durable; ``on_durable(seq)`` says when it is."""
        with self._lock:
            self._seq += 1
            record = Record(
                seq=self._seq,
                utc_ns=utc_ns,
                t_ns=t_ns,
                boot_id=self._boot_id,
                production=self._production,
                unit=self._unit,
                day=day,
                who=who,
                durable=False,
                body=body,
            )
            if len(self._waiting.records) >= RECORDS_WAITING:
                self._waiting.records.popleft()
                self.lost_records += 1
            self._waiting.records.append((record, on_durable))
            self._lock.notify()
        return record

    def rollup(self, rollups: Sequence[Rollup]) -> None:
        """Queue a second's roll-ups; the oldest go when they cannot be written, and are counted."""
        with self._lock:
            self._waiting.rollups.extend(rollups)
            while len(self._waiting.rollups) > ROLLUPS_WAITING:
                self._waiting.rollups.popleft()
                self.lost_rollups += 1
            self._lock.notify()

    def checkpoint(self, key: str, value: str, *, t_ns: int, utc_ns: int) -> None:
        """Keep state for a restart, committed together with the records queued before it."""
        kept = Checkpoint(value=value, t_ns=t_ns, utc_ns=utc_ns, boot_id=self._boot_id)
        with self._lock:
            self._waiting.checkpoints[key] = kept
            self._lock.notify()

    # -- writing --------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: bool(self._waiting) or self._closing)
                batch, self._waiting = self._waiting, _Waiting()
            if batch and not self._write(batch):
                with self._lock:
                    self._put_back(batch)
                    if self._closing:
                        break
                    self._lock.wait_for(lambda: self._closing, RETRY_S)
            elif self._closing and not self._waiting:
                break
        if self._db is not None:
            self._db.close()

    def _write(self, batch: _Waiting) -> bool:
        """Commit a batch; say whether it worked."""
        try:
            if self._db is None:
                self._open()
            assert self._db is not None
            with _transaction(self._db):
                self._write_rows(self._db, batch)
                lost = self._write_loss(self._db, batch)
        except (OSError, sqlite3.Error, JournalError) as error:
            self._failed(error)
            return False
        self.lost_records -= lost
        self._said(True, "")
        for record, on_durable in batch.records:
            if on_durable is not None:
                on_durable(record.seq)
        return True

    def _write_rows(self, db: sqlite3.Connection, batch: _Waiting) -> None:
        """Write a batch; what no disk could ever take leaves it and is counted.

        A number beyond 64 bits or text that is no Unicode raises none of SQLite's errors, and
        would end this thread, or hold up every record behind it for ever.
        """
        for queued in list(batch.records):
            try:
                insert(db, queued[0])
            except UNWRITABLE:
                log.exception("journal: record %d cannot be written", queued[0].seq)
                batch.records.remove(queued)
                self.lost_records += 1
        for r in batch.rollups:
            try:
                row = (r.source, r.stream, r.utc_s, r.t_ns, r.intervals, _pack(r.values))
                db.execute("INSERT INTO rollups VALUES (?,?,?,?,?,?)", row)
            except UNWRITABLE:
                self.lost_rollups += 1
        db.executemany(
            "INSERT OR REPLACE INTO checkpoints VALUES (?,?,?,?,?)",
            [(k, c.value, c.t_ns, c.utc_ns, c.boot_id) for k, c in batch.checkpoints.items()],
        )

    def _write_loss(self, db: sqlite3.Connection, batch: _Waiting) -> int:
        """Write down how many records could not be kept, and return it: counts are never lost."""
        if not batch.records:
            return 0  # told with the next record, which has a time
        newest = batch.records[-1][0]
        with self._lock:
            lost = self.lost_records
            self._seq += bool(lost)
            seq = self._seq
        if lost:
            text = f"{lost} records could not be kept while the journal could not be written"
            body = NoticeBody(text=text, level="warning")
            insert(db, newest.model_copy(update={"seq": seq, "who": None, "body": body}))
        return lost

    def _failed(self, error: Exception) -> None:
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, sqlite3.OperationalError | sqlite3.IntegrityError
        )
        if damaged and self._db is not None:
            self._db.close()
            self._db = None  # opened again at the next try, which sets the damaged file aside
        self._said(False, _in_words(error))

    def _put_back(self, batch: _Waiting) -> None:
        newer, self._waiting = self._waiting, batch
        self._waiting.records.extend(newer.records)
        while len(self._waiting.records) > RECORDS_WAITING:
            self._waiting.records.popleft()
            self.lost_records += 1
        self._waiting.rollups.extend(newer.rollups)
        self._waiting.checkpoints.update(newer.checkpoints)

    # -- erasing --------------------------------------------------------------------------------

    def erase_person(self, name: str) -> None:
        """Forget a name everywhere; what the person did stays."""
        with closing(self._connect(self.folder / FILE_NAME)) as db:
            db.execute("UPDATE people SET name = NULL WHERE name = ?", (name,))

    def erase_notes(self, take_id: str) -> None:
        """Forget the notes of a take."""
        with closing(self._connect(self.folder / FILE_NAME)) as db:
            db.execute("UPDATE notes SET text = NULL WHERE subject = ?", (take_id,))


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _lock(folder: Path) -> IO[str]:
    file = (folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise JournalBusy(f"another takewatch is using {folder}: stop it first") from error
    return file


def _set_aside(path: Path) -> Path:
    """Rename a damaged journal and its companions; return the new name."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"journal-damaged-{stamp}-{uuid4().hex[:6]}.sqlite3")
    for ending in ("-wal", "-shm"):
        companion = path.with_name(path.name + ending)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + ending))
    path.rename(aside)
    return aside


def _in_words(error: Exception) -> str:
    return f"the journal cannot be written: {error}"
