"""The line-up tone meter against the tone's own definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitor.measure.signals import Signal, channel, noise, run, sine, stream_of

KEYS = ("tone_hz", "tone_level_dbfs", "tone_thdn_db")


def tone(
    rate: int, hz: float, level_dbfs: float, phase: float = 0.0, seconds: float = 1.0
) -> Signal:
    n = np.arange(round(seconds * rate))
    amplitude = 10 ** (level_dbfs / 20)
    return np.asarray(amplitude * np.sin(2 * np.pi * hz * n / rate + phase))


def read(
    samples: Signal, rate: int = 48000, sizes: list[int] | int = 960
) -> tuple[float | None, ...]:
    table = samples.reshape(len(samples), -1).astype(np.float32)
    reading, _ = run(table, stream_of(table.shape[1], rate), sizes)
    return tuple(channel(reading, key, 0) for key in KEYS)


@given(
    rate=st.sampled_from([32000, 44100, 48000, 96000]),
    hz=st.floats(900, 1100),
    level_dbfs=st.floats(-60, 0),
    phase=st.floats(0, 2 * np.pi),
)
@settings(max_examples=12, deadline=None)
def test_a_clean_tone_is_read_within_a_second_at_any_phase_and_rate(
    rate: int, hz: float, level_dbfs: float, phase: float
) -> None:
    found_hz, level, thdn = read(tone(rate, hz, level_dbfs, phase), rate, rate // 10)
    assert found_hz == pytest.approx(hz, abs=0.001)
    assert level == pytest.approx(level_dbfs, abs=0.001)
    assert thdn is not None
    assert thdn < -100


@given(
    snr_db=st.floats(20, 60),
    level_dbfs=st.floats(-40, -6),
    phase=st.floats(0, 2 * np.pi),
    seed=st.integers(0, 99),
)
@settings(max_examples=12, deadline=None)
def test_noise_moves_it_less_than_the_tolerances_and_is_read_as_thdn(
    snr_db: float, level_dbfs: float, phase: float, seed: int
) -> None:
    clean = tone(48000, 1000.0, level_dbfs, phase)
    rms = 10 ** ((level_dbfs - 3.01 - snr_db) / 20)
    hz, level, thdn = read(clean + noise(48000, 1, rms, seed)[:, 0])
    assert hz == pytest.approx(1000, abs=0.1)
    assert level == pytest.approx(level_dbfs, abs=0.05)
    assert thdn == pytest.approx(-10 * np.log10(1 + 10 ** (snr_db / 10)), abs=0.2)


@pytest.mark.parametrize("harmonic_db", [-20.0, -40.0, -60.0, -80.0])
def test_distortion_is_the_harmonics_share_of_the_whole(harmonic_db: float) -> None:
    samples = tone(48000, 1000, -18) + tone(48000, 3000, -18 + harmonic_db, 0.7)
    expected = harmonic_db - 10 * np.log10(1 + 10 ** (harmonic_db / 10))
    assert read(samples)[2] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("hz", [50.0, 100.0, 440.0, 997.0, 3428.57, 10000.0])
def test_other_line_up_frequencies_are_read_as_well(hz: float) -> None:
    found_hz, level, _ = read(tone(48000, hz, -18) + 0.01)
    assert found_hz == pytest.approx(hz, abs=0.01)
    assert level == pytest.approx(-18, abs=0.01)


def syllables() -> Signal:
    """A voice of 120 Hz with sixteen harmonics, vibrato, and four words a second."""
    t = np.arange(96000) / 48000
    turn = 2 * np.pi * (120 * t + 2 * np.sin(2 * np.pi * 3 * t))
    voice = sum(np.sin(k * turn) / k for k in range(1, 17))
    return np.asarray(0.1 * voice * np.sin(2 * np.pi * 2 * t) ** 2)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(48000),
        np.full(48000, 0.25),
        noise(48000, 1)[:, 0],
        np.cumsum(noise(48000, 1, 0.001)[:, 0]),
        syllables(),
        sine(1, -18, 1000) + sine(1, -18, 1300),
        sine(1, -95, 1000),
        sine(1, -18, 1000) * np.exp(-np.arange(48000) / 12000),
    ],
    ids=["silence", "offset", "noise", "rumble", "voice", "two tones", "idle tone", "dying note"],
)
def test_what_is_no_line_up_tone_is_unknown(samples: Signal) -> None:
    assert read(samples) == (None, None, None)


def test_a_tone_beside_noise_belongs_to_its_channel_alone() -> None:
    both = np.stack([noise(48000, 1)[:, 0], tone(48000, 1000, -20)], axis=1).astype(np.float32)
    reading, _ = run(both, stream_of(2))
    assert channel(reading, "tone_hz", 0) is None
    assert channel(reading, "tone_level_dbfs", 1) == pytest.approx(-20, abs=0.001)


def test_it_is_unknown_again_within_a_second_after_the_tone() -> None:
    samples = np.concatenate([tone(48000, 1000, -20), np.zeros(48000)])
    assert read(samples)[0] is None


@given(sizes=st.lists(st.integers(1, 48000), min_size=1, max_size=5).filter(lambda s: sum(s) > 400))
@settings(max_examples=8, deadline=None)
def test_the_stretch_measured_does_not_depend_on_the_blocks(sizes: list[int]) -> None:
    samples = tone(48000, 1000, -20) + noise(48000, 1, 0.001)[:, 0]
    assert read(samples, sizes=sizes) == read(samples)
