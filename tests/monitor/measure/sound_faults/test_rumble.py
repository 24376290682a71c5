"""Wind and handling on one microphone of four, and what is not: synthetic, at 2 kHz."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.measure.measurement import Detection
from monitor.measure.sound_faults.rumble import Rumble
from tests.monitor.measure.signals import Signal, noise

RATE = 2000
FACTOR = 24
TICKS = RATE * FACTOR
SECONDS = 30.0


def low_noise(seconds: float, level_dbfs: float, seed: int = 1) -> Signal:
    """Noise falling from 40 Hz on, of that RMS."""
    frames = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(frames))
    hz = np.fft.rfftfreq(frames, 1 / RATE)
    wave = np.fft.irfft(spectrum / (1 + (hz / 40) ** 2), frames)
    return np.asarray(wave / np.sqrt(np.mean(wave**2)) * 10 ** (level_dbfs / 20))


def gusty(seconds: float, level_dbfs: float, seed: int = 1) -> Signal:
    """Wind whose level moves by 10 dB twice a second."""
    t = np.arange(round(seconds * RATE)) / RATE
    return low_noise(seconds, level_dbfs, seed) * (0.65 + 0.35 * np.sin(4 * np.pi * t))


def bumps(seconds: float, peak_dbfs: float, apart_s: float) -> Signal:
    """Blows of 60 Hz, gone after 50 ms."""
    t = np.arange(round(seconds * RATE)) / RATE % apart_s
    return np.asarray(10 ** (peak_dbfs / 20) * np.sin(2 * np.pi * 60 * t) * np.exp(-t / 0.03))


def place(channels: int = 4) -> Signal:
    """A room with voices above 100 Hz, alike on all microphones, (channels, frames)."""
    t = np.arange(round(SECONDS * RATE)) / RATE
    words = np.maximum(0, np.sin(2 * np.pi * 0.9 * t))
    voice = sum(np.sin(2 * np.pi * 110 * k * t) / k for k in range(1, 5))
    hiss = noise(len(t), channels, 10 ** (-65 / 20)).T
    return np.asarray(hiss + 0.06 * words * voice)


def put(samples: Signal, channel: int, at_s: float, wave: Signal) -> Signal:
    at = round(at_s * RATE)
    samples[channel, at : at + len(wave)] += wave
    return samples


def heard(samples: Signal, size: int = 200) -> list[Detection]:
    rumble = Rumble(channels=len(samples), rate_hz=RATE, factor=FACTOR)
    for at in range(0, samples.shape[1], size):
        rumble.feed(at * FACTOR, samples[:, at : at + size].astype(np.float32))
    rumble.finish()
    return rumble.steps


@pytest.mark.parametrize("level_dbfs", [-38.0, -28.0, -18.0])
def test_wind_over_one_microphone_is_found_there_with_its_ends(level_dbfs: float) -> None:
    steps = heard(put(place(), 2, 12.0, gusty(6.0, level_dbfs)))
    first, last = steps[0], steps[-1]
    assert {step.channels for step in steps} == {(2,)}
    assert [step.phase for step in steps].count("open") == 1
    assert first.start / TICKS == pytest.approx(12, abs=0.6)
    assert last.end is not None
    assert last.end / TICKS == pytest.approx(18, abs=0.6)
    assert last.worst == pytest.approx(level_dbfs, abs=7)  # part of it lies beside the band
    assert last.unit == "dBFS"


def test_handling_is_found() -> None:
    steps = heard(put(place(), 1, 12.0, bumps(5.0, -15, 0.2)))
    assert {step.channels for step in steps} == {(1,)}


def test_loud_wind_over_all_of_them_is_found_on_all() -> None:
    samples = place()
    for channel in range(4):
        put(samples, channel, 12.0, gusty(6.0, -18, channel))
    assert {step.channels for step in heard(samples)} == {(0,), (1,), (2,), (3,)}


def test_one_microphone_alone_is_judged_by_its_own_usual_level() -> None:
    assert heard(put(place(1), 0, 12.0, gusty(6.0, -30)))[0].channels == (0,)


def test_a_lorry_that_all_of_them_hear_is_no_rumble_of_one() -> None:
    samples = place()
    swell = np.sin(np.linspace(0, np.pi, round(8 * RATE)))
    for channel in range(4):
        put(samples, channel, 12.0, low_noise(8.0, -36 - channel, 7) * swell)
    assert heard(samples) == []


@pytest.mark.parametrize(
    "wave",
    [
        bumps(0.5, -6, 1.0),
        bumps(8.0, -12, 1.0),
        low_noise(0.4, -14),
        low_noise(6.0, -60),
        0.05 * np.sin(2 * np.pi * 100 * np.arange(6 * RATE) / RATE),
    ],
    ids=["a knock", "steps", "a door", "faint wind", "a low voice held"],
)
def test_blows_and_voices_are_no_rumble(wave: Signal) -> None:
    assert heard(put(place(), 0, 12.0, wave)) == []


def test_air_conditioning_from_the_start_is_usual() -> None:
    samples = place()
    samples[1] += low_noise(SECONDS, -40)
    assert heard(samples) == []


@pytest.mark.parametrize("value", [0.0, 0.3])
def test_silence_and_offset_are_no_rumble(value: float) -> None:
    assert heard(np.full((2, 20 * RATE), value)) == []


@given(size=st.integers(1, 9000))
@settings(max_examples=5, deadline=None)
def test_the_episode_does_not_depend_on_how_sound_is_cut(size: int) -> None:
    samples = put(place(), 2, 12.0, gusty(6.0, -25))[:, : 22 * RATE]
    expected = [(step.phase, step.start, step.end, step.channels) for step in heard(samples)]
    found = [(step.phase, step.start, step.end, step.channels) for step in heard(samples, size)]
    assert found == expected
