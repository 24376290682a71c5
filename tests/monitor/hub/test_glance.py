from collections.abc import Sequence

import pytest

from monitor.hub.glance import Watched, departments, glance
from monitor.rules.model import Alert
from tests.monitor.bodies import an_alert

CART = Watched(id="cart", name="Sound cart", department="sound", group="sound", state="live")
CAM_A = Watched(id="a", name="A camera", department="camera", group="A camera", state="live")
CAM_B = Watched(id="b", name="B camera", department="camera", group="B camera", state="live")
GONE = Watched(
    id="b", name="B camera", department="camera", group="B camera", state="lost", why="no answer"
)
ROLLING = frozenset({"sound", "A camera", "B camera"})
FAULT = an_alert(severity="FAULT")
CHECK = an_alert(severity="CHECK")


def word(sources: Sequence[Watched], alerts: Sequence[Alert], rolling: frozenset[str]) -> str:
    return glance(sources[0].department, sources, alerts, rolling, {"now"}).word


def test_nobody_rolling_is_never_ok() -> None:
    assert word([CART], [], frozenset()) == "STANDBY"
    assert word([CART], [], ROLLING) == "OK"


def test_a_group_that_does_not_roll_keeps_its_department_in_standby() -> None:
    assert word([CART], [], frozenset({"A camera"})) == "STANDBY"


@pytest.mark.parametrize(
    ("alert", "expected"),
    [
        (FAULT, "FAULT"),
        (CHECK, "CHECK"),
        (an_alert(severity="NOTE"), "OK"),
        (an_alert(severity="FAULT", condition="cleared", latched=True, take="now"), "FAULT"),
        (an_alert(severity="FAULT", condition="cleared"), "OK"),
        (an_alert(severity="FAULT", suppressed_by="x"), "OK"),
        (an_alert(severity="FAULT", shelved_until_ns=5), "OK"),
        (an_alert(severity="FAULT", condition="pending"), "OK"),
        (an_alert(severity="FAULT", department="camera"), "OK"),
    ],
)
def test_the_gravest_standing_alert_gives_the_word(alert: Alert, expected: str) -> None:
    assert word([CART], [alert], ROLLING) == expected


def test_what_an_earlier_take_left_does_not_colour_this_one_unless_it_lasts() -> None:
    left = an_alert(severity="FAULT", condition="cleared", latched=True, take="before")
    verdict = glance("sound", [CART], [left], ROLLING, {"now"})
    assert (verdict.word, verdict.detail) == ("OK", "of earlier takes, not acknowledged: 1")
    assert word([CART], [left], frozenset()) == "FAULT"
    assert word([CART], [an_alert(severity="FAULT", take="before")], ROLLING) == "FAULT"


def test_a_lost_source_in_a_take_is_not_monitored_and_never_red() -> None:
    verdict = glance("camera", [CAM_A, GONE], [], ROLLING)
    assert (verdict.word, verdict.subject, verdict.detail) == (
        "NOT MONITORED",
        "B camera",
        "no answer",
    )


def test_a_known_fault_outranks_a_lost_eye_and_that_a_warning() -> None:
    fault = an_alert(severity="FAULT", department="camera", source="a")
    check = an_alert(severity="CHECK", department="camera", source="a")
    assert word([CAM_A, GONE], [fault], ROLLING) == "FAULT"
    assert word([CAM_A, GONE], [check], ROLLING) == "NOT MONITORED"


def test_between_takes_one_lost_source_is_named_and_all_lost_is_not_monitored() -> None:
    verdict = glance("camera", [CAM_A, GONE], [], frozenset())
    assert (verdict.word, verdict.detail) == ("STANDBY", "not monitored: B camera")
    assert word([GONE], [], frozenset()) == "NOT MONITORED"


def test_only_departments_with_a_source_have_a_word() -> None:
    assert departments([CART]) == ["sound"]
    assert departments([CAM_A, CAM_B]) == ["camera"]
    both = Watched(id="x", name="X", department="both", group="x", state="live")
    assert departments([both]) == ["sound", "camera"]
    assert departments([]) == []


def test_the_verdict_says_what_to_say_at_the_cut() -> None:
    verdict = glance("sound", [CART], [FAULT], ROLLING)
    assert verdict.subject == "Boom"
    assert verdict.say == "Boom: Boom clipped once"


def test_what_has_ended_is_watched_between_takes_and_not_monitored_in_one() -> None:
    ended = Watched(id="f", name="A file", department="camera", group="f", state="ended")
    assert word([ended], [], frozenset()) == "STANDBY"
    assert word([ended], [], frozenset({"f"})) == "NOT MONITORED"
    assert word([CAM_A, ended], [], frozenset({"A camera", "f"})) == "NOT MONITORED"
