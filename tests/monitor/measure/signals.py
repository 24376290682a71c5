"""Sound for the tests: streams, blocks of them, and what a pipeline says of them."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Ended, StreamInfo
from monitor.lines import Event, Gap, Reading
from monitor.measure.pipeline import Pipeline

Signal = NDArray[Any]


def stream_of(
    channels: int, rate: int = 48000, *, layout: str | None = None, bit_depth: int | None = None
) -> StreamInfo:
    return StreamInfo(
        index=0,
        kind="audio",
        time_base=Fraction(1, rate),
        sample_rate_hz=rate,
        channels=channels,
        layout=layout,
        bit_depth=bit_depth,
    )


def sine(
    seconds: float, level_dbfs: float, hz: float = 1000.0, rate: int = 48000
) -> NDArray[np.float64]:
    """A sine whose peak has that level, shape (frames,)."""
    t = np.arange(round(seconds * rate)) / rate
    return np.asarray(10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * t))


def noise(frames: int, channels: int, level: float = 0.1, seed: int = 1) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    return (level * generator.standard_normal((frames, channels))).astype(np.float32)


def blocks(
    samples: Signal, sizes: int | Sequence[int] = 960, start: int = 0, epoch: int = 0
) -> Iterator[Block]:
    """Cut samples into blocks of one size, or of each size in turn over and over."""
    cycle = [sizes] if isinstance(sizes, int) else list(sizes)
    at = turn = 0
    while at < len(samples):
        size = cycle[turn % len(cycle)]
        part = np.ascontiguousarray(samples[at : at + size])
        yield Block(stream=0, epoch=epoch, start=start + at, samples=part, t_arrival_ns=0)
        at, turn = at + size, turn + 1


METERS = ("listening", "meters")
"""What a test of meters needs: with every detector on, EBU's signals take four times as long."""


def run(
    samples: Signal,
    info: StreamInfo,
    sizes: int | Sequence[int] = 960,
    limits: Mapping[str, object] | None = None,
    only: Sequence[str] | None = None,
) -> tuple[Reading, list[Event | Gap]]:
    """Measure the samples to their end; return one reading of it all, and all events.

    ``only``: names of the measurements and listeners, for tests of one; all by default.
    """
    pipeline = Pipeline("a", [info], limits=limits, only=only)
    for block in blocks(samples, sizes):
        pipeline.feed(block)
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    return pipeline.readings(0)[0], pipeline.events()


def channel(reading: Reading, key: str, index: int) -> float | None:
    """One channel's number of a reading."""
    values = reading.values[key]
    assert isinstance(values, list)
    return values[index]


def number(reading: Reading, key: str) -> float:
    """A known number of a reading."""
    value = reading.values[key]
    assert isinstance(value, int | float)
    return float(value)
