"""EBU Tech 3341 v4 (cases 1-6, 9-23) and Tech 3342 v4 (1-4), synthesised from their definitions.

Cases 7, 8 and 3342's 5 and 6 are recordings of real programmes and cannot be synthesised.
Levels are peaks of a 1 kHz sine in both channels of a stereo pair. Tolerances are the standard's:
±0.1 LU, +0.2/-0.4 dB of true peak, ±1 LU of range.
"""

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.lines import Reading
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import Signal, blocks, channel, number, run, sine, stream_of

LU = 0.1
SILENCE = -200.0
MONO = 10 * np.log10(2)  # one channel of a pair reads this much less than the pair
RATES = (44100, 48000, 96000)
Steps = list[tuple[float, float]]

rates = pytest.mark.parametrize("rate", RATES)


def tone(steps: Steps, rate: int) -> Signal:
    """A continuous 1 kHz sine whose level steps: (seconds, dBFS) each."""
    seconds = sum(length for length, _ in steps)
    level = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for s, db in steps])
    carrier = sine(seconds + 1, 0.0, rate=rate)[: len(level)]
    return np.asarray((level * carrier).astype(np.float32))


def pair(signal: Signal) -> Signal:
    return np.stack([signal, signal], axis=1)


def side_by_side(signals: list[Signal]) -> Signal:
    """Signals as channels of one stream, the shorter ones ending in silence."""
    longest = max(len(signal) for signal in signals)
    return np.stack([np.pad(signal, (0, longest - len(signal))) for signal in signals], axis=1)


def readings_at(samples: Signal, rate: int, ends_s: list[float]) -> list[Reading]:
    """One live reading of the stereo programme at each of these times."""
    pipeline = Pipeline("a", [stream_of(samples.shape[1], rate)])
    out, at = [], 0
    for end_s in ends_s:
        end = round(end_s * rate)
        for block in blocks(samples[at:end], 48000, start=at):
            pipeline.feed(block)
        out += pipeline.readings(0)
        at = end
    return out


