import numpy as np
import pytest

from tests.monitor.measure.signals import channel, noise, run, sine, stream_of


def test_a_full_scale_sine_has_rms_of_minus_3_dbfs() -> None:
    reading, _ = run(sine(1, 0.0)[:, None].astype(np.float32), stream_of(1))
    assert channel(reading, "rms_dbfs", 0) == pytest.approx(-3.0103, abs=1e-4)
    assert channel(reading, "sample_peak_dbfs", 0) == pytest.approx(0.0, abs=1e-4)


def test_the_most_negative_code_is_0_dbfs() -> None:
    samples = np.zeros((480, 2), np.int16)
    samples[100, 1] = -32768
    reading, _ = run(samples, stream_of(2))
    assert reading.values["sample_peak_dbfs"] == [None, 0.0]


def test_integers_and_floats_of_one_signal_read_the_same() -> None:
    wave = np.round(sine(1, -12.0)[:, None] * 32767).astype(np.int16)
    as_int32 = wave.astype(np.int32) << 16
    as_float = (wave / 32768).astype(np.float32)
    readings = [run(samples, stream_of(1))[0] for samples in (wave, as_int32, as_float)]
    for key in ("sample_peak_dbfs", "true_peak_dbtp", "rms_dbfs", "momentary_lufs"):
        assert len({channel(reading, key, 0) for reading in readings}) == 1, key


def test_rms_is_of_the_last_300_ms() -> None:
    samples = np.concatenate([sine(1, -6.0), sine(0.3, -46.0)])[:, None].astype(np.float32)
    reading, _ = run(samples, stream_of(1))
    assert channel(reading, "rms_dbfs", 0) == pytest.approx(-49.01, abs=0.01)


def test_dc_offset_is_the_mean_of_the_last_3_s() -> None:
    samples = (sine(5, -20.0)[:, None] + [0.01, -0.002]).astype(np.float32)
    samples[:48000] += 0.5
    reading, _ = run(samples, stream_of(2))
    assert reading.values["dc_offset"] == pytest.approx([0.01, -0.002], abs=1e-6)


def test_noise_floor_is_what_lies_between_the_words() -> None:
    samples = noise(10 * 48000, 2, 1e-3)
    for word in range(10):
        samples[word * 48000 : word * 48000 + 30000] += sine(0.625, -20)[:, None]
    samples[:, 1] = 0
    reading, _ = run(samples, stream_of(2))
    assert channel(reading, "noise_floor_dbfs", 0) == pytest.approx(-60.0, abs=0.2)
    assert channel(reading, "noise_floor_dbfs", 1) is None


def test_bits_used_are_counted_from_the_top() -> None:
    samples = np.zeros((480, 4), np.int32)
    samples[7] = [1 << 16, 1 << 8, -(1 << 30), 0]
    reading, _ = run(samples, stream_of(4, bit_depth=24))
    assert reading.values["bit_depth_used"] == [16, 24, 2, 0]


def test_bits_of_floats_are_unknown() -> None:
    reading, _ = run(noise(480, 1), stream_of(1))
    assert reading.values["bit_depth_used"] == [None]


def test_pcm_bit_rate_is_rate_times_depth_times_channels() -> None:
    reading, _ = run(np.zeros((480, 2), np.int32), stream_of(2, bit_depth=24))
    assert reading.values["audio_bit_rate_bps"] == 2_304_000


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_the_least_code_of_every_depth_is_measured_without_loss(bits: int) -> None:
    """24 bits come in the upper bytes of int32."""
    width = 16 if bits == 16 else 32
    samples = np.zeros((4800, 1), np.int16 if width == 16 else np.int32)
    samples[1000] = 1 << (width - bits)
    reading, _ = run(samples, stream_of(1))
    expected = 20 * np.log10(2.0 ** (1 - bits))
    assert channel(reading, "sample_peak_dbfs", 0) == pytest.approx(expected, abs=1e-6)


def test_denormals_are_silence_and_what_follows_is_measured() -> None:
    tiny = np.full((48000, 1), 1e-40, np.float32)
    good = noise(48000, 1)
    after, _ = run(np.concatenate([tiny, good]), stream_of(1))
    alone, _ = run(good, stream_of(1))
    for key in ("rms_dbfs", "momentary_lufs", "true_peak_dbtp"):
        assert channel(after, key, 0) == pytest.approx(channel(alone, key, 0), abs=1e-6), key
    quiet, _ = run(tiny, stream_of(1))
    assert channel(quiet, "momentary_lufs", 0) is None
