"""Mains hum of known level and frequency, and what sounds like it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.source import Ended
from monitor.lines import Event
from monitor.measure.measurement import Detection, Setup
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.hops import HISTORY
from monitor.measure.sound_faults.hum import Hum
from monitor.measure.sound_faults.low_band import LowBand
from tests.monitor.measure.signals import Signal, blocks, noise, stream_of
from tests.monitor.measure.sound_faults.test_clicks import hop_of

RATE = 48000
SLOW_RATE = 2000
FACTOR = 24


def voice(seconds: float, rate: int, low_hz: float) -> Signal:
    """A voice, -25 dBFS: words of 0.1 to 0.5 s, pauses between, gliding over half an octave."""
    generator = np.random.default_rng(3)
    frames = round(seconds * rate)
    out, at = np.zeros(frames), 0
    while at < frames:
        length = min(round(generator.uniform(0.1, 0.5) * rate), frames - at)
        time_s = np.arange(length) / rate
        rising_hz = generator.uniform(low_hz, 1.5 * low_hz) + generator.uniform(-30, 30) * time_s
        glide = rising_hz * time_s
        word = sum(np.sin(2 * np.pi * k * glide) / k for k in range(1, 7))
        out[at : at + length] = 0.08 * word * np.sin(np.pi * np.arange(length) / length)
        at += length + round(generator.uniform(0.02, 0.5) * rate)
    return out


def hum_wave(seconds: float, rate: int, hz: float, level_dbfs: float) -> Signal:
    """A sine whose RMS has that level."""
    t = np.arange(round(seconds * rate)) / rate
    return np.asarray(np.sqrt(2) * 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * t + 0.4))


def room(
    seconds: float,
    rate: int = SLOW_RATE,
    level: float = 10 ** (-62 / 20),
    low_hz: float = 90.0,
) -> Signal:
    """Room noise with a voice over it."""
    quiet = noise(round(seconds * rate), 1, level, 5)[:, 0]
    return np.asarray(quiet + voice(seconds, rate, low_hz))


def slow(samples: Signal, size: int = 200) -> list[tuple[float, Detection]]:
    """Feed already decimated sound; return (told at s, detection)."""
    hum = Hum(1, SLOW_RATE, FACTOR)
    told: list[tuple[float, Detection]] = []
    for at in range(0, len(samples), size):
        part = samples[None, at : at + size].astype(np.float32)
        hum.feed(at * FACTOR, part)
        told += [((at + size) / SLOW_RATE, step) for step in hum.steps]
        hum.steps.clear()
    hum.finish()
    return told + [(len(samples) / SLOW_RATE, step) for step in hum.steps]


def events(samples: Signal, sizes: list[int] | int, rate: int = RATE) -> list[Event]:
    """Feed a whole pipeline; return what it says of hum."""
    pipeline = Pipeline("a", [stream_of(1, rate)])
    for block in blocks(samples.reshape(len(samples), -1).astype(np.float32), sizes):
        pipeline.feed(block)
        pipeline.readings(0)
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    found = [event for event in pipeline.events() if isinstance(event, Event)]
    return [event for event in found if event.detector == "hum"]


def heard(samples: Signal, rate: int) -> list[Detection]:
    """Feed the low band of one channel, hops of 0.1 s."""
    low_band = LowBand(Setup(stream=stream_of(1, rate)), 1, rate)
    padded = np.pad(samples.astype(np.float32), (HISTORY, 0))[None]
    for start in range(0, len(samples), rate // 10):
        low_band.hear(hop_of(padded[:, start : start + rate // 10 + HISTORY], start))
    low_band.finish()
    return [event for event in low_band.events() if event.detector == "hum"]


@pytest.mark.parametrize("rate", [44100, 96000])
def test_hum_under_a_voice_is_found_in_ten_seconds_at_any_rate(rate: int) -> None:
    clean = room(11.0, rate, 10 ** (-52 / 20))
    hum = hum_wave(11.0, rate, 50.0, -62.0) + hum_wave(11.0, rate, 150.0, -60.0)
    opened, *_, closed = heard(clean + hum, rate)
    assert (opened.phase, closed.phase) == ("open", "close")
    assert closed.detail == "50 Hz, strongest at 150 Hz"
    assert heard(clean, rate) == []


def test_it_is_heard_in_the_pipeline() -> None:
    hum = hum_wave(10.0, RATE, 50.0, -60.0)
    found = events(room(10.0, RATE, 10 ** (-52 / 20)) + hum, RATE // 10)
    assert [event.phase for event in found] == ["open", "close"]
    assert found[0].start / RATE == pytest.approx(0, abs=1.5)
    assert found[-1].worst == pytest.approx(-60, abs=1.5)
    assert (found[-1].unit, found[-1].channels) == ("dBFS", [0])
    assert found[-1].detail == "50 Hz, strongest at 50 Hz"


# Of a single line only the fundamental is told at once.
@pytest.mark.parametrize(
    "lines_hz", [(50.0,), (60.03,), (100.0, 200.0), (120.2, 60.1), (180.0, 60.0)]
)
def test_every_mains_is_found_within_ten_seconds(lines_hz: tuple[float, ...]) -> None:
    # A voice whose own pitch lies on the line covers it for as long as it speaks.
    samples = room(40.0, low_hz=150.0 if any(90 < hz < 135 for hz in lines_hz) else 90.0)
    samples[20000:] += sum(hum_wave(30.0, SLOW_RATE, hz, -60.0) for hz in lines_hz)
    (told_s, opened), *_, (_, closed) = slow(samples)
    assert told_s <= 20.0
    assert opened.start / RATE == pytest.approx(10, abs=1.5)
    assert closed.worst is not None
    assert -61.5 < closed.worst < -55.5  # of one line or the sum of two


def test_a_generator_off_the_grid_is_told_by_two_of_its_lines() -> None:
    samples = room(40.0)
    samples[20000:] += sum(hum_wave(30.0, SLOW_RATE, hz, -60.0) for hz in (49.8, 99.6))
    (told_s, _), *_ = slow(samples)
    assert told_s <= 32.0  # 22 s after it began


def test_harmonics_too_weak_one_by_one_are_found_together() -> None:
    """Six lines, each at a tenth of the power that a line alone must have over the noise."""
    weak = sum(hum_wave(30.0, SLOW_RATE, 60.0 * k, -74.5) for k in range(1, 7))
    quiet = noise(30 * SLOW_RATE, 1, 10 ** (-50 / 20), 5)[:, 0]
    assert slow(quiet) == []
    (told_s, opened), *_ = slow(quiet + weak)
    assert told_s <= 30.0
    assert (opened.detail or "").startswith("60 Hz")


def test_music_with_tones_everywhere_has_no_hum_though_some_lie_on_the_mains() -> None:
    """A loop that comes again every 2.5 s has a line every 0.4 Hz, those of 50 Hz among them."""
    generator = np.random.default_rng(4)
    loop = generator.standard_normal(5 * SLOW_RATE // 2)
    samples = np.tile(0.01 * loop, 16)
    assert slow(room(40.0) + samples) == []


@pytest.mark.parametrize("hz", [100.0, 120.0])
def test_one_line_alone_is_told_when_it_has_lasted_longer_than_a_note(hz: float) -> None:
    (told_s, _), *_ = slow(room(40.0, low_hz=150.0) + hum_wave(40.0, SLOW_RATE, hz, -60.0))
    assert 10.0 < told_s <= 25.0


@pytest.mark.parametrize("hz", [120.4, 100.4, 180.7])
def test_an_organ_that_holds_a_note_beside_the_mains_is_no_hum(hz: float) -> None:
    partials = sum(hum_wave(60.0, SLOW_RATE, k * hz, -45.0 - 6.0 * k) for k in (1, 2, 3, 4))
    assert slow(room(60.0) + partials) == []


@pytest.mark.parametrize("hz", [119.8, 120.2])
def test_one_note_so_near_the_mains_that_only_twenty_seconds_part_them_is_no_hum(hz: float) -> None:
    assert slow(room(40.0, low_hz=150.0) + hum_wave(40.0, SLOW_RATE, hz, -65.0)) == []


def test_notes_on_the_mains_that_end_are_no_hum() -> None:
    """A synthesiser's 120 Hz, held for 12 s and then another note for 6."""
    t = np.arange(60 * SLOW_RATE) / SLOW_RATE
    held = hum_wave(60.0, SLOW_RATE, 120.0, -45.0) * (t % 18 < 12)
    assert slow(room(60.0) + held) == []


