import itertools

import pytest

from monitor.rules.kinds import Where
from monitor.rules.model import Transition
from tests.monitor.rules.scenario import Run, event, ns, reading, started

BOOM = {"detector": "clipping", "phase": "close", "channels": [1], "worst": 5, "unit": "samples"}


def clipped(run: Run, at_s: float) -> list[Transition]:
    told = run.engine.line(event("cart", at_s, BOOM | {"id": f"e{at_s}", "end_s": at_s}), ns(at_s))
    return told + run.engine.tick(ns(at_s + 3))


@pytest.fixture
def run() -> Run:
    rolling = started({})
    rolling.engine.set_phase("rolling", 0)
    return rolling


def test_every_clip_of_a_group_keeps_its_own_start_end_and_worst(run: Run) -> None:
    at_s = [20.0 + 10 * number for number in range(23)]
    told = list(itertools.chain.from_iterable(clipped(run, s) for s in at_s))
    cleared = [t.alert for t in told if t.what == "cleared"]
    assert len({alert.id for alert in cleared}) == 23
    assert {alert.group for alert in cleared} == {cleared[0].id}
    assert [alert.onset_ns for alert in cleared] == [ns(s) for s in at_s]
    assert [alert.start and alert.start.ticks for alert in cleared] == [s * 48_000 for s in at_s]
    assert all(alert.end is not None and alert.worst == 5 for alert in cleared)


def test_acknowledging_one_leaves_those_that_came_after_it(run: Run) -> None:
    for at_s in (20.0, 30.0, 40.0):
        clipped(run, at_s)
    first, second, third = run.engine.alerts()
    told = run.engine.acknowledge(second.id, "Kim", ns(50), 0)
    assert [t.alert.id for t in told if t.what == "acknowledged"] == [first.id, second.id]
    assert run.engine.alerts() == [third]


def test_a_pending_alert_has_no_group_and_one_that_is_dropped_begins_none(run: Run) -> None:
    level = reading("cart", 0.0, 0.1, {"clock_drift_ppm": 20.0, "clock_drift_error_ppm": 1.0})
    run.engine.set_phase("line_up", 1)
    told = run.engine.line(level, ns(0.1))
    back = reading("cart", 0.1, 0.2, {"clock_drift_ppm": 0.0, "clock_drift_error_ppm": 1.0})
    told += run.engine.line(back, ns(0.2))
    assert [(t.what, t.alert.group) for t in told] == [("pending", ""), ("dropped", "")]
    assert run.engine._groups.groups == []


def test_a_group_goes_on_after_a_restart_that_moved_the_axis(run: Run) -> None:
    (first,) = {t.alert.group for t in clipped(run, 20.0) if t.what == "active"}
    state = run.engine.state()
    run.engine = run.new_engine()
    run.engine.restore(state, shift_ns=ns(5))
    where = Where(source="cart", stream=0, channel=1)
    (group,) = [g for g in run.engine._groups.groups if g.where == where]
    assert (group.first, group.newest_ns) == (first, ns(25))
