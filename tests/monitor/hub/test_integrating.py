"""Integrated values by hand: paused, continued, reset; and what a roll makes of them."""

import pytest

from monitor.hub.hub import Hub
from monitor.hub.integrating import DONE, NoSound, TakeRolls, integrate
from monitor.lines import InLine
from monitor.records import NoticeBody
from tests.monitor.hub.test_hub import S, hello, hub_of


def sent(hub: Hub) -> list[InLine]:
    return [line for source, line in hub.drain().sends if source == "cart"]


def test_each_is_sent_to_its_source_and_written_down_with_a_name() -> None:
    hub = hub_of()
    for do, words in DONE.items():
        integrate(hub, "cart", do, 10 * S, "Ada")
        effects = hub.drain()
        ((source, line),) = effects.sends
        assert source == "cart"
        assert line.line == ("reset" if do == "reset" else "integrate")
        assert getattr(line, "on", None) == {"pause": False, "continue": True}.get(do)
        told = [(e.body.text, e.who) for e in effects.entries if isinstance(e.body, NoticeBody)]
        assert told == [(f"Sound cart: integrated values {words}", "Ada")]


def test_a_roll_starts_what_was_paused_from_nothing() -> None:
    hub = hub_of()
    integrate(hub, "cart", "pause", 10 * S, "Ada")
    hub.drain()
    hub.roll(20 * S, "Ada")
    assert [line.line for line in sent(hub)] == ["integrate", "reset"]
    hub.cut(30 * S, "Ada")
    hub.roll(40 * S, "Ada")
    assert [line.line for line in sent(hub)] == ["reset"]


def test_the_values_of_a_take_are_not_reset_under_it() -> None:
    hub = hub_of()
    hub.roll(20 * S, "Ada", groups=["sound"])
    hub.drain()
    with pytest.raises(TakeRolls, match="Sound cart is in a take"):
        integrate(hub, "cart", "reset", 25 * S, "Ada")
    assert sent(hub) == []
    integrate(hub, "cart", "pause", 26 * S, "Ada")
    assert [line.line for line in sent(hub)] == ["integrate"]


def test_a_worker_that_begins_anew_in_a_pause_is_paused_again() -> None:
    hub = hub_of()
    integrate(hub, "cart", "pause", 10 * S, "Ada")
    hub.drain()
    hub.line(hello("cart"), 11 * S)  # a new epoch of the same worker: it knows
    assert sent(hub) == []
    hub.line(hello("cart", pid=2), 12 * S)
    assert [line.line for line in sent(hub)] == ["integrate"]


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(KeyError):
        integrate(hub_of(), "nobody", "pause", 10 * S, "Ada")


def test_a_source_without_sound_has_nothing_to_pause_and_says_so() -> None:
    hub = hub_of()
    hub.line(hello("cam"), 1 * S)
    hub.drain()
    for do in DONE:
        with pytest.raises(NoSound, match="A camera has no sound"):
            integrate(hub, "cam", do, 10 * S, "Ada")
    assert hub.drain().sends == []
    assert not hub.watching["cam"].paused
