"""The line-up: what it learns, when, and for how long that holds."""

from monitor.hub.hub import Hub
from monitor.hub.line_up import Learned
from monitor.lines import Baseline
from monitor.metrics import Value
from monitor.records import LineUpBody
from tests.monitor.hub.test_hub import S, hub_of, reading

FLOORS = [-60.0, -58.5]


def told(hub: Hub) -> tuple[list[LineUpBody], list[dict[str, Value]]]:
    """Return what was journalled as learned, and the baselines sent to the cart."""
    effects = hub.drain()
    bodies = [entry.body for entry in effects.entries if isinstance(entry.body, LineUpBody)]
    sent = [dict(line.baseline) for to, line in effects.sends
            if isinstance(line, Baseline) and to == "cart"]  # fmt: skip
    return bodies, sent


def lined_up() -> Hub:
    """A line-up in which the first channel had tone and the second never a sound."""
    hub = hub_of()
    hub.set_line_up(True, 10 * S, "Ada")
    tone = {
        "tone_hz": [1000.0, None],
        "tone_level_dbfs": [-20.0, None],
        "tone_thdn_db": [-80, None],
    }
    hub.line(reading("cart", 20 * S, silent_s=[0.0, 20.0], **tone), 20 * S)
    none = {key: [None, None] for key in tone}
    hub.line(reading("cart", 30 * S, silent_s=[0.0, 30.0], noise_floor_dbfs=FLOORS, **none), 30 * S)
    hub.drain()
    return hub


def test_the_end_of_the_line_up_is_learned_sent_and_written_down() -> None:
    hub = lined_up()
    hub.set_line_up(False, 40 * S, "Ada")
    ((body,), (sent,)) = told(hub)
    assert sent == {"noise_floor_dbfs": FLOORS}
    assert body.baseline == sent
    first, second = body.channels
    assert (first.heard, first.noise_floor_dbfs) == (True, -60.0)
    assert (first.tone_hz, first.tone_level_dbfs, first.tone_thdn_db) == (1000.0, -20.0, -80.0)
    assert (second.heard, second.tone_hz) == (False, None)
    assert hub.line_up.learned["cart"].who == "Ada"


def test_the_first_roll_learns_a_line_up_that_nobody_ended_and_before_values_restart() -> None:
    hub = lined_up()
    hub.roll(40 * S, "Ada")
    sends = [line.line for to, line in hub.drain().sends if to == "cart"]
    assert sends == ["baseline", "reset"]
    hub.cut(50 * S, "Ada")
    hub.roll(60 * S, "Ada")
    assert told(hub) == ([], [])


def test_learning_again_replaces_what_was_learned() -> None:
    hub = lined_up()
    assert hub.line_up.learn(hub, 31 * S, "Ada") == ["cart"]
    hub.line(reading("cart", 32 * S, noise_floor_dbfs=[-55.0, -58.5]), 32 * S)
    hub.set_line_up(False, 40 * S, "Kim")
    bodies, sent = told(hub)
    assert [body.baseline["noise_floor_dbfs"] for body in bodies] == [FLOORS, [-55.0, -58.5]]
    assert sent[-1] == {"noise_floor_dbfs": [-55.0, -58.5]}


def test_a_line_up_without_a_live_source_of_sound_learns_nothing() -> None:
    hub = hub_of()
    hub.watching["cart"].state = "lost"
    hub.set_line_up(True, 10 * S, "Ada")
    hub.set_line_up(False, 20 * S, "Ada")
    assert told(hub) == ([], [])


def test_ending_what_is_not_on_learns_nothing() -> None:
    hub = hub_of()
    hub.set_line_up(False, 20 * S, "Ada")
    assert told(hub) == ([], [])


def test_a_new_shooting_day_lets_go_of_yesterdays() -> None:
    hub = lined_up()
    hub.tick(31 * S)
    hub.set_line_up(False, 32 * S, "Ada")
    hub.drain()
    hub._day = lambda utc_ns: "tomorrow"
    hub.tick(33 * S)
    assert told(hub) == ([], [{}])
    assert hub.line_up.learned == {}


def test_what_the_journal_kept_is_known_after_a_restart() -> None:
    before = lined_up()
    before.set_line_up(False, 40 * S, "Ada")
    ((body,), _) = told(before)
    after = hub_of()
    after.line_up.restore([Learned(body=body, utc_ns=7, who="Ada")])
    assert after.line_up.learned["cart"].body.channels[0].tone_hz == 1000.0
