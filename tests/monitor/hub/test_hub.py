"""The hub on its own: lines in, records and commands out; time is an argument."""

from collections.abc import Sequence

import pytest

from config.loading import load_spec
from config.settings import SourceSettings
from monitor.hub import ourselves
from monitor.hub.hub import DOWN_NS, Entry, Hub
from monitor.lines import Clock, Event, Gap, Hello, Keep, Reading, Reset, State, Still, Stream
from monitor.records import AlertBody, GapBody, NoticeBody, PhaseBody, SourceBody, TakeBody
from monitor.rules.model import Alert
from monitor.rules.table import rules_for
from monitor.takes.book import TakeError

S = 1_000_000_000
RATE = 48_000
UTC = 1_795_000_000 * S
CART = SourceSettings(id="cart", kind="audio_device", name="Sound cart", department="sound")
CAM = SourceSettings(id="cam", kind="network_feed", name="A camera", department="camera")


def hub_of(sources: Sequence[SourceSettings] = (CART, CAM)) -> Hub:
    ids = iter(range(10_000))
    hub = Hub(
        sources,
        rules_for(load_spec("tv-25p-hd"), "feed"),
        production="P",
        unit="U",
        boot_id="boot",
        day=lambda utc_ns: f"day {utc_ns // (86_400 * S)}",
        new_id=lambda: f"id{next(ids)}",
    )
    hub.clock(0, UTC, 100)
    for source in sources:
        hub.line(hello(source.id), S)
        hub.line(state(source.id, "live", S), S)
    hub.drain()
    return hub


def hello(source: str, *, pid: int = 1, epoch: int = 0, latency_s: float = 0.0) -> Hello:
    kind = {"cart": "audio", "cam": "video"}[source]
    stream = {"index": 0, "kind": kind, "time_base": "1/48000"}
    if kind == "audio":
        stream |= {"sample_rate_hz": RATE, "channels": 2}
    return Hello(
        node="n",
        boot_id="boot",
        pid=pid,
        source=source,
        kind="x",
        epoch=epoch,
        latency_s=latency_s,
        streams=[Stream.model_validate(stream)],
    )


def state(source: str, word: str, t_ns: int, why: str | None = None) -> State:
    return State.model_validate({"source": source, "state": word, "why": why, "t_mono_ns": t_ns})


def reading(source: str, t_ns: int, **values: object) -> Reading:
    end = round(t_ns / S * RATE)
    return Reading.model_validate(
        {
            "source": source,
            "seq": 1,
            "stream": 0,
            "epoch": 0,
            "start": end - 4800,
            "end": end,
            "t_arrival_ns": t_ns,
            "values": values,
        }
    )


def clip(t_ns: int, phase: str = "open", count: int = 1, event: str = "e1") -> Event:
    tick = round(t_ns / S * RATE)
    return Event.model_validate(
        {
            "source": "cart",
            "id": event,
            "phase": phase,
            "detector": "clipping",
            "stream": 0,
            "epoch": 0,
            "channels": [1],
            "start": tick,
            "end": tick + 5,
            "time_base": "1/48000",
            "worst": 5,
            "unit": "samples",
            "count": count,
            "count_1s": count,
            "t_arrival_ns": t_ns,
        }
    )


def clipped(hub: Hub, t_ns: int, event: str = "e1") -> None:
    hub.line(reading("cart", t_ns, sample_peak_dbfs=[-3.0, 0.0]), t_ns)
    hub.line(clip(t_ns, event=event), t_ns)
    hub.line(clip(t_ns, "close", event=event), t_ns)


def alerts_of(entries: Sequence[Entry]) -> list[Alert]:
    return [entry.body.alert for entry in entries if isinstance(entry.body, AlertBody)]


def clips_of(entries: Sequence[Entry]) -> list[Alert]:
    return [alert for alert in alerts_of(entries) if alert.rule == "audio.clipping"]


def test_a_clip_in_a_take_becomes_an_alert_of_that_take() -> None:
    hub = hub_of()
    take = hub.roll(20 * S, "Ada")
    hub.drain()
    clipped(hub, 40 * S)
    (alert, *_) = clips_of(hub.drain().entries)
    assert (alert.rule, alert.channel, alert.take) == ("audio.clipping", 1, take.id)


def test_an_alert_belongs_to_the_take_that_covers_its_capture_time() -> None:
    hub = hub_of([CART])
    hub.line(hello("cart", latency_s=2.0), S)
    hub.roll(20 * S, "Ada")
    hub.cut(40 * S, "Ada")
    hub.drain()
    take = hub.roll(41 * S, "Ada")
    clipped(hub, 60 * S)
    clipped_at = alerts_of(hub.drain().entries)[0]
    assert clipped_at.onset_ns == pytest.approx(58 * S, abs=0.2 * S)
    assert clipped_at.take == take.id


