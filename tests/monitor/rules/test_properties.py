"""What must hold for every timeline, not only for those somebody thought of."""

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.spec import Limit, Rule, Step
from monitor.lines import State
from monitor.metrics import Value, merge_value
from monitor.rules.engine import Engine
from monitor.rules.model import Alert, Transition
from tests.monitor.rules.scenario import NS, SOURCES, bare, event, hello, ns, reading

MAX, DEAD_BAND = -1.0, 0.5
PEAK = "sample_peak_dbfs"
Segment = tuple[Value, int]
"""A value, and for how many tenths of a second it stands."""

levels = st.sampled_from([-30.0, -1.6, -1.4, -1.2, -1.0, -0.9, -0.5, 0.0])
timelines = st.lists(st.tuples(levels, st.integers(1, 60)), min_size=1, max_size=12)

UNHURRIED = settings(deadline=None)  # shared machines stall; nothing here is about speed


def peak_rule(on_delay_s: float = 0.0) -> Rule:
    return Rule(
        name="audio.peak", department="sound", metric=PEAK, kind="above", limit=Limit(max=MAX),
        dead_band=DEAD_BAND, on_delay_s=on_delay_s, off_delay_s=3.0, latch="none",
        rolling=[Step(severity="CHECK")],
    )  # fmt: skip


def rolling(*rules: Rule) -> Engine:
    ids = itertools.count()
    engine = Engine(rules, SOURCES, new_id=lambda: f"a{next(ids)}")
    engine.line(hello("cart"), 0)
    engine.set_phase("rolling", 0)
    return engine


def play(engine: Engine, timeline: Sequence[Segment], from_tenths: int = 0) -> list[Transition]:
    told, at = [], from_tenths
    for value, tenths in timeline:
        line = reading("cart", at / 10, (at + tenths) / 10, {PEAK: [value]})
        at += tenths
        told += engine.line(line, ns(at / 10))
    return told


def play_out(engine: Engine, timeline: Sequence[Segment]) -> list[Transition]:
    """Play it, and let what is told at most four times a second be told to the end."""
    end = sum(tenths for _, tenths in timeline)
    return play(engine, timeline) + engine.tick(ns((end + 3) / 10))


def outcome(told: Sequence[Transition]) -> list[dict[str, Any]]:
    """Return what became of each alert that was raised: its times, severity and worst."""
    last: dict[str, Alert] = {t.alert.id: t.alert for t in told}
    keys = {"onset_ns", "active_ns", "cleared_ns", "severity", "worst", "condition", "count"}
    return [
        alert.model_dump(include=keys) for alert in last.values() if alert.active_ns is not None
    ]


def split(timeline: Sequence[Segment], size: int) -> list[Segment]:
    pieces: list[Segment] = []
    for value, tenths in timeline:
        whole, rest = divmod(tenths, size)
        pieces += [(value, size)] * whole + ([(value, rest)] if rest else [])
    return pieces


@UNHURRIED
@example([(-0.9, 2), (-0.5, 2)], 1, 0.0)
@given(timelines, st.integers(1, 7), st.sampled_from([0.0, 0.35, 2.0]))
def test_how_readings_are_split_does_not_change_alerts(
    timeline: list[Segment], size: int, on_delay_s: float
) -> None:
    whole = play_out(rolling(peak_rule(on_delay_s)), timeline)
    pieces = play_out(rolling(peak_rule(on_delay_s)), split(timeline, size))
    assert outcome(pieces) == outcome(whole)


@UNHURRIED
@given(timelines, st.integers(2, 12))
def test_coarser_readings_never_lose_the_worst(timeline: list[Segment], size: int) -> None:
    fine = split(timeline, 1)
    coarse: list[Segment] = []
    for start in range(0, len(fine), size):
        worst: Value = None
        for value, _ in fine[start : start + size]:
            worst = merge_value("max", worst, value)
        coarse.append((worst, len(fine[start : start + size])))
    exact = outcome(play_out(rolling(peak_rule()), fine))
    merged = outcome(play_out(rolling(peak_rule()), coarse))
    assert bool(merged) == bool(exact)
    assert max((a["worst"] for a in merged), default=None) == max(
        (a["worst"] for a in exact), default=None
    )
    for alert in exact:
        assert any(m["onset_ns"] <= alert["onset_ns"] for m in merged)


