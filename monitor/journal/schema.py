"""The journal's tables, their migrations, and how a record becomes a row and back.

Names of people and notes lie in side tables that rows refer to by id, so that they can be erased
while what happened stays: an erased name reads ``(erased)``, an erased note is empty. An alert's
level trace lies beside them, once and as it was told last: it would be in every row of the alert.
"""

import sqlite3
from collections.abc import Iterable
from typing import Any

from monitor.records import AlertBody, Body, NoticeBody, Record, TakeBody
from monitor.rules.model import Alert, LevelTrace

ERASED = "(erased)"

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE notes (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, text TEXT,
                    UNIQUE (subject, text));
CREATE TABLE records (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, subject TEXT NOT NULL,
  utc_ns INTEGER NOT NULL, t_ns INTEGER NOT NULL, boot_id TEXT NOT NULL,
  production TEXT NOT NULL, unit TEXT NOT NULL, day TEXT NOT NULL,
  who INTEGER REFERENCES people, acknowledged_by INTEGER REFERENCES people,
  note INTEGER REFERENCES notes, body TEXT NOT NULL);
CREATE INDEX records_day ON records (day, seq);
CREATE INDEX records_subject ON records (kind, subject, seq);
CREATE TABLE rollups (
  source TEXT NOT NULL, stream INTEGER NOT NULL, utc_s INTEGER NOT NULL,
  t_ns INTEGER NOT NULL, intervals INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX rollups_time ON rollups (source, utc_s);
CREATE TABLE checkpoints (
  key TEXT PRIMARY KEY, value TEXT NOT NULL,
  t_ns INTEGER NOT NULL, utc_ns INTEGER NOT NULL, boot_id TEXT NOT NULL) WITHOUT ROWID;
"""
_LEVEL_TRACES = "CREATE TABLE traces (alert TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;"
MIGRATIONS: tuple[str, ...] = (_FIRST, _LEVEL_TRACES)
"""Element n takes ``user_version`` n to n + 1. Never edit one that was released."""

_INSERT = (
    "INSERT INTO records (seq, kind, subject, utc_ns, t_ns, boot_id, production, unit, day,"
    " who, acknowledged_by, note, body) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
SELECT = (
    "SELECT r.seq, r.utc_ns, r.t_ns, r.boot_id, r.production, r.unit, r.day, r.body,"
    " r.who, w.name, r.acknowledged_by, a.name, n.text,"
    " t.body FROM records r"
    " LEFT JOIN people w ON w.id = r.who LEFT JOIN people a ON a.id = r.acknowledged_by"
    " LEFT JOIN notes n ON n.id = r.note"
    " LEFT JOIN traces t ON r.kind = 'alert' AND t.alert = r.subject "
)


class NewerJournal(Exception):
    """The file was written by a newer takewatch."""


def migrate(db: sqlite3.Connection) -> None:
    """Bring the tables up to date, one transaction a step. Raises ``NewerJournal``."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise NewerJournal(
            f"the journal has version {version}, this takewatch knows up to {len(MIGRATIONS)}:"
            " use the newer takewatch, or another folder"
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN IMMEDIATE;{script};PRAGMA user_version={number};COMMIT;")


def subject_of(body: Body) -> str:
    """Return what a record is about: the take's, alert's or source's id, or nothing."""
    match body.kind:
        case "take":
            return body.take.id
        case "alert":
            return body.alert.id
        case "gap":
            return body.gap.source
        case "source":
            return body.source.source
        case "line_up":
            return body.source
    return ""


def insert(db: sqlite3.Connection, record: Record) -> None:
    """Write one record, its names and note in the side tables."""
    body = record.body.model_dump(mode="json")
    acknowledged_by = note = None
    if isinstance(record.body, AlertBody) and record.body.alert.acknowledged:
        acknowledged_by = _person(db, record.body.alert.acknowledged.who)
        body["alert"]["acknowledged"]["who"] = ""
    if isinstance(record.body, AlertBody):
        _keep_trace(db, record.body.alert)
        body["alert"]["trace"] = None
    if isinstance(record.body, TakeBody) and record.body.take.notes:
        note = _note(db, record.body.take.id, record.body.take.notes)
        body["take"]["notes"] = ""
    plain = type(record.body).model_validate(body).model_dump_json()
    who = None if record.who is None else _person(db, record.who)
    row = (record.seq, record.body.kind, subject_of(record.body), record.utc_ns, record.t_ns)
    place = (record.boot_id, record.production, record.unit, record.day)
    db.execute(_INSERT, (*row, *place, who, acknowledged_by, note, plain))


def _keep_trace(db: sqlite3.Connection, alert: Alert) -> None:
    if alert.trace is not None:
        db.execute(
            "INSERT INTO traces VALUES (?, ?) ON CONFLICT (alert)"
            " DO UPDATE SET body = excluded.body WHERE body IS NOT excluded.body",
            (alert.id, alert.trace.model_dump_json()),
        )


def _trace(body: str) -> LevelTrace | None:
    try:
        return LevelTrace.model_validate_json(body)
    except ValueError:  # damaged: the alert itself is whole
        return None


def _person(db: sqlite3.Connection, name: str) -> int:
    db.execute("INSERT INTO people (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
    (number,) = db.execute("SELECT id FROM people WHERE name = ?", (name,)).fetchone()
    return int(number)


def _note(db: sqlite3.Connection, subject: str, text: str) -> int:
    db.execute(
        "INSERT INTO notes (subject, text) VALUES (?, ?) ON CONFLICT DO NOTHING", (subject, text)
    )
    found = db.execute("SELECT id FROM notes WHERE subject = ? AND text = ?", (subject, text))
    return int(found.fetchone()[0])


def read(rows: Iterable[tuple[Any, ...]]) -> list[Record]:
    """Return rows of :data:`SELECT` as records, names and notes joined in."""
    return [_record(row) for row in rows]


def _damaged(seq: int) -> str:
    """Return what stands in for a record that cannot be read: said, never left out."""
    text = f"record {seq} is damaged and cannot be read"
    return NoticeBody(text=text, level="warning").model_dump_json()


def _record(row: tuple[Any, ...]) -> Record:
    seq, utc_ns, t_ns, boot_id, production, unit, day, body, *people = row
    who_id, who, acknowledged_id, acknowledged, note, trace = people
    head = f'{{"seq":{seq},"utc_ns":{utc_ns},"t_ns":{t_ns},"boot_id":"","production":"","unit":"",'
    try:
        record = Record.model_validate_json(f'{head}"day":"","body":{body}}}')
    except ValueError:  # SQLite has no checksums: a damaged page can pass its check
        record = Record.model_validate_json(f'{head}"day":"","body":{_damaged(seq)}}}')
    filled = record.body
    if isinstance(filled, AlertBody) and filled.alert.acknowledged and acknowledged_id is not None:
        by = filled.alert.acknowledged.model_copy(update={"who": acknowledged or ERASED})
        alert = filled.alert.model_copy(update={"acknowledged": by})
        filled = filled.model_copy(update={"alert": alert})
    if isinstance(filled, AlertBody) and trace:
        alert = filled.alert.model_copy(update={"trace": _trace(trace)})
        filled = filled.model_copy(update={"alert": alert})
    if isinstance(filled, TakeBody) and note:
        take = filled.take.model_copy(update={"notes": note})
        filled = filled.model_copy(update={"take": take})
    return record.model_copy(
        update={
            "boot_id": boot_id,
            "production": production,
            "unit": unit,
            "day": day,
            "who": None if who_id is None else who or ERASED,
            "body": filled,
        }
    )