def test_faint_hum_is_found_in_thirty_seconds() -> None:
    samples = room(40.0, level=10 ** (-56 / 20)) + hum_wave(40.0, SLOW_RATE, 50.0, -70.0)
    (told_s, opened), *_ = slow(samples)
    assert told_s <= 30.0
    assert opened.worst == pytest.approx(-70, abs=3)


def test_it_closes_where_the_hum_ended() -> None:
    samples = room(50.0)
    samples[: 20 * SLOW_RATE] += hum_wave(20.0, SLOW_RATE, 50.0, -55.0)
    steps = slow(samples)
    (told_s, closed) = steps[-1]
    assert (closed.phase, told_s < 40) == ("close", True)
    assert closed.end is not None
    assert closed.end / RATE == pytest.approx(20, abs=3)


def test_a_bright_hum_names_its_mains_and_its_strongest_line() -> None:
    both = hum_wave(12.0, SLOW_RATE, 60, -66) + hum_wave(12.0, SLOW_RATE, 300, -58)
    *_, (_, closed) = slow(room(12.0) + both)
    assert closed.detail == "60 Hz, strongest at 300 Hz"


def notes(hz: float, seconds: float = 40.0) -> Signal:
    """Bowed bass notes on one string: two seconds each, the bow turning between."""
    t = np.arange(round(seconds * SLOW_RATE)) / SLOW_RATE
    wave = sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, 8))
    return np.asarray(0.03 * wave * np.sqrt(np.abs(np.sin(np.pi * t / 2))))


