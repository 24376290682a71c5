"""A shooting day's document from its records."""

from monitor.records import TakeBody
from monitor.report.document import DayDocument, TakeRow
from tests.monitor.report.samples import DAWN, SECOND, Day, live_day, whole_day


def row(document: DayDocument, key: str) -> TakeRow:
    return next(row for row in document.takes if row.id == key)


def test_a_take_with_nothing_monitored_says_so_and_never_ok() -> None:
    day = Day()
    day.take("t", "1/1", 1, 10, 20, circled=True)
    document = day.document()
    assert row(document, "t").verdict == "NOT MONITORED"
    assert not row(document, "t").complete
    assert document.circled_not_monitored == ["t"]
    assert document.circled_with_faults == []
    assert document.totals.not_monitored_s == 10.0


def test_a_take_of_a_group_without_sources_is_not_monitored() -> None:
    day = live_day()
    day.take("t", "1/1", 1, 10, 20, groups=("drone",))
    taken = row(day.document(), "t")
    assert taken.verdict == "NOT MONITORED"
    assert taken.holes[0].reason == "no source belongs to drone"


def test_a_take_in_which_nothing_was_found_is_ok_and_complete() -> None:
    day = live_day()
    day.take("t", "1/1", 1, 10, 20)
    taken = row(day.document(), "t")
    assert (taken.verdict, taken.complete, taken.holes) == ("OK", True, [])


def test_notes_do_not_change_a_verdict() -> None:
    day = live_day()
    day.alert("a", "audio.peak", "NOTE", "cart", 12, 13)
    day.take("t", "1/1", 1, 10, 20)
    taken = row(day.document(), "t")
    assert taken.verdict == "OK"
    assert [alert.severity for alert in taken.alerts] == ["NOTE"]


def test_the_worst_severity_is_the_verdict_and_comes_first() -> None:
    day = live_day()
    day.alert("a", "audio.peak", "CHECK", "cart", 12, 13)
    day.alert("b", "audio.clipping", "FAULT", "cart", 15, 16)
    day.take("t", "1/1", 1, 10, 20, circled=True)
    document = day.document()
    assert row(document, "t").verdict == "FAULT"
    assert [alert.severity for alert in row(document, "t").alerts] == ["FAULT", "CHECK"]
    assert document.circled_with_faults == ["t"]


def test_an_alert_says_wall_clock_position_timecode_and_who_took_note() -> None:
    alert = row(whole_day().document(), "t1").alerts[0]
    assert alert.start.wall == "2026-11-23T09:10:12.400+01:00"
    assert alert.start.position_s == 12.4
    assert alert.start.timecode == "14:22:08:17"
    assert alert.acknowledged is not None
    assert alert.acknowledged.who == "Priya"
    assert alert.acknowledged.wall == "2026-11-23T09:10:40.000+01:00"


def test_an_alert_that_lasts_belongs_to_every_take_it_lies_in() -> None:
    day = live_day()
    day.alert("a", "video.frame_rate", "CHECK", "cam-a", 5, None)
    day.take("t1", "1/1", 1, 10, 20)
    day.take("t2", "1/1", 2, 30, 40)
    document = day.document()
    assert [row(document, key).verdict for key in ("t1", "t2")] == ["CHECK", "CHECK"]
    assert row(document, "t1").alerts[0].start.position_s == -5.0
    assert document.between_takes == []


def test_an_alert_that_ended_before_the_roll_is_not_the_takes() -> None:
    day = live_day()
    day.alert("a", "audio.clipping", "CHECK", "cart", 5, 6)
    day.take("t", "1/1", 1, 10, 20)
    document = day.document()
    assert row(document, "t").verdict == "OK"
    assert [alert.id for alert in document.between_takes] == ["a"]


def test_an_alert_of_one_group_is_not_in_a_part_of_another() -> None:
    day = live_day()
    day.alert("a", "audio.clipping", "FAULT", "cart", 12, 13)
    day.take("t", "1/1", 1, 10, 20, groups=("A camera",))
    assert row(day.document(), "t").verdict == "OK"


def test_a_source_lost_in_a_take_is_a_hole_and_integrated_values_begin_after_it() -> None:
    day = live_day()
    day.state(14, "cart", "lost", "no samples for 1.0 s")
    day.state(16, "cart", "starting")
    day.state(17, "cart", "live")
    day.take("t", "1/1", 1, 10, 20)
    taken = row(day.document(), "t")
    assert [(hole.source_name, hole.length_s, hole.reason) for hole in taken.holes] == [
        ("Sound cart", 3.0, "lost: no samples for 1.0 s")
    ]
    assert taken.integrated_since[0].since.wall == "2026-11-23T09:00:17.000+01:00"
    assert not taken.complete


def test_a_source_whose_first_record_is_its_loss_had_been_live() -> None:
    day = Day()
    day.state(15, "cart", "lost")
    day.take("t", "1/1", 1, 10, 20, groups=("sound",))
    taken = row(day.document(), "t")
    assert taken.verdict == "OK"
    assert [(hole.start.position_s, hole.length_s) for hole in taken.holes] == [(5.0, 5.0)]


