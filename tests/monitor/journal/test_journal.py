import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.journal.errors import JournalBusy, JournalNewer
from monitor.journal.journal import SEQ_STRIDE
from monitor.journal.reader import FILE_NAME, open_readonly
from monitor.journal.schema import ERASED, MIGRATIONS
from monitor.records import AlertBody, Body, NoticeBody, TakeBody
from monitor.rules.model import LevelTrace
from tests.monitor.bodies import a_take, alert_body, an_alert, notice, take_body
from tests.monitor.journal.kept import DAY, Kept


def test_a_durable_record_reads_back_as_it_was(kept: Kept, tmp_path: Path) -> None:
    kept.journal.start()
    seq = kept.append(take_body(a_take(notes="dog barks")), who="Ada")
    kept.await_durable(seq)
    (record,) = open_readonly(tmp_path).day_records(DAY)
    kept.journal.close()
    assert record.seq == seq
    assert record.who == "Ada"
    assert record.durable
    assert record.body == take_body(a_take(notes="dog barks"))


def test_names_and_notes_lie_in_side_tables_and_can_be_erased(kept: Kept, tmp_path: Path) -> None:
    kept.journal.start()
    kept.append(take_body(a_take(notes="talk to Ada")), who="Ada")
    kept.await_durable(kept.append(alert_body(an_alert(by="Ada"))))
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        bodies = " ".join(body for (body,) in db.execute("SELECT body FROM records"))
    db.close()
    assert "Ada" not in bodies
    kept.journal.erase_person("Ada")
    kept.journal.erase_notes("t1")
    take, alert = kept.journal.reader.day_records(DAY)
    kept.journal.close()
    assert take.who == ERASED
    assert isinstance(take.body, TakeBody)
    assert take.body.take.notes == ""
    assert isinstance(alert.body, AlertBody)
    assert alert.body.alert.acknowledged is not None
    assert alert.body.alert.acknowledged.who == ERASED


def test_a_level_trace_lies_once_beside_the_rows_of_its_alert(kept: Kept, tmp_path: Path) -> None:
    kept.journal.start()
    first, last = ([-20.5] * 100, [-20.5] * 50 + [0.0] * 50)
    for what, values in (("active", first), ("cleared", last), ("acknowledged", None)):
        trace = None if values is None else LevelTrace(start_s=-2.5, values=values)
        body = AlertBody.model_validate({"what": what, "alert": an_alert(trace=trace)})
        seq = kept.append(body)
    kept.await_durable(seq)
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        bodies = [body for (body,) in db.execute("SELECT body FROM records")]
        kept_once = db.execute("SELECT alert, length(body) FROM traces").fetchall()
    db.close()
    assert "-20.5" not in " ".join(bodies)
    assert [alert for alert, _ in kept_once] == ["a1"]
    assert kept_once[0][1] < 700
    records = kept.journal.reader.day_records(DAY)
    kept.journal.close()
    for record in records:
        assert isinstance(record.body, AlertBody)
        assert record.body.alert.trace == LevelTrace(start_s=-2.5, values=last)


def test_a_journal_of_the_first_version_is_taken_over(kept: Kept, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.executescript(f"{MIGRATIONS[0]}; PRAGMA user_version = 1;")
    db.close()
    kept.journal.start()
    kept.await_durable(kept.append(alert_body(an_alert())))
    assert len(kept.journal.reader.day_records(DAY)) == 1
    kept.journal.close()


def test_seq_never_returns_to_what_was_sent_but_not_durable(tmp_path: Path) -> None:
    first = Kept(tmp_path)
    first.journal.start()
    seq = first.append(notice("one"))
    first.await_durable(seq)
    first.journal.close()
    second = Kept(tmp_path)
    second.journal.start()
    later = second.append(notice("two"))
    second.await_durable(later)
    second.journal.close()
    assert later > seq + SEQ_STRIDE - 1
    assert second.journal.journal_id == first.journal.journal_id


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(kept: Kept, tmp_path: Path) -> None:
    rubbish = os.urandom(8192)
    (tmp_path / FILE_NAME).write_bytes(rubbish)
    kept.journal.start()
    kept.await_durable(kept.append(notice("on we go")))
    kept.journal.close()
    (aside,) = tmp_path.glob("journal-damaged-*.sqlite3")
    assert aside.read_bytes() == rubbish
    assert "set aside" in kept.journal.notices[0]


def test_a_newer_file_is_refused_untouched(kept: Kept, tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / FILE_NAME)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalNewer, match="99"):
        kept.journal.start()


