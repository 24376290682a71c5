"""What a file's meters tell in pieces: the same however long it is between two readings."""

import numpy as np
import pytest

from monitor.measure.pipeline import Pipeline
from monitor.metrics import Value
from tests.monitor.measure.signals import Signal, blocks, noise, stream_of

RATE = 48000
SLOW = ("dc_offset", "programme_short_term_lufs")
Told = dict[tuple[int, int], dict[str, Value]]


def pieces_of(samples: Signal, size: int) -> Told:
    """The values of all lines of a file, by start and end, read ``size`` frames at a time."""
    pipeline = Pipeline("file", [stream_of(samples.shape[1])], live=False)
    told: Told = {}
    for block in blocks(samples.astype(np.float32), size):
        pipeline.feed(block)
        for line in pipeline.readings(0):
            told.setdefault((line.start, line.end), {}).update(line.values)
    return told


def moving(seconds: int = 9) -> Signal:
    """Stereo noise with a level and an offset of its own in every second."""
    sound = noise(seconds * RATE, 2, 0.05)
    second = np.arange(len(sound)) // RATE
    return np.asarray(sound * (1 + second % 3)[:, None] + 0.001 * second[:, None])


@pytest.mark.parametrize("size", [4 * RATE, 2 * RATE + 480 * 100])
def test_offset_and_loudness_have_a_value_a_second_however_long_readings_are(size: int) -> None:
    samples = moving()
    short, long = pieces_of(samples, RATE), pieces_of(samples, size)
    for second in range(9):
        span = (second * RATE, (second + 1) * RATE)
        for key in SLOW:
            value, expected = long[span][key], short[span][key]
            assert value == (None if expected is None else pytest.approx(expected, abs=1e-9))
    assert long[8 * RATE, 9 * RATE]["programme_short_term_lufs"] is not None


def test_an_offset_is_the_mean_of_the_three_seconds_before() -> None:
    samples = moving()
    told = pieces_of(samples, 4 * RATE)
    for second in range(3, 9):
        expected = samples[(second - 2) * RATE : (second + 1) * RATE].mean(axis=0)
        found = told[second * RATE, (second + 1) * RATE]["dc_offset"]
        assert found == pytest.approx(expected.tolist(), abs=1e-7)


def test_what_is_shorter_than_a_second_has_one_piece() -> None:
    told = pieces_of(moving()[:20000], 4 * RATE)
    assert {key for values in told.values() for key in values} >= set(SLOW)
    assert told[0, 20000]["programme_short_term_lufs"] is None
