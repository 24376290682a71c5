"""Samples that are not numbers: NaN, infinity, or beyond +80 dBFS; a driver or decoder is broken.

The meters take such samples as zeros and recover; this detector says that they were there.
"""

from collections.abc import Mapping

import numpy as np

from capture.source import Block, Item
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.measure.sound.hops import SAMPLE_LIMIT
from monitor.measure.sound_faults.episodes import Episodes, advance_all, take_steps
from monitor.measure.sound_faults.runs import Runs, feed_columns
from monitor.metrics import Value, declare

DETAIL = "NaN, infinity or over +80 dBFS"

NAN_SAMPLES_TOTAL = declare(
    "nan_samples_total",
    "samples",
    "channels",
    "last",
    "Samples since reset that were NaN, infinite or over +80 dBFS; measured as zero.",
)


@measure("nan", is_audio, detectors=("nan",))
class NotANumber:
    """Runs of samples that are not numbers, of every channel."""

    def __init__(self, setup: Setup) -> None:
        self._rate = setup.stream.sample_rate_hz or 48000
        self._channels: list[Runs] = []
        self._episodes: list[Episodes] = []
        self._totals: list[int] = []

    def feed(self, item: Item) -> None:
        """Take a block; integers are always numbers."""
        if not isinstance(item, Block) or not item.samples.size:
            return
        if not self._channels:
            self._begin(item.samples.shape[1])
        if item.samples.dtype.kind == "f":
            self._scan(item)
            advance_all(self._episodes, item.start + len(item.samples))

    def _begin(self, channels: int) -> None:
        self._totals = [0] * channels
        self._channels = [
            Runs(Episodes("nan", index, self._rate, DETAIL), 1) for index in range(channels)
        ]
        self._episodes = [channel.episodes for channel in self._channels]

    def _scan(self, block: Block) -> None:
        samples = block.samples
        carries = any(channel.carries for channel in self._channels)
        if not carries and samples.max() <= SAMPLE_LIMIT and samples.min() >= -SAMPLE_LIMIT:
            return
        bad = ~(np.abs(samples) <= SAMPLE_LIMIT)
        counts = bad.sum(axis=0)
        feed_columns(self._channels, bad.view(np.int8), block.start, counts > 0)
        self._totals = [a + b for a, b in zip(self._totals, counts.tolist(), strict=True)]

    def drain(self) -> Mapping[str, Value]:
        """Return the counts a channel."""
        return {NAN_SAMPLES_TOTAL.key: list(self._totals)} if self._channels else {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        return take_steps(self._episodes)

    def reset(self) -> None:
        """Count from zero again; open episodes go on."""
        self._totals = [0] * len(self._totals)

    def finish(self) -> None:
        """Close open episodes."""
        for channel in self._channels:
            channel.episodes.close()