def test_a_folder_has_one_writer(kept: Kept, tmp_path: Path) -> None:
    kept.journal.start()
    with pytest.raises(JournalBusy, match="another takewatch"):
        Kept(tmp_path).journal.start()
    kept.journal.close()


def test_an_unusable_folder_keeps_records_until_it_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "folder"
    blocked.write_text("a file where the folder should be")
    kept = Kept(blocked)
    kept.journal.start()
    assert "cannot be written" in kept.await_said(False)
    seq = kept.append(notice("kept in memory"))
    blocked.unlink()
    kept.await_durable(seq)
    assert kept.await_said(True) == ""
    (record,) = open_readonly(blocked).records()
    kept.journal.close()
    assert record.body == notice("kept in memory")


def test_what_does_not_fit_in_memory_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.journal.journal.RECORDS_WAITING", 3)
    blocked = tmp_path / "folder"
    blocked.write_text("")
    kept = Kept(blocked)
    kept.journal.start()
    for number in range(10):
        seq = kept.append(notice(f"{number}"))
    blocked.unlink()
    kept.await_durable(seq)
    kept.journal.close()
    texts = [r.body.text for r in open_readonly(blocked).records() if r.body.kind == "notice"]
    lost = [int(text.split()[0]) for text in texts if "could not be kept" in text]
    kept_numbers = [int(text) for text in texts if text.isdecimal()]
    assert kept_numbers[-1] == 9
    assert sum(lost) + len(kept_numbers) == 10


WRITER = """
import sys, threading
from pathlib import Path
from monitor.journal.journal import Journal
from monitor.records import NoticeBody
journal = Journal(Path(sys.argv[1]), production="P", unit="U", boot_id="b")
journal.start()
room = threading.Semaphore(200)
def durable(seq):
    sys.stdout.write(f"{seq}\\n"); sys.stdout.flush(); room.release()
number = 0
while True:
    room.acquire()
    number += 1
    journal.append(NoticeBody(text=f"{number}"), t_ns=1, utc_ns=1, day="2026-11-23",
                   on_durable=durable)
"""


def test_kill_9_loses_nothing_that_was_durable(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    said: set[int] = set()
    for heard in (1, 60, 200):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(heard):
                said.add(int(process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().splitlines(keepends=True)
            said.update(int(line) for line in rest if line.endswith("\n"))
    written = {record.seq for record in open_readonly(tmp_path).records(limit=1_000_000)}
    assert len(said) >= 261
    assert said <= written


def test_a_body_of_every_kind_survives_the_trip(kept: Kept) -> None:
    kept.journal.start()
    bodies: list[Body] = [
        take_body(a_take(notes="")),
        alert_body(an_alert()),
        NoticeBody(text="disk short", level="warning"),
    ]
    for body in bodies:
        seq = kept.append(body)
    kept.await_durable(seq)
    read = [record.body for record in kept.journal.reader.records()]
    kept.journal.close()
    assert read == bodies


def test_a_record_that_no_disk_can_take_holds_up_nothing_and_is_counted(
    kept: Kept, tmp_path: Path
) -> None:
    kept.journal.start()
    beyond = kept.journal.append(
        notice("beyond 64 bits"), t_ns=2**70, utc_ns=1, day=DAY, on_durable=kept._durable
    )
    no_text = kept.append(notice("half a character \ud800"))
    seq = kept.append(notice("after them"))
    kept.await_durable(seq)
    kept.await_durable(kept.append(notice("and again")))
    kept.journal.close()
    texts = [r.body.text for r in open_readonly(tmp_path).records() if r.body.kind == "notice"]
    assert {beyond, no_text}.isdisjoint(kept.durable)
    assert {"after them", "and again"} < set(texts)
    assert sum(int(text.split()[0]) for text in texts if "could not be kept" in text) == 2