@UNHURRIED
@given(timelines, st.lists(st.floats(MAX - DEAD_BAND, MAX, exclude_min=True), min_size=1))
def test_inside_the_dead_band_no_verdict_changes(
    timeline: list[Segment], inside: list[float]
) -> None:
    engine = rolling(peak_rule())
    play(engine, timeline)
    length = sum(tenths for _, tenths in timeline)
    play(engine, [(-30.0 if not engine.alerts() else 0.0, 40)], length)
    before = [(a.id, a.condition) for a in engine.alerts()]
    play(engine, [(value, 50) for value in inside], length + 40)
    assert [(a.id, a.condition) for a in engine.alerts()] == before


@UNHURRIED
@given(timelines, st.integers(1, 20), st.integers(1, 600))
def test_nan_neither_fires_nor_clears(timeline: list[Segment], count: int, tenths: int) -> None:
    engine = rolling(peak_rule())
    play(engine, timeline)
    before = engine.alerts()
    length = sum(tenths for _, tenths in timeline)
    told = play(engine, [(None, tenths)] * count, length)
    told += engine.tick(ns((length + count * tenths) / 10) + 3600 * NS)
    assert [t.what for t in told if t.what != "updated"] == []
    assert [(a.id, a.condition) for a in engine.alerts()] == [(a.id, a.condition) for a in before]


def clipping_rule() -> Rule:
    return Rule(
        name="audio.clipping", department="sound", event="clipping", kind="event",
        off_delay_s=2.0, latch="acknowledged", grace_after_roll_s=10.0,
        line_up=[Step(severity="CHECK")],
        rolling=[Step(severity="CHECK"), Step(severity="FAULT", count=3, within_s=1.0)],
    )  # fmt: skip


def lost_rule() -> Rule:
    return Rule(
        name="source.lost", department="both", kind="state", limit=Limit(value="lost"),
        on_delay_s=1.0, off_delay_s=3.0, latch="acknowledged", latch_in=["rolling"],
        idle=[Step(severity="NOTE")], rolling=[Step(severity="CHECK")],
        suppresses=["audio.clipping", "audio.peak"],
    )  # fmt: skip


moves = st.lists(
    st.one_of(
        st.tuples(st.just("peak"), levels | st.none()),
        st.tuples(st.just("clip"), st.sampled_from(["open", "update", "close"])),
        st.tuples(st.just("phase"), st.sampled_from(["idle", "line_up", "rolling"])),
        st.tuples(st.just("state"), st.sampled_from(["live", "lost", "starting", "stalled"])),
        st.tuples(st.just("back"), st.integers(1, 60)),
        st.tuples(st.just("shelve"), st.sampled_from([None, 5, 50])),
        st.tuples(st.just("acknowledge"), st.just(0)),
        st.tuples(st.just("hello"), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 100)),
    ),
    max_size=30,
)


