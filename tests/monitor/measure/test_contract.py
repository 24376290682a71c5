"""What every registered measurement of sound must do, whatever it measures."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.source import Ended, Lost, StreamInfo
from monitor.lines import Event
from monitor.measure.measurement import MEASUREMENTS, Detection, Measurement, Setup
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.listener import DETECTORS_HEARD
from monitor.metrics import METRICS, Value, merge_values
from tests.monitor.measure.signals import Signal, blocks, channel, noise, run, stream_of

CHANNELS = 2
STREAM = stream_of(CHANNELS, bit_depth=24)
SOUND_KINDS = sorted(name for name, kind in MEASUREMENTS.items() if kind.suits(STREAM))
TOLERANCE_DB = 1e-6

kinds = pytest.mark.parametrize("name", SOUND_KINDS)


def made(name: str) -> Measurement:
    return MEASUREMENTS[name].make(Setup(stream=STREAM, programme=(0, 1)))


def eventful() -> Signal:
    """Two seconds with every fault that a detector tells in them."""
    samples = noise(96000, CHANNELS)
    samples[5000:5010, 0] = 1.0
    samples[30000:50000, 1] = 0.0
    samples[60000:60003, 0] = np.nan
    samples[61000, 1] = np.inf
    samples[70000:70200, 0] = 0.05  # stuck
    samples[88000:88200, 0] *= 0.01  # a dropout
    samples[80480:80960] = samples[80000:80480]  # a repeated buffer
    for start in (85000, 86000, 87000):
        samples[start : start + 6, 1] = 0.8  # flat tops
    return samples


def fed(measurement: Measurement, samples: Signal, sizes: int = 960) -> list[Detection]:
    steps = []
    for block in blocks(samples, sizes):
        measurement.feed(block)
        steps += measurement.events()
    return steps


@kinds
def test_values_are_declared_and_have_their_shape(name: str) -> None:
    measurement = made(name)
    fed(measurement, eventful())
    for key, value in measurement.drain().items():
        metric = METRICS[key]
        assert isinstance(value, list) == (metric.shape == "channels"), key
        assert not isinstance(value, list) or len(value) == CHANNELS, key


@kinds
def test_numbers_are_finite_or_unknown(name: str) -> None:
    for samples in (eventful(), np.zeros((96000, CHANNELS), np.float32)):
        measurement = made(name)
        fed(measurement, samples)
        for key, value in measurement.drain().items():
            for number in value if isinstance(value, list) else [value]:
                assert number is None or isinstance(number, str) or np.isfinite(number), key


@kinds
def test_it_can_be_drained_reset_and_finished_before_anything_came(name: str) -> None:
    measurement = made(name)
    measurement.reset()
    measurement.drain()
    measurement.finish()
    assert measurement.events() == []


@kinds
def test_events_are_of_its_detectors_and_every_episode_opens_and_closes_once(name: str) -> None:
    measurement = made(name)
    steps = fed(measurement, eventful())
    measurement.finish()
    steps += measurement.events()
    for step in steps:
        assert step.detector in MEASUREMENTS[name].detectors
        assert step.key.startswith(step.detector)
    for key in {step.key for step in steps}:
        phases = [step.phase for step in steps if step.key == key]
        assert phases[0] == "open"
        assert phases[-1] == "close"
        assert set(phases[1:-1]) <= {"update"}
    # A listener's detectors have tests of their own: some want many seconds.
    own = set(MEASUREMENTS[name].detectors) - set(DETECTORS_HEARD)
    assert {step.detector for step in steps} >= own


@kinds
def test_a_loss_raises_nothing(name: str) -> None:
    measurement = made(name)
    lost = Lost(stream=0, epoch=0, start=10, amount=5, unit="samples", reason="x", t_arrival_ns=0)
    measurement.feed(lost)
    assert measurement.events() == []


def assert_same(one: Value, other: Value, key: str) -> None:
    pairs = zip(
        one if isinstance(one, list) else [one],
        other if isinstance(other, list) else [other],
        strict=True,
    )
    for a, b in pairs:
        assert a == b if a is None else b == pytest.approx(a, abs=TOLERANCE_DB), key


def episodes(samples: Signal, sizes: list[int] | int) -> list[tuple[object, ...]]:
    _, events = run(samples, STREAM, sizes)
    closed = [e for e in events if isinstance(e, Event) and e.phase == "close"]
    return sorted((e.id, e.start, e.end, e.worst, e.count, e.count_1s) for e in closed)


@given(sizes=st.lists(st.integers(1, 48000), min_size=1, max_size=6).filter(lambda s: sum(s) > 400))
@settings(max_examples=12, deadline=None)
def test_the_result_does_not_depend_on_how_the_signal_is_cut(sizes: list[int]) -> None:
    samples = eventful()
    expected, _ = run(samples, STREAM, 48000)
    result, _ = run(samples, STREAM, sizes)
    assert result.values.keys() == expected.values.keys()
    for key, value in expected.values.items():
        assert_same(value, result.values[key], key)
    assert episodes(samples, sizes) == episodes(samples, 48000)


def measured_live(samples: Signal, info: StreamInfo, sizes: list[int]) -> dict[str, Value]:
    """The values of readings that were drained after every block, merged."""
    pipeline = Pipeline("a", [info])
    values: dict[str, Value] = {}
    for block in blocks(samples, sizes):
        pipeline.feed(block)
        values = merge_values(values, pipeline.readings(0)[0].values)
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    return merge_values(values, pipeline.readings(0)[0].values)


METERS = ("_lufs", "_lu", "_dbtp", "_dbfs", "dc_offset", "integrated_s")


@pytest.mark.parametrize(
    ("rate", "seconds", "sizes"),
    [
        (32000, 3.2, [64, 48000, 999]),
        (44100, 3.2, [441, 64, 30001, 2048]),
        (48000, 0.6, [64]),
        (48000, 3.2, [64, 48000, 63, 4801]),
        (96000, 3.2, [64, 47999, 960]),
        (192000, 3.2, [48000, 65, 7777]),
    ],
)
def test_meters_do_not_depend_on_how_the_signal_is_cut_and_drained(
    rate: int, seconds: float, sizes: list[int]
) -> None:
    samples = noise(round(seconds * rate), 2)
    samples[: rate // 4] *= 1e-4
    info = stream_of(2, rate)
    expected, _ = run(samples, info, 48000)
    found = measured_live(samples, info, sizes)
    compared = [key for key in expected.values if key.endswith(METERS)]
    assert len(compared) >= 18
    for key in compared:
        assert_same(expected.values[key], found[key], key)


def test_single_samples_as_blocks_give_the_same_result() -> None:
    samples = eventful()[58000:64000]
    expected, _ = run(samples, STREAM, 6000)
    result, _ = run(samples, STREAM, 1)
    for key, value in expected.values.items():
        assert_same(value, result.values[key], key)


@given(seed=st.integers(0, 1000))
@settings(max_examples=8, deadline=None)
def test_channels_are_independent(seed: int) -> None:
    quiet, loud = noise(48000, 1, 0.01, seed), noise(48000, 1, 0.3, seed + 1)
    alone, _ = run(quiet, stream_of(1))
    beside, _ = run(np.concatenate([quiet, loud], axis=1), stream_of(2))
    for key, value in alone.values.items():
        if METRICS[key].shape == "channels":
            assert isinstance(value, list)
            assert_same(value[0], channel(beside, key, 0), key)


@given(gain_db=st.floats(-40, 12))
@settings(max_examples=10, deadline=None)
def test_gain_moves_every_level_by_itself(gain_db: float) -> None:
    samples = noise(4 * 48000, 1, 0.05)
    before, _ = run(samples, stream_of(1), 48000)
    after, _ = run((samples * 10 ** (gain_db / 20)).astype(np.float32), stream_of(1), 48000)
    levels = [
        key
        for key, value in before.values.items()
        if METRICS[key].unit in ("dBFS", "dBTP", "LUFS") and value != [None]  # noise is no tone
    ]
    assert len(levels) >= 15
    for key in levels:
        old, new = before.values[key], after.values[key]
        shift = gain_db + (old[0] if isinstance(old, list) else old)  # type: ignore[operator]
        # Quantiles and gates are worked out in bins of 0.01 dB.
        assert (new[0] if isinstance(new, list) else new) == pytest.approx(shift, abs=0.005), key


def test_meters_recover_from_nan_infinity_and_huge_values() -> None:
    good = noise(4 * 48000, 1, 0.05)
    bad = good.copy()
    bad[10000:10200] = np.nan
    bad[10300] = np.inf
    bad[10301] = -3e38
    expected, _ = run(good[96000:], stream_of(1))
    result, events = run(bad, stream_of(1))
    for key in ("momentary_lufs", "rms_dbfs"):
        assert channel(result, key, 0) == pytest.approx(channel(expected, key, 0), abs=1e-3)
    assert channel(result, "sample_peak_max_dbfs", 0) == pytest.approx(-12, abs=4)
    assert result.values["nan_samples_total"] == [202]
    (closed,) = [e for e in events if isinstance(e, Event) and e.phase == "close"]
    assert (closed.detector, closed.start, closed.end) == ("nan", 10000, 10302)
    assert (closed.worst, closed.count) == (200, 2)


@pytest.mark.parametrize("rate", [8000, 32000, 44100, 88200, 192000])
def test_any_sample_rate_is_measured(rate: int) -> None:
    info = StreamInfo(
        index=0, kind="audio", time_base=Fraction(1, rate), sample_rate_hz=rate, channels=1
    )
    t = np.arange(4 * rate) / rate
    samples = (0.1 * np.sin(2 * np.pi * 1000 * t))[:, None].astype(np.float32)
    reading, _ = run(samples, info, 1000)
    assert channel(reading, "integrated_lufs", 0) == pytest.approx(-23.0, abs=0.1)
    assert channel(reading, "true_peak_dbtp", 0) == pytest.approx(-20.0, abs=0.1)
