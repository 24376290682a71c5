"""EBU Tech 3341 v4 (cases 1-6, 9-23) and Tech 3342 v4 (1-4), synthesised from their definitions.

Cases 7, 8 and 3342's 5 and 6 are recordings of real programmes and cannot be synthesised.
Levels are peaks of a 1 kHz sine in both channels of a stereo pair. Tolerances are the standard's:
±0.1 LU, +0.2/-0.4 dB of true peak, ±1 LU of range.
"""

import numpy as np
import pytest

from monitor.lines import Reading
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import (
    METERS,
    Signal,
    blocks,
    channel,
    number,
    run,
    sine,
    stream_of,
)
from tests.monitor.measure.sound.ebu_signals import (
    INTEGRATED,
    LIVE_LEVELS,
    MOMENTARY_CONSTANT,
    MOMENTARY_FILES,
    MOMENTARY_LIVE,
    RANGES,
    RATES,
    SHORT_TERM_CONSTANT,
    SHORT_TERM_FILES,
    SHORT_TERM_LIVE,
    pair,
    side_by_side,
    tone,
    true_peak_signals,
)

LU = 0.1
MONO = 10 * np.log10(2)  # one channel of a pair reads this much less than the pair

rates = pytest.mark.parametrize("rate", RATES)


def readings_at(samples: Signal, rate: int, ends_s: list[float]) -> list[Reading]:
    """One live reading of the stereo programme at each of these times."""
    pipeline = Pipeline("a", [stream_of(samples.shape[1], rate)], only=METERS)
    out, at = [], 0
    for end_s in ends_s:
        end = round(end_s * rate)
        for block in blocks(samples[at:end], 48000, start=at):
            pipeline.feed(block)
        out += pipeline.readings(0)
        at = end
    return out


@rates
def test_3341_cases_1_to_5_integrated(rate: int) -> None:
    # Side by side, as one channel of each pair; the silence after the shorter ones is gated out.
    samples = side_by_side([tone(steps, rate) for steps, _ in INTEGRATED.values()])
    reading, _ = run(samples, stream_of(5, rate), 48000, only=METERS)
    expected = [level - MONO for _, level in INTEGRATED.values()]
    assert reading.values["integrated_lufs"] == pytest.approx(expected, abs=LU)
    # Cases 1 and 2 ask for momentary and short-term too.
    for key in ("momentary_max_lufs", "short_term_max_lufs"):
        assert [channel(reading, key, i) for i in (0, 1)] == pytest.approx(expected[:2], abs=LU)


@pytest.mark.parametrize("case", INTEGRATED)
def test_3341_cases_1_to_5_as_the_programme_of_a_pair(case: str) -> None:
    steps, expected = INTEGRATED[case]
    reading, _ = run(pair(tone(steps, 48000)), stream_of(2), 48000, only=METERS)
    assert number(reading, "programme_integrated_lufs") == pytest.approx(expected, abs=LU)


def test_3341_case_1_reads_its_closed_form() -> None:
    """K-weighting at 1 kHz is +0.6977 dB: -23.01 + 3.01 - 0.691 + 0.6977 = -22.9933."""
    reading, _ = run(pair(sine(20, -23).astype(np.float32)), stream_of(2), 48000, only=METERS)
    for key in ("integrated", "momentary", "short_term"):
        assert number(reading, f"programme_{key}_lufs") == pytest.approx(-22.9933, abs=1e-4)


@rates
@pytest.mark.parametrize("layout", ["5.1", "5.0"])
def test_3341_case_6_weights_of_surround_channels(layout: str, rate: int) -> None:
    front, centre, rear = (tone([(20, level)], rate) for level in (-28, -24, -30))
    lfe = [tone([(20, -10)], rate)] if layout == "5.1" else []
    samples = side_by_side([front, front, centre, *lfe, rear, rear])
    count = samples.shape[1]
    pipeline = Pipeline(
        "a", [stream_of(count, rate, layout=layout)], programme=range(count), only=METERS
    )
    for block in blocks(samples, 480000):
        pipeline.feed(block)
    (reading,) = pipeline.readings(0)
    assert number(reading, "programme_integrated_lufs") == pytest.approx(-23, abs=LU)