def test_moving_the_roll_back_takes_an_earlier_alert_along() -> None:
    hub = hub_of([CART])
    clipped(hub, 30 * S)
    hub.tick(35 * S)
    take = hub.roll(40 * S, "Ada")
    hub.drain()
    hub.edit(take.id, {"roll_back_s": 20}, 45 * S, "Ada")
    entries = hub.drain().entries
    assert {alert.take for alert in alerts_of(entries)} == {take.id}
    assert [e.body.what for e in entries if isinstance(e.body, TakeBody)] == ["moved"]


def test_a_deleted_take_lets_its_alerts_go() -> None:
    hub = hub_of([CART])
    take = hub.roll(20 * S, "Ada")
    clipped(hub, 40 * S)
    hub.cut(50 * S, "Ada")
    hub.drain()
    hub.edit(take.id, {"deleted": True}, 60 * S, "Ada")
    assert {alert.take for alert in alerts_of(hub.drain().entries)} == {None}


def test_what_ended_in_a_take_is_still_told_with_that_take() -> None:
    hub = hub_of([CART])
    take = hub.roll(20 * S, "Ada")
    clipped(hub, 40 * S)
    hub.acknowledge(clips_of(hub.drain().entries)[0].id, "Ada", 41 * S)
    hub.cut(50 * S, "Ada")
    hub.tick(60 * S)
    assert hub.standing() == []
    told = {alert.rule: alert.condition for alert in hub.told({take.id})}
    assert told["audio.clipping"] == "cleared"
    assert hub.told(set()) == []


def test_a_roll_resets_the_sources_of_its_groups_only() -> None:
    hub = hub_of()
    take = hub.roll(20 * S, "Ada", groups=["sound"])
    assert hub.drain().sends == [("cart", Reset(take=take.id))]
    assert hub.phase == "rolling"


def test_the_cut_stores_the_programmes_loudness() -> None:
    hub = hub_of()
    hub.roll(20 * S, "Ada")
    values = {"programme_integrated_lufs": -23.1, "programme_loudness_range_lu": None}
    hub.line(reading("cart", 30 * S, **values), 30 * S)
    take = hub.cut(40 * S, "Ada")
    stored = {f"cart/{key}": value for key, value in values.items()}
    assert take.loudness == stored
    journalled = [e.body.take for e in hub.drain().entries if isinstance(e.body, TakeBody)]
    assert journalled[-1].loudness == stored
    assert hub.book.takes[-1].loudness == stored


def test_cutting_twice_is_refused_and_writes_nothing() -> None:
    hub = hub_of()
    hub.roll(20 * S, "Ada")
    hub.cut(40 * S, "Ada")
    hub.drain()
    with pytest.raises(TakeError):
        hub.cut(41 * S, "Ada")
    assert hub.drain().entries == []


def test_a_worker_restarted_in_a_take_is_marked_integrated_since() -> None:
    hub = hub_of([CART])
    hub.roll(20 * S, "Ada")
    hub.line(state("cart", "live", 25 * S), 25 * S)
    hub.line(state("cart", "lost", 26 * S, "unplugged"), 26 * S)
    hub.drain()
    hub.line(hello("cart", pid=2), 30 * S)
    (gap,) = [e.body.gap for e in hub.drain().entries if isinstance(e.body, GapBody)]
    assert (gap.source, gap.amount, gap.unit) == ("cart", 5.0, "s")
    assert "integrated since" in gap.reason
    assert "integrated_since" in hub.watching["cart"].words()
    hub.cut(40 * S, "Ada")
    hub.roll(50 * S, "Ada")
    assert "integrated_since" not in hub.watching["cart"].words()


def test_a_source_s_state_is_written_when_it_changes_and_not_with_every_heartbeat() -> None:
    hub = hub_of([CART])
    for quarter in range(8):
        hub.line(state("cart", "live", (10 + quarter) * S), (10 + quarter) * S)
    hub.line(state("cart", "lost", 20 * S, "unplugged"), 20 * S)
    states = [e.body.source.state for e in hub.drain().entries if isinstance(e.body, SourceBody)]
    assert states == ["lost"]


def test_a_lost_source_has_no_values_left() -> None:
    hub = hub_of([CART])
    hub.line(reading("cart", 10 * S, rms_dbfs=[-20.0, -20.0]), 10 * S)
    hub.line(state("cart", "lost", 11 * S), 11 * S)
    assert hub.watching["cart"].values == {}


def test_gaps_of_one_reason_add_up_until_the_next_tick() -> None:
    hub = hub_of([CART])
    for at in (10, 11, 12):
        hub.line(
            Gap(
                source="cart",
                stream=0,
                epoch=0,
                time_base="1/48000",
                amount=100,
                unit="samples",
                reason="overflow",
                t_arrival_ns=at * S,
            ),
            at * S,
        )
    assert [e for e in hub.drain().entries if isinstance(e.body, GapBody)] == []
    hub.tick(12 * S)
    (gap,) = [e.body.gap for e in hub.drain().entries if isinstance(e.body, GapBody)]
    assert (gap.amount, gap.reason, gap.t_ns) == (300, "overflow", 10 * S)