def test_a_restart_of_the_service_is_a_hole_in_everything() -> None:
    day = live_day()
    day.take("t", "1/1", 1, 10, 40)
    day.gap(25, "service", 5, "s", "service restarted")
    document = day.document()
    taken = row(document, "t")
    assert [(hole.source_name, hole.start.position_s) for hole in taken.holes] == [
        ("everything", 10.0)
    ]
    assert document.totals.not_monitored_s == 5.0


def test_a_service_that_was_down_for_a_whole_take_monitored_nothing() -> None:
    day = live_day()
    day.take("t", "1/1", 1, 10, 20)
    day.gap(30, "service", 25, "s", "service restarted")
    assert row(day.document(), "t").verdict == "NOT MONITORED"


def test_practice_is_never_in_a_report() -> None:
    day = live_day()
    day.take("t", "1/1", 1, 10, 20)
    day.state(1, "demo", "live")
    day.alert("a", "audio.clipping", "FAULT", "demo", 12, 13)
    day.gap(14, "demo", 3, "samples", "practice")
    document = day.document()
    assert row(document, "t").verdict == "OK"
    assert "Practice" not in document.model_dump_json()
    assert document.totals.losses == 0


def test_alerts_that_were_only_pending_or_suppressed_are_not_told() -> None:
    day = live_day()
    day.alert("a", "audio.silence", "CHECK", "cart", 12, 13, active_ns=None, condition="pending")
    day.alert("b", "audio.silence", "CHECK", "cart", 12, 13, suppressed_by="lost")
    day.take("t", "1/1", 1, 10, 20)
    document = day.document()
    assert row(document, "t").alerts == []
    assert document.between_takes == []


def test_the_newest_record_of_a_take_counts_and_deleted_takes_are_counted_only() -> None:
    day = whole_day()
    body = day.records[3].body
    assert isinstance(body, TakeBody)
    edited = body.take.model_copy(update={"slate": "27B/7"})
    day.put(900, TakeBody(what="edited", take=edited))
    document = day.document()
    assert row(document, "t1").slate == "27B/7"
    assert document.totals.takes == 5
    assert document.totals.deleted_takes == 1


def test_another_boot_moves_the_engines_axis_but_not_the_wall_clock() -> None:
    day = live_day()
    day.take("t", "1/1", 1, 1000, 1020)
    day.alert("a", "audio.clipping", "FAULT", "cart", 1005, 1006)
    record = day.records[-1]
    shift = 990 * SECOND  # the machine was booted 990 s after dawn
    moved = {key: value - shift for key, value in (("onset_ns", 1005 * SECOND),
             ("active_ns", 1005 * SECOND), ("end_ns", 1006 * SECOND))}  # fmt: skip
    alert = record.body.alert.model_copy(update=moved)  # type: ignore[union-attr]
    body = record.body.model_copy(update={"alert": alert})
    day.records[-1] = record.model_copy(update={"t_ns": record.t_ns - shift, "body": body})
    found = row(day.document(), "t").alerts[0]
    assert found.start.utc_ns == DAWN + 1005 * SECOND
    assert found.start.position_s == 5.0


def test_a_take_that_still_rolls_has_no_length() -> None:
    day = live_day()
    day.take("t", "1/1", 1, 10, None)
    taken = row(day.document(until_s=50), "t")
    assert taken.length_s is None
    assert (taken.verdict, taken.complete) == ("OK", True)


def test_losses_are_in_their_take_and_the_others_between() -> None:
    day = live_day()
    day.take("t", "1/1", 1, 10, 20)
    day.gap(12, "cart", 480, "samples", "overflow")
    day.gap(25, "cart", 96, "samples", "overflow")
    document = day.document()
    assert [loss.amount for loss in row(document, "t").losses] == [480]
    assert [loss.amount for loss in document.losses] == [96]
    assert document.totals.losses == 2


def test_a_day_without_records_is_a_document_too() -> None:
    document = Day().document(coarser={})
    assert document.takes == []
    assert document.totals.takes == 0


def test_what_became_coarser_is_counted_by_name() -> None:
    assert whole_day().document().totals.coarser == {"Sound cart": 12}


def test_a_silence_marked_as_muted_is_a_note_that_says_who_said_so() -> None:
    day = live_day()
    day.take("t1", "1/1", 1, 600, 700)

    def silence(end_s: float | None, what: str, who: str | None, muted_ns: int | None) -> None:
        day.alert("x1", "audio.silence", "FAULT", "cart", 610, end_s, what=what, who=who, channel=1,
                  channel_name="Ana", message="Ana: digital silence for 80 s",
                  muted_ns=muted_ns)  # fmt: skip

    silence(None, "active", None, None)
    silence(None, "muted", "Priya", 620 * SECOND)
    silence(690, "cleared", None, 620 * SECOND)
    document = day.document()
    (row,) = document.takes
    (alert,) = row.alerts
    assert (row.verdict, alert.severity) == ("OK", "NOTE")
    assert alert.message == "Ana: digital silence for 80 s; marked as muted by Priya"
    assert document.totals.severities == {"NOTE": 1}
