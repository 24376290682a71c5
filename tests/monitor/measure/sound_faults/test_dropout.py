import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import Signal, blocks, noise, run, stream_of

RATE = 48000
AT = 3 * RATE + 1001
ROOM = 0.003


def room(seconds: float = 5.0, channels: int = 1, seed: int = 1) -> Signal:
    return noise(round(seconds * RATE), channels, ROOM, seed)


def dropped(length: int, gain: float = 0.0, at: int = AT) -> Signal:
    """A room whose sound is turned down by a gain over [at, at + length)."""
    samples = room()
    samples[at : at + length] *= gain
    return samples


def told(samples: Signal, sizes: int | list[int] = 960, rate: int = RATE) -> list[Event]:
    _, events = run(samples, stream_of(samples.shape[1], rate), sizes)
    return [e for e in events if isinstance(e, Event) and e.detector == "dropout"]


def closed(samples: Signal, sizes: int | list[int] = 960) -> list[tuple[int, int | None]]:
    return [(e.start, e.end) for e in told(samples, sizes) if e.phase == "close"]


@pytest.mark.parametrize("length", [144, 145, 500, 5000, 11999])
def test_zeros_within_a_room_are_a_dropout_to_the_sample(length: int) -> None:
    (event,) = [e for e in told(dropped(length)) if e.phase == "close"]
    assert (event.start, event.end) == (AT, AT + length)
    assert (event.channels, event.count, event.unit) == ([0], 1, "ms")
    assert event.worst == pytest.approx(length / 48, abs=0.05)


@given(offset=st.integers(0, 4800), length=st.integers(144, 47000))
@example(offset=1, length=144)  # of its two low windows the first holds most of the edge
@settings(max_examples=12, deadline=None)
def test_a_dropout_of_20_db_is_found_within_a_millisecond(offset: int, length: int) -> None:
    ((start, end),) = closed(dropped(length, 0.1, AT + offset))
    assert end is not None
    assert abs(start - AT - offset) <= 48
    assert abs(end - AT - offset - length) <= 48


@given(sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=5).filter(lambda s: sum(s) > 300))
@settings(max_examples=8, deadline=None)
def test_the_same_dropouts_whatever_the_blocks(sizes: list[int]) -> None:
    samples = dropped(300, 0.03)[RATE:]
    samples[120_000:120_200] *= 0.05
    expected = [(e.phase, e.start, e.end, e.worst, e.count) for e in told(samples, 48000)]
    found = [(e.phase, e.start, e.end, e.worst, e.count) for e in told(samples, sizes)]
    assert [e for e in found if e[0] != "update"] == [e for e in expected if e[0] != "update"]
    assert expected[-1][-1] == 2


def test_it_is_told_when_the_sound_is_back() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    found = None
    for block in blocks(dropped(4800), 960):
        pipeline.feed(block)
        pipeline.readings(0)
        if found is None and any(isinstance(e, Event) for e in pipeline.events()):
            found = block.start + 960
    assert found is not None
    assert AT + 4800 < found <= AT + 4800 + 48 + 2 * 960


def test_speech_that_stops_short_and_comes_back_is_a_dropout() -> None:
    samples = dropped(0)
    envelope = np.abs(np.sin(np.arange(len(samples)) / RATE * 2 * np.pi * 2))[:, None]
    samples += noise(len(samples), 1, 0.05, 2) * envelope.astype(np.float32) ** 8
    samples[AT : AT + 960] *= 0.001
    assert closed(samples) == [(AT, AT + 960)]