INTEGRATED: dict[str, tuple[Steps, float]] = {
    "1": ([(20, -23)], -23),
    "2": ([(20, -33)], -33),
    "3": ([(10, -36), (60, -23), (10, -36)], -23),
    "4": ([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23),
    "5": ([(20, -26), (20.1, -20), (20, -26)], -23),
}


@rates
def test_3341_cases_1_to_5_integrated(rate: int) -> None:
    # Side by side, as one channel of each pair; the silence after the shorter ones is gated out.
    samples = side_by_side([tone(steps, rate) for steps, _ in INTEGRATED.values()])
    reading, _ = run(samples, stream_of(5, rate), 48000)
    expected = [level - MONO for _, level in INTEGRATED.values()]
    assert reading.values["integrated_lufs"] == pytest.approx(expected, abs=LU)
    # Cases 1 and 2 ask for momentary and short-term too.
    for key in ("momentary_max_lufs", "short_term_max_lufs"):
        assert [channel(reading, key, i) for i in (0, 1)] == pytest.approx(expected[:2], abs=LU)


@pytest.mark.parametrize("case", INTEGRATED)
def test_3341_cases_1_to_5_as_the_programme_of_a_pair(case: str) -> None:
    steps, expected = INTEGRATED[case]
    reading, _ = run(pair(tone(steps, 48000)), stream_of(2), 48000)
    assert number(reading, "programme_integrated_lufs") == pytest.approx(expected, abs=LU)


def test_3341_case_1_reads_its_closed_form() -> None:
    """K-weighting at 1 kHz is +0.6977 dB: -23.01 + 3.01 - 0.691 + 0.6977 = -22.9933."""
    reading, _ = run(pair(sine(20, -23).astype(np.float32)), stream_of(2), 48000)
    for key in ("integrated", "momentary", "short_term"):
        assert number(reading, f"programme_{key}_lufs") == pytest.approx(-22.9933, abs=1e-4)


@rates
@pytest.mark.parametrize("layout", ["5.1", "5.0"])
def test_3341_case_6_weights_of_surround_channels(layout: str, rate: int) -> None:
    front, centre, rear = (tone([(20, level)], rate) for level in (-28, -24, -30))
    lfe = [tone([(20, -10)], rate)] if layout == "5.1" else []
    samples = side_by_side([front, front, centre, *lfe, rear, rear])
    count = samples.shape[1]
    pipeline = Pipeline("a", [stream_of(count, rate, layout=layout)], programme=range(count))
    for block in blocks(samples, 480000):
        pipeline.feed(block)
    (reading,) = pipeline.readings(0)
    assert number(reading, "programme_integrated_lufs") == pytest.approx(-23, abs=LU)


@rates
def test_3341_case_9_short_term_is_constant_after_3_s(rate: int) -> None:
    samples = pair(tone([(1.34, -20), (1.66, -30)] * 5, rate))
    seen = readings_at(samples, rate, [round(0.1 * i, 1) for i in range(1, 151)])[30:]
    levels = [number(reading, "programme_short_term_lufs") for reading in seen]
    assert len(levels) == 120
    assert levels == pytest.approx([-23] * 120, abs=LU)


@rates
def test_3341_case_10_short_term_maximum_of_each_file(rate: int) -> None:
    files = [tone([(i * 0.15, SILENCE), (3, -23), (1, SILENCE)], rate) for i in range(20)]
    reading, _ = run(side_by_side(files), stream_of(20, rate), 48000)
    maxima = [channel(reading, "short_term_max_lufs", i) for i in range(20)]
    assert maxima == pytest.approx([-23 - MONO] * 20, abs=LU)


@rates
def test_3341_case_11_short_term_maximum_live(rate: int) -> None:
    parts = [[(i * 0.15, SILENCE), (3, -38.0 + i), (3 - i * 0.15, SILENCE)] for i in range(20)]
    samples = pair(tone([step for part in parts for step in part], rate))
    seen = readings_at(samples, rate, [6.0 * (i + 1) for i in range(20)])
    maxima = [number(reading, "programme_short_term_max_lufs") for reading in seen]
    assert maxima == pytest.approx([-38 + i for i in range(20)], abs=LU)


@rates
def test_3341_case_12_momentary_is_constant_after_1_s(rate: int) -> None:
    samples = pair(tone([(0.18, -20), (0.22, -30)] * 25, rate))
    seen = readings_at(samples, rate, [round(0.05 * i, 2) for i in range(1, 201)])[20:]
    levels = [number(reading, "programme_momentary_lufs") for reading in seen]
    assert len(levels) == 180
    assert levels == pytest.approx([-23] * 180, abs=LU)


@rates
def test_3341_case_13_momentary_maximum_of_each_file(rate: int) -> None:
    files = [tone([(i * 0.02, SILENCE), (0.4, -23), (1, SILENCE)], rate) for i in range(20)]
    reading, _ = run(side_by_side(files), stream_of(20, rate), 48000)
    maxima = [channel(reading, "momentary_max_lufs", i) for i in range(20)]
    assert maxima == pytest.approx([-23 - MONO] * 20, abs=LU)


@rates
def test_3341_case_14_momentary_maximum_live(rate: int) -> None:
    parts = [[(i * 0.02, SILENCE), (0.4, -38.0 + i), (0.4 - i * 0.02, SILENCE)] for i in range(20)]
    samples = pair(tone([step for part in parts for step in part], rate))
    seen = readings_at(samples, rate, [0.8 * (i + 1) for i in range(20)])
    maxima = [number(reading, "programme_momentary_max_lufs") for reading in seen]
    assert maxima == pytest.approx([-38 + i for i in range(20)], abs=LU)


def faded(signal: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    gain = np.ones(len(signal))
    gain[:frames] = np.linspace(0, 1, frames, endpoint=False)
    gain[-frames:] = np.linspace(1, 0, frames, endpoint=False)
    return signal * gain


def steady(rate: int, divider: int, phase_deg: float, amplitude: float) -> Signal:
    """Cases 15-19: a sine of rate / divider with 10 ms fades."""
    n = np.arange(rate)
    wave = amplitude * np.sin(2 * np.pi * n / divider + np.radians(phase_deg))
    return faded(wave, rate // 100).astype(np.float32)


def oversampled_burst(rate: int) -> list[Signal]:
    """Cases 20-23: built at four times the rate, low-passed, decimated at offsets 0 to 3."""
    cut = 72480
    carrier = 0.5 * np.sin(2 * np.pi * np.arange(round(3.2 * 4 * rate)) / 24)
    one_period = np.sin(2 * np.pi * np.arange(16) / 16)
    parts = [carrier[: 4 * cut], one_period, carrier[: len(carrier) - 4 * cut - 16]]
    wave = faded(np.concatenate(parts) * 32767 / 32768, round(0.1 * 4 * rate))
    spectrum = np.fft.rfft(wave)
    position = np.arange(len(spectrum)) / len(spectrum) * 4  # 1 is half the final rate
    ramp = np.clip((position - 0.95) / 0.05, 0, 1)
    low = np.fft.irfft(spectrum * 0.5 * (1 + np.cos(np.pi * ramp)), len(wave))
    return [low[offset::4].astype(np.float32) for offset in range(4)]


@rates
def test_3341_cases_15_to_23_true_peak(rate: int) -> None:
    kinds = [(4, 0.0, 0.5), (4, 45.0, 0.5), (6, 60.0, 0.5), (8, 67.5, 0.5), (4, 45.0, 1.41)]
    signals = [steady(rate, *kind) for kind in kinds] + oversampled_burst(rate)
    reading, _ = run(side_by_side(signals), stream_of(9, rate), 48000)
    expected = [-6.0] * 4 + [3.0] + [0.0] * 4
    for index, level in enumerate(expected):
        peak = channel(reading, "true_peak_max_dbtp", index)
        assert peak is not None
        assert level - 0.4 <= peak <= level + 0.2, f"case {15 + index}: {peak}"


@rates
@pytest.mark.parametrize(
    "levels", [[[-20, -30], [-20, -15], [-40, -20]], [[-50, -35, -20, -35, -50]]]
)
def test_3342_cases_1_to_4_loudness_range(levels: list[list[float]], rate: int) -> None:
    expected = [10, 5, 20] if len(levels) == 3 else [15]
    samples = side_by_side([tone([(20, level) for level in steps], rate) for steps in levels])
    reading, _ = run(samples, stream_of(len(levels), rate), 48000)
    assert reading.values["loudness_range_lu"] == pytest.approx(expected, abs=1.0)
