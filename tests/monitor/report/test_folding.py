"""Alerts that repeat are one row for people, and every one of them for programs."""

from monitor.report import REPORTS
from monitor.report.document import DayAlert, DayDocument
from monitor.report.folding import folded
from monitor.report.wording import noted, often
from tests.monitor.report.samples import live_day, whole_day


def clips(*many: dict[str, object]) -> list[DayAlert]:
    """Return alerts of one group, one every 10 s, changed as told."""
    day = live_day()
    for number, more in enumerate(many):
        begun_s = 20.0 + 10 * number
        values: dict[str, object] = {"group": "a0", "severity": "CHECK", "unit": "samples", **more}
        day.alert(
            f"a{number}", "audio.clipping", str(values.pop("severity")), "cart", begun_s,
            begun_s + 1, what=None, who=None, **values,
        )  # fmt: skip
    day.take("t", "1/1", 1, 10, 500)
    return day.document().takes[0].alerts


def test_a_group_is_one_row_with_its_count_and_its_first_and_last_time() -> None:
    (fold,) = folded(clips({"count": 3}, {"count": 2}, {}))
    assert (fold.count, fold.first.id, fold.last.id) == (6, "a0", "a2")
    assert often(fold) == "6 times, last 09:00:40"
    assert fold.longest_s == 1.0


def test_the_worst_is_the_gravest_and_of_equals_the_farthest_from_its_limit() -> None:
    (fold,) = folded(
        clips(
            {"worst": 90.0, "limit": 3.0},
            {"severity": "FAULT", "worst": 5.0, "limit": 3.0},
            {"severity": "FAULT", "worst": 7.0, "limit": 3.0},
        )
    )
    assert fold.worst.id == "a2"


def test_another_group_and_an_alert_of_none_are_rows_of_their_own() -> None:
    folds = folded(clips({}, {"group": "a1"}, {"group": ""}, {}))
    assert [[one.id for one in fold.members] for fold in folds] == [["a0", "a3"], ["a1"], ["a2"]]
    assert often(folds[1]) == ""


def test_pictures_are_counted_as_frames() -> None:
    (fold,) = folded(clips({"unit": "frames", "count": 20}, {"unit": "frames"}))
    assert often(fold) == "21 frames, last 09:00:30"


def test_who_took_note_of_some_is_not_said_to_have_seen_all() -> None:
    priya: dict[str, object] = {"acknowledged": {"who": "Priya", "t_ns": 0, "utc_ns": 0}}
    assert noted(folded(clips(priya, priya))[0]) == "Priya"
    assert noted(folded(clips(priya, {}, {}))[0]) == "Priya, 1 of 3"
    assert noted(folded(clips({}, {}))[0]) == ""


def test_people_read_one_row_and_programs_every_alert() -> None:
    document = whole_day().document()
    for form in ("text", "html"):
        told = REPORTS[form].render(document)
        assert "6 times, last 09:19:20" in told
        assert "Ana clipped, 3 in a row" in told
        assert "Ana clipped, 2 in a row" not in told
    listed = DayDocument.model_validate_json(REPORTS["json"].render(document)).takes[2]
    assert {alert.id for alert in listed.alerts} == {"y0", "y1", "y2"}
    assert REPORTS["csv"].render(document).count("in a row") == 3