def test_a_wall_clock_that_jumps_is_told_and_moves_no_alert() -> None:
    hub = hub_of([CART])
    hub.roll(20 * S, "Ada")
    hub.drain()
    clock = {"source": "cart", "t_mono_ns": 30 * S, "error_ns": 100}
    hub.line(Clock.model_validate({**clock, "utc_ns": UTC + 30 * S - 3600 * S}), 30 * S)
    (told,) = [e.body for e in hub.drain().entries if isinstance(e.body, NoticeBody)]
    assert "-3600.000 s" in told.text
    clipped(hub, 40 * S)
    alert = alerts_of(hub.drain().entries)[0]
    assert alert.onset_ns == pytest.approx(40 * S, abs=0.2 * S)
    assert alert.take is not None


def test_a_standstill_of_the_monitor_itself_is_a_hole_and_an_alert() -> None:
    hub = hub_of([CART])
    hub.roll(20 * S, "Ada")
    hub.tick(21 * S)
    hub.drain()
    hub.tick(21 * S + DOWN_NS + S)
    entries = hub.drain().entries
    (gap,) = [e.body.gap for e in entries if isinstance(e.body, GapBody)]
    assert (gap.source, gap.amount, gap.t_ns) == ("service", 4.0, 21 * S + DOWN_NS + S)
    lost = [alert for alert in alerts_of(entries) if alert.rule == "monitoring.lost"]
    assert lost
    assert lost[0].severity == "CHECK"
    assert lost[0].take is not None


def test_a_nearly_full_disk_raises_storage_low() -> None:
    hub = hub_of([CART])
    for at in range(10, 40):
        ourselves.storage(hub, 5.0, 10**6, at * S)
        hub.tick(at * S)
    assert "storage.low" in {alert.rule for alert in alerts_of(hub.drain().entries)}


def test_an_alert_of_the_picture_asks_for_its_still_and_keeps_the_answer() -> None:
    hub = hub_of()
    hub.roll(20 * S, "Ada")
    hub.line(reading("cam", 40 * S, frame_rate_hz=25.0), 40 * S)
    tick = 39 * RATE
    black = {
        "source": "cam",
        "id": "b1",
        "phase": "open",
        "detector": "black",
        "stream": 0,
        "epoch": 0,
        "start": tick,
        "time_base": "1/48000",
        "t_arrival_ns": 40 * S,
    }
    hub.line(Event.model_validate(black), 40 * S)
    for at in range(41, 46):
        hub.line(reading("cam", at * S, frame_rate_hz=25.0), at * S)
        hub.tick(at * S)
    effects = hub.drain()
    (alert, *_) = [a for a in alerts_of(effects.entries) if a.rule == "video.black"]
    keeps = [line for _, line in effects.sends if isinstance(line, Keep)]
    assert keeps == [Keep(stream=0, tick=tick)]
    still = Still(
        source="cam", stream=0, epoch=0, tick=tick, jpeg_base64="AAAA", t_arrival_ns=46 * S
    )
    hub.line(still, 46 * S)
    assert hub.drain().stills == [(alert.id, b"\0\0\0")]


def test_line_up_sets_the_phase_of_what_does_not_roll() -> None:
    hub = hub_of()
    hub.set_line_up(True, 10 * S, "Ada")
    assert hub.phase == "line_up"
    hub.roll(20 * S, "Ada", groups=["sound"])
    hub.cut(30 * S, "Ada")
    assert hub.phase == "line_up"
    phases = [e.body.phase for e in hub.drain().entries if isinstance(e.body, PhaseBody)]
    assert phases == ["line_up", "rolling", "line_up"]


def test_who_did_it_is_written_with_it_and_not_with_what_the_rules_did() -> None:
    hub = hub_of([CART])
    hub.roll(20 * S, "Ada")
    assert {e.who for e in hub.drain().entries if isinstance(e.body, TakeBody)} == {"Ada"}
    clipped(hub, 40 * S)
    (alert, *_) = alerts_of(hub.drain().entries)
    hub.acknowledge(alert.id, "Bo", 45 * S)
    entries = hub.drain().entries
    assert {e.who for e in entries} == {"Bo"}
    assert alerts_of(entries)[0].acknowledged is not None


def test_acknowledging_what_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        hub_of().acknowledge("nothing", "Ada", 10 * S)


def test_lines_of_a_source_that_was_removed_change_nothing() -> None:
    hub = hub_of([CART])
    hub.line(state("cam", "lost", 10 * S), 10 * S)
    assert hub.drain().entries == []


