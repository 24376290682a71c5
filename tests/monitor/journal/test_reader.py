"""What is read back from a journal."""

import sqlite3
from pathlib import Path

import pytest

from monitor.journal.errors import JournalError
from monitor.journal.reader import FILE_NAME, open_readonly
from monitor.metrics import Value
from monitor.records import NoticeBody, Rollup
from tests.monitor.bodies import a_take, alert_body, an_alert, notice, take_body
from tests.monitor.journal.kept import DAY, Kept


def test_the_newest_state_of_each_take_and_alert_is_found(kept: Kept) -> None:
    kept.journal.start()
    kept.append(take_body(a_take("t2", roll_ns=20)))
    kept.append(take_body(a_take("t1", roll_ns=10)))
    kept.append(take_body(a_take("t2", roll_ns=20, circled=True)))
    kept.append(alert_body(an_alert(condition="active")))
    kept.await_durable(kept.append(alert_body(an_alert(condition="cleared"))))
    takes = [
        r.body.take for r in kept.journal.reader.latest_takes("P", "U") if r.body.kind == "take"
    ]
    alerts = [
        r.body.alert for r in kept.journal.reader.latest_alerts(DAY) if r.body.kind == "alert"
    ]
    days = kept.journal.reader.days()
    kept.journal.close()
    assert [(take.id, take.circled) for take in takes] == [("t1", False), ("t2", True)]
    assert [alert.condition for alert in alerts] == ["cleared"]
    assert days == [DAY]


def test_roll_ups_and_checkpoints_read_back(kept: Kept) -> None:
    kept.journal.start()
    values: dict[str, Value] = {"rms_dbfs": [-20.123456, None], "pixel_format": "yuv420p"}
    row = Rollup(source="cart", stream=0, utc_s=7, t_ns=7, intervals=25, values=values)
    kept.journal.rollup([row])
    kept.journal.checkpoint("engine", "state 1", t_ns=1, utc_ns=2)
    kept.journal.checkpoint("engine", "state 2", t_ns=3, utc_ns=4)
    kept.await_durable(kept.append(notice("after")))
    (found,) = kept.journal.reader.rollups("cart", 7, 8)
    checkpoint = kept.journal.reader.checkpoint("engine")
    kept.journal.close()
    assert found.values == {"rms_dbfs": [-20.123, None], "pixel_format": "yuv420p"}
    assert found.intervals == 25
    assert checkpoint is not None
    assert (checkpoint.value, checkpoint.t_ns) == ("state 2", 3)


def test_opening_where_there_is_no_journal_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no journal"):
        open_readonly(tmp_path)


@pytest.mark.parametrize("body", ['\'{"kind":"no\'', "CAST(x'7b22ff' AS TEXT)", "x'00'"])
def test_a_damaged_row_is_said_and_hides_no_other(kept: Kept, tmp_path: Path, body: str) -> None:
    kept.journal.start()
    kept.append(take_body(a_take("t1")))
    seq = kept.append(take_body(a_take("t2")))
    kept.await_durable(kept.append(notice("whole")))
    kept.journal.close()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        db.execute(f"UPDATE records SET body = {body} WHERE seq = {seq}")
    db.close()
    reader = open_readonly(tmp_path)
    _, damaged, whole = reader.day_records(DAY)
    assert damaged.body == NoticeBody(
        text=f"record {seq} is damaged and cannot be read", level="warning"
    )
    assert whole.body == notice("whole")
    assert [r.body.take.id for r in reader.latest_takes("P", "U") if r.body.kind == "take"] == [
        "t1"
    ]