@pytest.mark.parametrize(
    ("length", "gain"),
    [(96, 0.0), (96, 0.1), (2 * RATE // 3, 0.2), (RATE + 4800, 0.05), (300, 0.3)],
    ids=["2 ms", "2 ms at -20 dB", "-14 dB", "longer than a second", "-10 dB"],
)
def test_what_is_short_shallow_or_lasting_is_none(length: int, gain: float) -> None:
    assert told(dropped(length, gain)) == []


def test_exact_zeros_of_a_quarter_second_are_left_to_silence() -> None:
    _, events = run(dropped(12001), stream_of(1))
    assert {e.detector for e in events if isinstance(e, Event)} == {"silence"}


def test_a_sample_that_is_held_is_left_to_the_stuck_detector() -> None:
    samples = dropped(0)
    samples[AT : AT + 2000] = 0.0002
    _, events = run(samples, stream_of(1))
    assert {e.detector for e in events if isinstance(e, Event)} == {"stuck"}


@pytest.mark.parametrize(
    ("edge_ms", "closed_db"), [(5, -6), (5, -15), (10, -40), (20, -15), (20, -60), (50, -40)]
)
def test_a_gate_or_a_fader_that_closes_and_opens_is_none(edge_ms: int, closed_db: float) -> None:
    samples, edge = room(), 48 * edge_ms
    gain = np.ones(len(samples), np.float32)
    gain[AT : AT + edge] = np.linspace(1, 10 ** (closed_db / 20), edge)
    gain[AT + edge : AT + 24000] = 10 ** (closed_db / 20)
    gain[AT + 24000 : AT + 24000 + edge] = np.linspace(10 ** (closed_db / 20), 1, edge)
    assert told(samples * gain[:, None]) == []


def test_a_room_that_falls_still_is_learned_and_its_dropouts_found() -> None:
    samples = room(8.0)
    samples[AT:] *= 0.1
    late = AT + 3 * RATE
    samples[late : late + 480] *= 0.1
    ((start, end),) = closed(samples)
    assert end is not None
    assert abs(start - late) <= 48
    assert abs(end - late - 480) <= 48


def test_a_slamming_door_is_none() -> None:
    samples = room()
    t = np.arange(RATE // 2) / RATE
    slam = 0.5 * np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.12)
    slam += 0.3 * noise(len(t), 1, 1.0, 3)[:, 0] * np.exp(-t / 0.004)
    samples[AT : AT + len(t), 0] += slam.astype(np.float32)
    assert told(samples) == []


def test_rumble_that_crosses_zero_is_none() -> None:
    samples = room() * np.float32(0.05)
    t = np.arange(len(samples)) / RATE
    for hz, level in ((31.0, 0.02), (50.0, 0.03), (70.0, 0.01)):
        samples[:, 0] += (level * np.sin(2 * np.pi * hz * t + hz)).astype(np.float32)
    assert told(samples) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_the_first_pause_after_long_speech_over_rumble_is_none(seed: int) -> None:
    samples = room(16.0, seed=seed) * np.float32(0.1)
    rumble = np.fft.rfft(np.random.default_rng(seed).standard_normal(len(samples)))
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    wave = np.fft.irfft(rumble * ((hz > 15) & (hz < 120)), len(samples))
    samples[:, 0] += (0.006 * wave / wave.std()).astype(np.float32)
    since = np.arange(len(samples)) / RATE - 14.0  # from 1 s on no pause, then one of 0.3 s
    decay = 10 ** (-3 * np.maximum(since, 0) / 0.25)  # a dry room: -60 dB in 250 ms
    voice = ((since > -13) * decay + (since > 0.3)).astype(np.float32)
    samples += noise(len(samples), 1, 0.03, 4) * voice[:, None]
    assert told(samples) == []


def test_a_hole_in_the_stream_is_none() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    samples = dropped(2000)
    for start, part in ((0, samples[: AT + 1000]), (AT + 3000, samples[AT + 1000 :])):
        for block in blocks(part, 960, start):
            pipeline.feed(block)
            pipeline.readings(0)
    assert pipeline.events() == []


def test_dropouts_within_ten_seconds_are_one_episode_counted() -> None:
    samples = room(20.0)
    for at in (3 * RATE, 5 * RATE, 6 * RATE):
        samples[at : at + 480] = 0
    steps = [(e.phase, e.count) for e in told(samples) if e.phase != "update"]
    assert steps == [("open", 1), ("close", 3)]


@pytest.mark.parametrize("rate", [44100, 96000])
def test_other_rates_find_it_too(rate: int) -> None:
    samples = noise(5 * rate, 1, ROOM)
    samples[3 * rate : 3 * rate + rate // 100] = 0
    closes = [e for e in told(samples, 1000, rate) if e.phase == "close"]
    assert [(e.start, e.end) for e in closes] == [(3 * rate, 3 * rate + rate // 100)]


def test_the_channels_are_judged_apart() -> None:
    samples = np.concatenate([room(), dropped(480), room(seed=3)], axis=1)
    assert [e.channels for e in told(samples)] == [[1], [1]]
