"""Crackle on one microphone of several, and blows, lips and music that are none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.source import Ended
from monitor.lines import Event
from monitor.measure.measurement import Detection, Setup
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.hops import HISTORY, Hops, Samples
from monitor.measure.sound.listener import Hop
from monitor.measure.sound_faults.clicks import Clicks, middle_of_three
from tests.monitor.measure.signals import Signal, blocks, noise, sine, stream_of

RATE = 48000
AT = 2 * RATE
BURST = [AT, AT + 4000, AT + 9000, AT + 15000, AT + 22000]


def place(seconds: float = 4.0, channels: int = 4, rate: int = RATE) -> Signal:
    """Room noise and a voice of 120 Hz with a pulse every 8 ms, (frames, channels)."""
    t = np.arange(round(seconds * rate)) / rate
    voice = sum(np.cos(2 * np.pi * 120 * k * t) / k for k in range(1, 30))
    words = np.maximum(0, np.sin(2 * np.pi * 1.3 * t))
    hiss = noise(len(t), channels, 10 ** (-62 / 20))
    return np.asarray(hiss + (0.03 * words * voice)[:, None])


def crackled(samples: Signal, channel: int, ticks: list[int], level: float = 0.2) -> Signal:
    for at in ticks:
        samples[at : at + 2, channel] += [level, -level]
    return samples


def told(samples: Signal, sizes: list[int] | int = 4800, rate: int = RATE) -> list[Detection]:
    """Feed hops of these sizes to the detector alone."""
    channels = samples.shape[1]
    setup = Setup(stream=stream_of(channels, rate))
    clicks, hops = Clicks(setup, channels, rate), Hops(channels, rate, live=True)
    at = 0
    for block in blocks(samples.astype(np.float32), sizes):
        part = block.samples
        while len(part):
            part = part[hops.put(part) :]
            clicks.hear(hop_of(hops.take(), at))
            at += hops.waiting
            hops.done()
    clicks.finish()
    return clicks.events()


def hop_of(with_history: Samples, start: int, *, follows: bool | None = None) -> Hop:
    """A hop as listeners get it, without the energies, which are not looked at here."""
    none = np.empty((0, len(with_history)))
    return Hop(
        with_history=with_history,
        start=start,
        follows=start > 0 if follows is None else follows,
        peaks=np.zeros(len(with_history), np.float32),
        energies=none,
        fine=none,
        fine_start=start,
    )


def test_a_burst_is_told_on_its_channel_from_its_first_click_to_its_last() -> None:
    first, *between, last = told(crackled(place(), 2, BURST))
    assert (first.phase, last.phase) == ("open", "close")
    assert {step.phase for step in between} <= {"update"}
    assert first.key == last.key
    assert last.channels == (2,)
    assert last.start == pytest.approx(BURST[0], abs=RATE // 1000)
    assert last.end == pytest.approx(BURST[-1], abs=2 * RATE // 1000)
    assert (last.count, last.worst, last.unit) == (5, 5, "clicks in 10 s")


@pytest.mark.parametrize("rate", [32000, 44100, 192000])
def test_it_is_found_at_any_rate(rate: int) -> None:
    ticks = [at * rate // RATE for at in BURST]
    *_, last = told(crackled(place(3.0, 2, rate), 1, ticks), rate // 25, rate)
    assert (last.channels, last.count) == ((1,), 5)
    assert last.start == pytest.approx(ticks[0], abs=rate // 500)


def test_on_a_single_channel_bursts_are_told() -> None:
    assert told(crackled(place(channels=1), 0, BURST))[0].channels == (0,)


def test_a_copy_on_the_mix_does_not_hide_it() -> None:
    samples = crackled(crackled(place(), 0, BURST), 3, BURST)
    assert {event.channels for event in told(samples)} == {(0,), (3,)}


def test_three_clicks_in_a_second_are_no_burst() -> None:
    assert told(crackled(place(), 0, BURST[:3])) == []


def test_clicks_that_all_microphones_hear_are_of_the_room() -> None:
    samples = place()
    for channel in range(4):
        crackled(samples, channel, [at + 200 * channel for at in BURST])
    assert told(samples) == []


def knocks() -> Signal:
    """Eight knocks on one microphone: 300 Hz, up within 1 ms, gone after 10."""
    samples = place()
    time_s = np.arange(2400) / RATE
    knock = np.sin(2 * np.pi * 300 * time_s) * np.exp(-time_s / 0.01) * np.minimum(time_s / 1e-3, 1)
    for at in range(AT, AT + 8 * 6000, 6000):
        samples[at : at + 2400, 1] += 0.3 * knock
    return samples


def square() -> Signal:
    """A synthesiser's square wave of 110 Hz: an edge every 4.5 ms."""
    return place() + 0.1 * np.sign(sine(4.0, 0.0, 110.0))[:, None]


