"""The journal: what happened, never lost once said to be durable. SQLite, one writer thread.

Everything queued while one commit runs goes into the next (group commit); ``synchronous=FULL``
makes a commit survive power loss. When the file cannot be written, monitoring goes on: records
wait in memory, bounded and counted, and are written when it works again. A damaged file is set
aside under another name and a new one begun; nothing is ever deleted.
"""

import fcntl
import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from uuid import uuid4

from monitor.journal.errors import JournalBusy, JournalError, JournalNewer
from monitor.journal.packing import packed
from monitor.journal.reader import BUSY_S, FILE_NAME, Checkpoint, JournalReader
from monitor.journal.schema import NewerJournal, insert, migrate
from monitor.records import Body, NoticeBody, Record, Rollup

log = logging.getLogger(__name__)

UNWRITABLE = (OverflowError, ValueError, TypeError)
RECORDS_WAITING = 20_000  # about 20 MiB: hours of a bad day's alerts while the disk is full
ROLLUPS_WAITING = 20_000  # 14 feeds for 20 minutes
RETRY_S = 1.0
SEQ_STRIDE = 100_000  # skipped at each start: more than ever was sent without being durable
WHOLE_CHECK_BYTES = 256 * 1024 * 1024  # checks in about a second; larger files are checked in use


@dataclass(slots=True)
class _Waiting:
    """What is not written yet."""

    records: deque[tuple[Record, Callable[[int], None] | None]] = field(default_factory=deque)
    rollups: deque[Rollup] = field(default_factory=deque)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.records or self.rollups or self.checkpoints)


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
                row = (r.source, r.stream, r.utc_s, r.t_ns, r.intervals, packed(r.values))
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
