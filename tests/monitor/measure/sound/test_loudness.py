import numpy as np
import pytest

from capture.source import Changed, Ended
from monitor.lines import Reading
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.histogram import EnergyHistogram
from monitor.measure.sound.loudness import Loudness
from tests.monitor.measure import oracle
from tests.monitor.measure.signals import (
    Signal,
    blocks,
    channel,
    noise,
    number,
    run,
    sine,
    stream_of,
)

REGRESSION_LU = 0.001  # our own tolerance; the standard's is 0.1


def speech_like(seconds: int, seed: int) -> Signal:
    """Noise whose level wanders over 40 dB, with pauses."""
    generator = np.random.default_rng(seed)
    levels = 10 ** (generator.uniform(-60, -15, seconds * 4) / 20)
    gain = np.interp(np.arange(seconds * 48000) / 12000, np.arange(seconds * 4), levels)
    return np.asarray((gain * generator.standard_normal(seconds * 48000)).astype(np.float32))


def test_every_value_agrees_with_the_float64_oracle() -> None:
    samples = np.stack([speech_like(20, seed) for seed in range(3)], axis=1)
    reading, _ = run(samples, stream_of(3), 4096)
    checks = {
        "integrated_lufs": oracle.integrated,
        "loudness_range_lu": oracle.loudness_range,
        "momentary_max_lufs": oracle.momentary_max,
        "short_term_max_lufs": oracle.short_term_max,
    }
    for key, slow in checks.items():
        expected = [slow(samples[:, index].astype(np.float64)) for index in range(3)]
        tolerance = 0.01 if key == "loudness_range_lu" else REGRESSION_LU  # a bin is 0.01 dB
        assert reading.values[key] == pytest.approx(expected, abs=tolerance), key


def test_the_programme_is_the_weighted_sum_of_its_channels() -> None:
    samples = np.stack([sine(5, -26), sine(5, -20)], axis=1).astype(np.float32)
    reading, _ = run(samples, stream_of(2))
    parts = [channel(reading, "integrated_lufs", index) or 0.0 for index in (0, 1)]
    expected = 10 * np.log10(sum(10 ** (part / 10) for part in parts) * 10**0.0691) - 0.691
    assert number(reading, "programme_integrated_lufs") == pytest.approx(expected, abs=1e-4)


def test_tracks_without_a_mix_have_no_programme_loudness() -> None:
    reading, _ = run(noise(48000, 4), stream_of(4))
    assert not [key for key in reading.values if key.startswith("programme_")]


def test_values_are_unknown_until_their_window_is_full() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    known = []
    for block in blocks(noise(4 * 48000, 1), 4800):
        pipeline.feed(block)
        (reading,) = pipeline.readings(0)
        m, s = (channel(reading, key, 0) for key in ("momentary_lufs", "short_term_lufs"))
        known.append((m is not None, s is not None))
    assert [m for m, _ in known] == [False] * 3 + [True] * 37
    assert [s for _, s in known] == [False] * 29 + [True] * 11


def test_digital_silence_has_no_loudness() -> None:
    reading, _ = run(np.zeros((5 * 48000, 2), np.int32), stream_of(2))
    for key in ("momentary_lufs", "short_term_lufs", "integrated_lufs", "loudness_range_lu"):
        assert reading.values[key] == [None, None]
        assert reading.values[f"programme_{key}"] is None


def test_reset_restarts_integrated_values_and_not_the_windows() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    samples = np.concatenate([sine(5, -10), sine(5, -30)])[:, None].astype(np.float32)
    for block in blocks(samples[: 5 * 48000 + 100]):
        pipeline.feed(block)
    pipeline.reset()
    (reading,) = pipeline.readings(0)
    assert channel(reading, "integrated_lufs", 0) is None
    assert channel(reading, "momentary_max_lufs", 0) is None
    assert channel(reading, "momentary_lufs", 0) is not None
    for block in blocks(samples[5 * 48000 + 100 :], start=5 * 48000 + 100):
        pipeline.feed(block)
    (reading,) = pipeline.readings(0)
    for key in ("integrated_lufs", "momentary_max_lufs", "short_term_max_lufs"):
        assert channel(reading, key, 0) == pytest.approx(-33.0, abs=0.05), key


def heard(pipeline: Pipeline, samples: Signal, start: int) -> Reading:
    for block in blocks(samples, start=start):
        pipeline.feed(block)
    (reading,) = pipeline.readings(0)
    return reading