def sweeping(around_hz: float) -> Signal:
    """A motor whose speed moves by 2 percent around a mains line."""
    t = np.arange(40 * SLOW_RATE) / SLOW_RATE
    return np.asarray(0.01 * np.sin(2 * np.pi * around_hz * (t + 0.02 * np.sin(t))))


@pytest.mark.parametrize(
    "samples",
    [
        room(40.0),
        notes(49.0),
        notes(61.74),
        notes(98.0),
        hum_wave(40.0, SLOW_RATE, 48.4, -45),
        hum_wave(40.0, SLOW_RATE, 58.8, -45),
        hum_wave(40.0, SLOW_RATE, 95.2, -45),
        hum_wave(40.0, SLOW_RATE, 246.94, -45),
        sweeping(100.0),
        np.cumsum(noise(40 * SLOW_RATE, 1, 0.001)[:, 0]) * 0.05,
        np.zeros(40 * SLOW_RATE),
        np.full(40 * SLOW_RATE, 0.1),
    ],
    ids=[
        "voice",
        "bass G1",
        "bass B1",
        "bass G2",
        "motor 48.4 Hz",
        "motor 58.8 Hz",
        "motor 95.2 Hz",
        "organ B3",
        "motor changing speed",
        "brown noise",
        "silence",
        "offset",
    ],
)
def test_what_is_not_steady_on_a_mains_line_is_no_hum(samples: Signal) -> None:
    quiet = noise(len(samples), 1, 10 ** (-70 / 20), 8)[:, 0]
    assert slow(samples + quiet) == []


def test_a_word_with_hum_in_its_recording_is_no_hum_of_the_channel() -> None:
    """Played back on set, hum stops with the voice it was recorded with."""
    talking = np.repeat([1.0, 0.0] * 10, 2 * SLOW_RATE)
    samples = room(40.0) + hum_wave(40.0, SLOW_RATE, 60.0, -50.0) * talking
    assert slow(samples) == []


@given(size=st.integers(1, 5000))
@settings(max_examples=6, deadline=None)
def test_the_episode_does_not_depend_on_how_sound_is_cut(size: int) -> None:
    samples = room(12.0) + hum_wave(12.0, SLOW_RATE, 50.0, -60.0)
    expected = [step for _, step in slow(samples)]
    found = [step for _, step in slow(samples, size)]
    assert [(s.phase, s.start, s.end) for s in found] == [
        (s.phase, s.start, s.end) for s in expected
    ]
