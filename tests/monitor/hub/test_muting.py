"""Marked as muted: what the hub writes down, and what survives a restart."""

import pytest

from monitor.hub import muting
from monitor.hub.hub import Hub
from monitor.lines import Event
from monitor.records import AlertBody, NoticeBody
from monitor.rules.kinds import Where
from tests.monitor.hub.test_hub import RATE, S, hub_of, reading

ANA = Where(source="cart", stream=0, channel=1)


def silent(hub: Hub) -> None:
    """Let the second channel fall silent in a take."""
    hub.roll(10 * S, "Ada")
    hub.line(reading("cart", 20 * S, silent_s=[0.0, 0.0]), 20 * S)
    hub.line(reading("cart", 22 * S, silent_s=[0.0, 1.0]), 22 * S)
    event = Event(
        source="cart", id="e1", phase="open", detector="silence", stream=0, epoch=0, channels=[1],
        start=21 * RATE, time_base="1/48000", worst=0.25, unit="s", t_arrival_ns=22 * S,
    )  # fmt: skip
    hub.line(event, 22 * S)
    hub.drain()


def notices(hub: Hub) -> list[tuple[str, str | None]]:
    entries = hub.drain().entries
    return [(e.body.text, e.who) for e in entries if isinstance(e.body, NoticeBody)]


def test_a_mark_is_written_down_with_its_name_and_the_word_is_ok_again() -> None:
    hub = hub_of()
    silent(hub)
    assert hub.glances()[0].word == "CHECK"
    muting.mute(hub, ANA, 23 * S, "Priya")
    entries = hub.drain().entries
    told = [(e.body.what, e.who) for e in entries if isinstance(e.body, AlertBody)]
    assert told == [("muted", "Priya")]
    assert [e.body.text for e in entries if isinstance(e.body, NoticeBody)] == [
        "channel 2 (Sound cart) marked as muted"
    ]
    assert hub.glances()[0].word == "OK"


def test_it_ends_by_itself_when_the_channel_has_carried_sound_for_a_second() -> None:
    hub = hub_of()
    silent(hub)
    muting.mute(hub, ANA, 23 * S, "Priya")
    hub.drain()
    for tenth in range(300, 310):
        hub.line(reading("cart", tenth * S // 10, silent_s=[0.0, 0.0]), tenth * S // 10)
    assert notices(hub) == []
    hub.line(reading("cart", 31 * S, silent_s=[0.0, 0.0]), 31 * S)
    assert notices(hub) == [("channel 2 (Sound cart) carries sound again, no longer muted", None)]
    assert hub.engine.mutes() == []


def test_it_survives_a_restart_and_can_be_taken_back() -> None:
    before = hub_of()
    silent(before)
    muting.mute(before, ANA, 23 * S, "Priya")
    after = hub_of()
    after.restore(before.engine.state(), 5 * S, before.book.takes, None, [], 28 * S)
    (mark,) = after.engine.mutes()
    assert (mark.where, mark.who, mark.t_ns) == (ANA, "Priya", 28 * S)
    muting.unmute(after, ANA, 29 * S, "Kim")
    assert notices(after) == [("channel 2 (Sound cart) no longer marked as muted", "Kim")]
    with pytest.raises(KeyError):
        muting.unmute(after, ANA, 30 * S, "Kim")


def test_only_a_silent_channel_that_is_known_can_be_marked() -> None:
    hub = hub_of()
    hub.line(reading("cart", 20 * S, silent_s=[0.0, 0.0]), 20 * S)
    with pytest.raises(ValueError, match="channel 2 carries sound"):
        muting.mute(hub, ANA, 21 * S, "Priya")
    with pytest.raises(KeyError):
        muting.mute(hub, Where(source="cart", stream=0, channel=9), 21 * S, "Priya")