@pytest.mark.parametrize("cut", [5 * 48000, 5 * 48000 + 100])
def test_what_is_heard_while_paused_is_not_integrated_and_the_live_windows_go_on(cut: int) -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    # Loud 1 ms inside the pause: the true-peak filter reaches 0.25 ms back.
    level = np.repeat([-30.0, -10.0, -30.0], [cut + 48, 5 * 48000 - 96, 5 * 48000 + 48])
    samples = (10 ** (level / 20) * sine(len(level) / 48000, 0.0))[:, None].astype(np.float32)
    keys = ("integrated_lufs", "momentary_max_lufs", "short_term_max_lufs")
    before = heard(pipeline, samples[:cut], 0)
    assert pipeline.integrate(on=False) == {0: cut}
    paused = heard(pipeline, samples[cut : cut + 240000], cut)
    assert pipeline.integrate(on=True) == {0: cut + 240000}
    after = heard(pipeline, samples[cut + 240000 :], cut + 240000)
    assert [r.values["integrating"] for r in (before, paused, after)] == [1, 0, 1]
    assert [r.values["integrated_s"] for r in (before, paused)] == [5.0, 5.0]
    assert after.values["integrated_s"] == pytest.approx(10.0, abs=0.02)
    assert channel(paused, "momentary_lufs", 0) == pytest.approx(-13.0, abs=0.05)
    for reading in (before, paused, after):
        for key in keys:
            assert channel(reading, key, 0) == pytest.approx(-33.0, abs=0.05), key
    for key in ("true_peak_max_dbtp", "sample_peak_max_dbfs"):
        assert channel(after, key, 0) == pytest.approx(-30.0, abs=0.05), key
    assert channel(paused, "true_peak_dbtp", 0) == pytest.approx(-10.0, abs=0.05)


def test_no_window_holds_sound_from_before_and_after_a_pause() -> None:
    """Halves of a gating block on each side of a pause are no block."""
    pipeline = Pipeline("a", [stream_of(1)])
    samples = sine(0.78, -20)[:, None].astype(np.float32)
    heard(pipeline, samples[: 48000 * 39 // 100], 0)
    pipeline.integrate(on=False)
    pipeline.integrate(on=True)
    pipeline.feed(next(blocks(samples[48000 * 39 // 100 :], 48000, start=48000 * 39 // 100)))
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    (reading,) = pipeline.readings(0)
    assert channel(reading, "integrated_lufs", 0) is None
    assert reading.values["integrated_s"] == 0.78


def test_a_reset_while_paused_leaves_it_paused() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    heard(pipeline, noise(96000, 1), 0)
    pipeline.integrate(on=False)
    pipeline.reset()
    reading = heard(pipeline, noise(96000, 1), 96000)
    assert (reading.values["integrating"], reading.values["integrated_s"]) == (0, 0.0)
    assert channel(reading, "integrated_lufs", 0) is None
    assert channel(reading, "true_peak_max_dbtp", 0) is None


def test_a_changed_format_stays_paused() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    pipeline.integrate(on=False)
    pipeline.feed(Changed(epoch=1, streams=(stream_of(2),), reason="new", t_arrival_ns=0))
    for block in blocks(noise(960, 2), epoch=1):
        pipeline.feed(block)
    (reading,) = pipeline.readings(0)
    assert reading.values["integrating"] == 0


def test_a_momentary_window_is_exact_to_the_cell() -> None:
    kernel = Loudness(1, None)
    cells = np.zeros((400, 1))
    cells[100:140] = 1.0
    full = []
    for index, cell in enumerate(cells):
        kernel.feed(cell[None])
        if kernel.drain()["momentary_lufs"] == [-0.691]:
            full.append(index)
    assert full == [139]


def test_histogram_means_are_exact_and_gate_relative_to_the_mean() -> None:
    histogram = EnergyHistogram(1, -70.0)
    loud, quiet, nothing = 1e-2, 1e-4, 1e-9
    histogram.add(np.array([[loud]] * 30 + [[quiet]] * 10 + [[nothing]] * 10))
    assert histogram.gated_mean(0, -10.0) == pytest.approx(loud, rel=1e-12)
    assert histogram.gated_mean(0, -30.0) == pytest.approx((3 * loud + quiet) / 4, rel=1e-12)


def test_an_empty_histogram_knows_nothing() -> None:
    histogram = EnergyHistogram(2, -70.0)
    histogram.add(np.array([[0.0, 1.0]]))
    assert histogram.gated_mean(0, -10.0) is None
    assert histogram.gated_percentiles(0, -20.0, (0.1, 0.95)) is None
    assert histogram.gated_mean(1, -10.0) == 1.0