def test_a_new_day_begins_with_the_state_of_every_source() -> None:
    hub = hub_of([CART])
    hub.tick(S)
    hub.drain()
    for at in range(2, 90_000, 2):
        hub.tick(at * S)
    states = [e.body.source for e in hub.drain().entries if isinstance(e.body, SourceBody)]
    assert {one.state for one in states} == {"live"}
    assert len(states) in (1, 2)


def test_another_hub_goes_on_from_where_one_stopped_also_on_another_boot() -> None:
    first = hub_of([CART])
    first.roll(20 * S, "Ada")
    clipped(first, 40 * S)
    first.tick(41 * S)
    before = {alert.id: alert for alert in first.standing()}
    shift = -15 * S
    second = hub_of([CART])
    second.clock(0, UTC + 15 * S, 1)
    taken = [
        take.model_copy(
            update={
                "parts": [
                    part.model_copy(update={"roll_ns": part.roll_ns + shift}) for part in take.parts
                ]
            }
        )
        for take in first.book.takes
    ]
    second.restore(first.engine.state(), shift, taken, first.book.next_take, [], 30 * S)
    second.resume_rolling(30 * S)
    after = {alert.id: alert for alert in second.standing()}
    assert before
    assert {k: (a.take, a.severity, a.onset_ns + shift) for k, a in before.items()} == {
        k: (a.take, a.severity, a.onset_ns) for k, a in after.items()
    }
    assert second.book.rolling_groups() == {"sound"}
    cut = second.cut(50 * S, "Ada")
    assert cut.id == first.book.takes[0].id


def test_readings_roll_up_by_the_second_and_merge() -> None:
    hub = hub_of([CART])
    for at, peak in ((10.1, -30.0), (10.5, -6.0), (10.9, -20.0), (11.2, -40.0)):
        t_ns = round(at * S)
        hub.line(reading("cart", t_ns, sample_peak_dbfs=[peak, None], rms_dbfs=[peak, -1.0]), t_ns)
    (row,) = hub.tick(round(11.5 * S))
    assert (row.source, row.stream, row.intervals) == ("cart", 0, 3)
    assert row.values["sample_peak_dbfs"] == [-6.0, None]
    assert row.utc_s == (UTC + 10 * S) // S


def test_an_alert_carries_the_level_trace_of_its_detector_in_every_record() -> None:
    hub = hub_of()
    hub.roll(20 * S, "Ada")
    hub.line(reading("cart", 40 * S, sample_peak_dbfs=[-3.0, 0.0]), 40 * S)
    levels = [-30.0] * 60 + [0.0] + [-30.0] * 20
    start = 40 * RATE - 60 * RATE // 20
    update = {"trace": levels, "trace_start": start}
    hub.line(clip(40 * S).model_copy(update=update), 40 * S)
    hub.line(clip(40 * S, "close"), 41 * S)
    (standing,) = [a for a in hub.standing() if a.rule == "audio.clipping"]
    for alert in (*clips_of(hub.drain().entries), standing):
        assert alert.trace is not None
        assert (alert.trace.start_s, alert.trace.step_s) == (-3.0, 0.05)
        assert alert.trace.values == levels


def test_the_trace_of_a_rule_of_a_metric_is_cut_from_the_readings() -> None:
    hub = hub_of()
    hub.roll(20 * S, "Ada")
    for tenth in range(400, 460):
        peak = -0.5 if 450 <= tenth < 452 else -30.0
        hub.line(reading("cart", tenth * S // 10, sample_peak_dbfs=[-40.0, peak]), tenth * S // 10)
    (alert,) = [a for a in hub.standing() if a.rule == "audio.peak"]
    assert alert.trace is not None
    assert len(alert.trace.values) == 100
    assert alert.trace.values[-2:] == [-0.5, -0.5]
    assert set(alert.trace.values[:-2]) == {-30.0}
    assert alert.trace.start_s == pytest.approx(-4.9, abs=0.06)


def test_a_restarted_hub_tells_the_trace_the_journal_kept() -> None:
    before = hub_of()
    before.roll(20 * S, "Ada")
    before.line(reading("cart", 40 * S, sample_peak_dbfs=[-3.0, 0.0]), 40 * S)
    update = {"trace": [-30.0, 0.0], "trace_start": 40 * RATE}
    before.line(clip(40 * S).model_copy(update=update), 40 * S)
    known = list(before.alerts.values())
    after = hub_of()
    after.restore(before.engine.state(), 0, before.book.takes, None, known, 41 * S)
    after.line(state("cart", "ended", 42 * S), 42 * S)
    after.tick(45 * S)
    told = clips_of(after.drain().entries)
    assert [alert.condition for alert in told] == ["cleared"]
    assert told[0].trace is not None
    assert told[0].trace.values == [-30.0, 0.0]
