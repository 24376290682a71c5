"""Bits that rest: a link that gives 16 bits where 24 are recorded."""

import numpy as np
import pytest

from monitor.measure.measurement import MEASUREMENTS, Setup
from tests.monitor.measure.signals import Signal, blocks, noise, stream_of

RATE = 8000
LOW_BYTE = np.int32(-(1 << 16))


def live(seconds: int) -> Signal:
    return (noise(seconds * RATE, 1) * 2**23).astype(np.int32) << 8


def resting(samples: Signal, *, size: int = 960, is_live: bool = True) -> object:
    info = stream_of(1, RATE, bit_depth=24)
    made = MEASUREMENTS["bit_depth"].make(Setup(stream=info, live=is_live))
    for block in blocks(samples, size):
        made.feed(block)
    return made.drain()["bits_resting"]


@pytest.mark.parametrize("size", [64, 960, 100_000])
def test_sixteen_bits_in_24_rest_eight_after_ten_seconds(size: int) -> None:
    assert resting(live(11) & LOW_BYTE, size=size) == [8]
    assert resting(live(11), size=size) == [0]
    assert resting(live(9) & LOW_BYTE, size=size) == [None]


def test_live_the_last_ten_seconds_count_and_of_a_file_all() -> None:
    samples = live(14)
    samples[3 * RATE :] &= LOW_BYTE
    assert resting(samples) == [8]
    assert resting(samples, is_live=False) == [0]


def test_digital_silence_and_floats_have_no_resting_bits() -> None:
    assert resting(np.zeros((11 * RATE, 1), np.int32)) == [None]
    assert resting(noise(11 * RATE, 1)) == [None]