def rain(seed: int, channels: int) -> Signal:
    """Drops on a roof, 12 a second on each microphone: 1 to 5 kHz, gone after 1 to 3 ms."""
    generator = np.random.default_rng(seed)
    samples = place(6.0, channels)
    time_s = np.arange(480) / RATE
    for channel in range(channels):
        for at in generator.integers(0, len(samples) - 480, 12 * 6):
            decay = np.exp(-time_s / generator.uniform(0.3e-3, 1e-3))
            drop = decay * np.sin(2 * np.pi * generator.uniform(1000, 5000) * time_s)
            samples[at : at + 480, channel] += 0.002 * generator.exponential() * drop
    return samples


def drums() -> Signal:
    """A stick on a rim every 0.3 s, which all microphones hear: full band, 10 ms long."""
    samples = place()
    crack = noise(480, 1, 0.3)[:, 0] * np.exp(-np.arange(480) / 100)
    for at in range(4800, len(samples) - 480, 14400):
        samples[at : at + 480] += crack[:, None]
    return samples


@pytest.mark.parametrize("channels", [1, 4])
def test_rain_is_no_crackle(channels: int) -> None:
    for seed in range(2):
        assert told(rain(seed, channels)) == []


def test_one_long_crack_is_counted_once() -> None:
    """Its every millisecond is a jump; three a second are less than a burst."""
    assert told(crackled(place(), 0, [AT + 24 * k for k in range(480 // 24)])) == []


@pytest.mark.parametrize(
    "samples",
    [
        place(),
        drums(),
        place() + sine(4.0, -6.0, 9000.0)[:, None],
        place() + noise(4 * RATE, 1, 0.1),
        square(),
        knocks(),
        np.zeros((4 * RATE, 2)),
        np.full((4 * RATE, 2), 0.4),
    ],
    ids=[
        "voice",
        "drums",
        "whistle",
        "noise",
        "square wave",
        "knocks",
        "silence",
        "offset",
    ],
)
def test_what_is_no_jump_of_one_sample_is_no_click(samples: Signal) -> None:
    assert told(samples) == []


def test_a_start_in_full_sound_and_a_hole_are_no_clicks() -> None:
    samples = (place(channels=2) + 0.3).astype(np.float32).T
    clicks = Clicks(Setup(stream=stream_of(2)), 2, RATE)
    for turn in range(20):
        part = samples[:, turn * 9600 : (turn + 1) * 9600]
        left_over = np.pad(part, ((0, 0), (HISTORY, 0)))
        clicks.hear(hop_of(left_over, turn * 20000, follows=False))
    clicks.finish()
    assert clicks.events() == []


def test_it_is_heard_in_the_pipeline() -> None:
    pipeline = Pipeline("a", [stream_of(2)])
    for block in blocks(crackled(place(4.0, 2), 1, BURST).astype(np.float32), 4800):
        pipeline.feed(block)
        pipeline.readings(0)
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    found = [event for event in pipeline.events() if isinstance(event, Event)]
    assert [event.channels for event in found if event.phase == "close"] == [[1]]


@given(
    sizes=st.lists(st.integers(1, 30000), min_size=1, max_size=5).filter(lambda s: sum(s) > 2000)
)
@settings(max_examples=5, deadline=None)
def test_the_episode_does_not_depend_on_how_sound_is_cut(sizes: list[int]) -> None:
    samples = crackled(place(4.0, 2), 1, BURST)
    expected, found = told(samples)[-1], told(samples, sizes)[-1]
    assert (found.key, found.end, found.count) == (expected.key, expected.end, expected.count)
    assert (found.worst, found.worst_tick) == (expected.worst, expected.worst_tick)


@pytest.mark.parametrize("hop", [480, 4800, 48000])
def test_bursts_more_than_two_seconds_apart_are_two_however_long_hops_are(hop: int) -> None:
    samples = crackled(place(6.0, 2), 1, [*BURST, *(at + round(2.6 * RATE) for at in BURST)])
    spans = [(one.start, one.count) for one in told(samples, hop) if one.phase == "close"]
    assert [count for _, count in spans] == [len(BURST), len(BURST)]
    assert spans[1][0] - spans[0][0] == round(2.6 * RATE)


def test_the_middle_of_three_is_their_median() -> None:
    three = np.random.default_rng(1).integers(0, 3, (3, 4, 50)).astype(np.float32)
    assert np.array_equal(middle_of_three(*three), np.median(three, axis=0))