class Player:
    """Drives an engine by moves; its own time goes on a tenth of a second a move."""

    def __init__(self) -> None:
        self.ids = itertools.count()
        self.rules = [peak_rule(), clipping_rule(), lost_rule()]
        self.engine = self.new()
        self.engine.line(hello("cart"), 0)
        self.tenths = 0
        self.clips = 0

    def new(self) -> Engine:
        return Engine(self.rules, SOURCES, new_id=lambda: f"a{next(self.ids)}")

    def restart(self) -> None:
        state, self.engine = self.engine.state(), self.new()
        self.engine.restore(state)

    def move(self, verb: str, what: Any) -> list[Transition]:  # noqa: ANN401  by verb
        self.tenths += what if verb == "wait" else 1
        s = self.tenths / 10
        t_ns, engine = ns(s), self.engine
        if verb == "peak":
            return engine.line(reading("cart", s - 0.1, s, {PEAK: [what]}), t_ns)
        if verb == "clip":
            self.clips += what == "open"
            step = {"detector": "clipping", "id": f"c{self.clips}", "phase": what, "channels": [1]}
            return engine.line(event("cart", s, step | {"count": 2, "worst": 4.0}), t_ns)
        if verb == "phase":
            return engine.set_phase(what, t_ns)
        if verb == "state":
            return engine.line(State(source="cart", state=what, t_mono_ns=t_ns), t_ns)
        if verb == "back":
            return engine.moved(t_ns - what * NS, t_ns)
        if verb == "shelve":
            until_ns = None if what is None else t_ns + what * NS
            return engine.shelve("audio.clipping", "cart", None, until_ns, "known", t_ns)
        if verb == "acknowledge":
            listed = [a.id for a in engine.alerts() if a.condition != "pending"]
            return engine.acknowledge(listed[0], "Kim", t_ns, t_ns) if listed else []
        if verb == "hello":
            return engine.line(hello("cart"), t_ns)
        return engine.tick(t_ns)


@settings(max_examples=80, deadline=None)
@given(moves, st.integers(0, 30))
def test_a_restart_at_any_moment_gives_the_same_future(
    timeline: list[tuple[str, Any]], at: int
) -> None:
    straight, broken = Player(), Player()
    for index, (verb, what) in enumerate(timeline):
        if index == at:
            broken.restart()
        told, expected = broken.move(verb, what), straight.move(verb, what)
        assert [bare(step) for step in told] == [bare(step) for step in expected]
    assert broken.engine.state() == straight.engine.state()


NEXT = {
    None: {"pending"},
    "pending": {"active", "dropped"},
    "active": {
        "raised", "updated", "cleared", "acknowledged", "suppressed", "unsuppressed", "shelved",
        "unshelved",
    },
    "cleared": {"unlatched", "acknowledged", "raised", "shelved", "unshelved"},
}  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(moves)
def test_every_alert_lives_by_the_book(timeline: list[tuple[str, Any]]) -> None:
    player = Player()
    told = [step for verb, what in timeline for step in player.move(verb, what)]
    told += player.engine.finish(ns(player.tenths / 10) + NS)
    condition: dict[str, str] = {}
    rank: dict[str, int] = {}
    for step in told:
        alert = step.alert
        assert step.what in NEXT[condition.get(alert.id)], (step.what, condition.get(alert.id))
        condition[alert.id] = "dropped" if step.what == "dropped" else alert.condition
        grave = ["NOTE", "CHECK", "FAULT"].index(alert.severity)
        assert grave >= rank.get(alert.id, 0) or step.what == "active"
        rank[alert.id] = grave
        assert alert.active_ns is None or alert.active_ns >= alert.onset_ns
        assert alert.cleared_ns is None or alert.cleared_ns >= (alert.active_ns or 0)
        assert not alert.latched or alert.condition == "cleared"
    assert all(state in ("cleared", "dropped") for state in condition.values())


@settings(max_examples=50, deadline=None)
@given(moves, st.integers(0, 10**15))  # no time of an axis is negative: that means the cut
def test_a_restored_state_moves_with_its_axis(
    timeline: list[tuple[str, Any]], shift_ns: int
) -> None:
    player = Player()
    for verb, what in timeline:
        player.move(verb, what)
    moved = player.new()
    moved.restore(player.engine.state(), shift_ns)
    back = player.new()
    back.restore(moved.state(), -shift_ns)
    assert back.state() == player.engine.state()
    for old, new in zip(player.engine.alerts(), moved.alerts(), strict=True):
        assert new.onset_ns == old.onset_ns + shift_ns
