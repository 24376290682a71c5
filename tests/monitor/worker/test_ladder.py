"""The ladder: down quickly, up slowly, and never swinging for long. Time is an argument."""

from collections.abc import Callable
from itertools import pairwise

from capture.source import RUNGS, Lost
from monitor.worker.ladder import HOLD_S, OPENING_S, UP_LIMIT_S, UP_S, Ladder, Load, Pressure

STEP_S = 0.25
SHORT = Load(behind_s=1.0, busy=1.0)
CALM = Load(behind_s=0.01, busy=0.2)
WORKING = Load(behind_s=0.05, busy=0.8)


def walk(load_at: Callable[[float, int], Load], for_s: float) -> list[tuple[float, int]]:
    """Return when the depth changed, and to what, where loads follow from time and depth."""
    ladder, changes = Ladder(0.0), []
    for n in range(round(for_s / STEP_S)):
        t_s, before = n * STEP_S, ladder.depth
        ladder.look(load_at(t_s, before), t_s)
        if ladder.depth != before:
            changes.append((t_s, ladder.depth))
    return changes


def test_a_machine_with_time_decodes_everything() -> None:
    assert walk(lambda t_s, depth: WORKING, 300) == []


def test_a_machine_that_is_short_is_at_the_bottom_in_seconds_and_stays_there() -> None:
    changes = walk(lambda t_s, depth: SHORT, 60)
    assert [depth for _, depth in changes] == [1, 2, 3]
    assert changes[-1][0] <= OPENING_S + 3 * (HOLD_S + 1.0)


def test_the_load_of_opening_is_no_shortage() -> None:
    assert walk(lambda t_s, depth: SHORT if t_s < OPENING_S else WORKING, 60) == []


def test_a_hiccup_is_no_shortage_but_lost_pictures_are() -> None:
    assert walk(lambda t_s, depth: SHORT if t_s == 10 else WORKING, 30) == []
    lost = walk(lambda t_s, depth: Load(lost=1) if t_s == 10 else WORKING, 30)
    assert lost == [(10.0, 1)]


def test_it_stops_at_the_first_rung_that_there_is_time_for() -> None:
    assert walk(lambda t_s, depth: SHORT if depth < 2 else WORKING, 120)[-1][1] == 2


def test_it_climbs_up_again_one_rung_at_a_time_when_the_machine_has_time() -> None:
    changes = walk(lambda t_s, depth: SHORT if t_s < 10 else CALM, 90)
    assert [depth for _, depth in changes] == [1, 2, 3, 2, 1, 0]
    ups = [t_s for t_s, _ in changes[3:]]
    assert all(b - a >= UP_S for a, b in pairwise(ups))


def test_without_calm_it_does_not_climb() -> None:
    changes = walk(lambda t_s, depth: SHORT if t_s < 10 else WORKING, 600)
    assert [depth for _, depth in changes] == [1, 2, 3]


def test_what_fails_again_and_again_is_tried_less_and_less() -> None:
    changes = walk(lambda t_s, depth: SHORT if depth < 2 else CALM, 3_600)
    ups = [t_s for t_s, depth in changes if depth == 1][1:]
    waits = [b - a for a, b in pairwise(ups)]
    assert waits[0] < 30
    assert max(waits) <= UP_LIMIT_S + 10
    assert len(ups) < 3_600 / UP_LIMIT_S + 6


def test_rungs_are_named_from_all_to_none() -> None:
    ladder = Ladder(0.0)
    first: str = ladder.rung
    assert first == RUNGS[0] == "all frames"
    for n in range(60):
        ladder.look(SHORT, n * STEP_S)
    assert ladder.rung == "packets only"


def test_pressure_is_the_longest_wait_and_the_pictures_lost_to_it_since_the_last_look() -> None:
    def lost(reason: str, amount: float) -> Lost:
        return Lost(
            stream=0, epoch=0, start=0, amount=amount, unit="frames", reason=reason, t_arrival_ns=0
        )

    pressure = Pressure()
    pressure.take(lost("compute", 3), 500_000_000, "compute")
    pressure.take(lost("the link", 9), 200_000_000, "compute")
    assert pressure.load(0.5) == Load(behind_s=0.5, busy=0.5, lost=3)
    assert pressure.load(0.5) == Load(behind_s=0.0, busy=0.5, lost=0)