@rates
def test_3341_case_9_short_term_is_constant_after_3_s(rate: int) -> None:
    samples = pair(tone(SHORT_TERM_CONSTANT, rate))
    seen = readings_at(samples, rate, [round(0.1 * i, 1) for i in range(1, 151)])[30:]
    levels = [number(reading, "programme_short_term_lufs") for reading in seen]
    assert len(levels) == 120
    assert levels == pytest.approx([-23] * 120, abs=LU)


@rates
def test_3341_case_10_short_term_maximum_of_each_file(rate: int) -> None:
    files = [tone(steps, rate) for steps in SHORT_TERM_FILES]
    reading, _ = run(side_by_side(files), stream_of(20, rate), 48000, only=METERS)
    maxima = [channel(reading, "short_term_max_lufs", i) for i in range(20)]
    assert maxima == pytest.approx([-23 - MONO] * 20, abs=LU)


@rates
def test_3341_case_11_short_term_maximum_live(rate: int) -> None:
    samples = pair(tone([step for part in SHORT_TERM_LIVE for step in part], rate))
    seen = readings_at(samples, rate, [6.0 * (i + 1) for i in range(20)])
    maxima = [number(reading, "programme_short_term_max_lufs") for reading in seen]
    assert maxima == pytest.approx(LIVE_LEVELS, abs=LU)


@rates
def test_3341_case_12_momentary_is_constant_after_1_s(rate: int) -> None:
    samples = pair(tone(MOMENTARY_CONSTANT, rate))
    seen = readings_at(samples, rate, [round(0.05 * i, 2) for i in range(1, 201)])[20:]
    levels = [number(reading, "programme_momentary_lufs") for reading in seen]
    assert len(levels) == 180
    assert levels == pytest.approx([-23] * 180, abs=LU)


@rates
def test_3341_case_13_momentary_maximum_of_each_file(rate: int) -> None:
    files = [tone(steps, rate) for steps in MOMENTARY_FILES]
    reading, _ = run(side_by_side(files), stream_of(20, rate), 48000, only=METERS)
    maxima = [channel(reading, "momentary_max_lufs", i) for i in range(20)]
    assert maxima == pytest.approx([-23 - MONO] * 20, abs=LU)


@rates
def test_3341_case_14_momentary_maximum_live(rate: int) -> None:
    samples = pair(tone([step for part in MOMENTARY_LIVE for step in part], rate))
    seen = readings_at(samples, rate, [0.8 * (i + 1) for i in range(20)])
    maxima = [number(reading, "programme_momentary_max_lufs") for reading in seen]
    assert maxima == pytest.approx(LIVE_LEVELS, abs=LU)


@rates
def test_3341_cases_15_to_23_true_peak(rate: int) -> None:
    signals, expected = zip(*true_peak_signals(rate), strict=True)
    reading, _ = run(side_by_side(list(signals)), stream_of(9, rate), 48000, only=METERS)
    for index, level in enumerate(expected):
        peak = channel(reading, "true_peak_max_dbtp", index)
        assert peak is not None
        assert level - 0.4 <= peak <= level + 0.2, f"case {15 + index}: {peak}"


@rates
@pytest.mark.parametrize("cases", [RANGES[:3], RANGES[3:]])
def test_3342_cases_1_to_4_loudness_range(
    cases: list[tuple[list[float], float]], rate: int
) -> None:
    signals = [tone([(20, level) for level in levels], rate) for levels, _ in cases]
    reading, _ = run(side_by_side(signals), stream_of(len(cases), rate), 48000, only=METERS)
    expected = [lu for _, lu in cases]
    assert reading.values["loudness_range_lu"] == pytest.approx(expected, abs=1.0)
