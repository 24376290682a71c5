"""Clipping: runs of samples at the native depth's end codes, sample-exact.

A run is ``clip_run_samples`` (limit; by default 3) or more consecutive samples at the same end
code: one sample may just touch full scale, two can be the top of a sine, three are flat. For floats
without an integer depth, full scale is 1.0, and what is over it can be turned down again.

The scan is two reductions a block; channels are looked at one by one only where one touches.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.measure.sound.hops import reduce_frames
from monitor.measure.sound_faults.episodes import Episodes, advance_all, take_steps
from monitor.measure.sound_faults.runs import Runs, feed_columns
from monitor.metrics import Value, declare

RUN_SAMPLES = 3
FLOAT_DETAIL = "float over full scale, recoverable"

CLIP_RUNS = declare(
    "clip_runs", "runs", "channels", "sum", "Runs of samples at full scale in the interval."
)
CLIP_RUNS_TOTAL = declare(
    "clip_runs_total", "runs", "channels", "last", "Runs of samples at full scale since reset."
)


def end_codes(dtype: np.dtype[Any], bit_depth: int | None) -> tuple[float, float]:
    """Return the lowest and highest code of a depth, left-justified in ``dtype``; exact in float64.

    Floats with a depth up to 24 were converted from such integers; others end at ±1.0.
    """
    if dtype.kind == "f":
        step = 2.0 ** (1 - bit_depth) if bit_depth is not None and bit_depth <= 24 else 0.0
        return -1.0, 1.0 - step
    width = dtype.itemsize * 8
    depth = min(bit_depth or width, width)
    return -(2.0 ** (width - 1)), (2.0 ** (depth - 1) - 1) * 2.0 ** (width - depth)


@measure("clipping", is_audio, detectors=("clipping",))
class Clipping:
    """Runs at full scale of every channel, as counts and episodes."""

    def __init__(self, setup: Setup) -> None:
        self._stream = setup.stream
        self._run_samples = max(1, round(setup.limit("clip_run_samples", RUN_SAMPLES)))
        self._channels: list[Runs] = []
        self._episodes: list[Episodes] = []
        self._next: int | None = None

    def _detail(self, block: Block) -> str | None:
        depth = self._stream.bit_depth
        is_float = block.samples.dtype.kind == "f" and (depth is None or depth > 24)
        return FLOAT_DETAIL if is_float else None

    def feed(self, item: Item) -> None:
        """Take a block; a hole before it ends every run there."""
        if not isinstance(item, Block) or not item.samples.size:
            return
        if not self._channels:
            rate, detail = self._stream.sample_rate_hz or 48000, self._detail(item)
            self._channels = [
                Runs(Episodes("clipping", index, rate, detail), self._run_samples)
                for index in range(item.samples.shape[1])
            ]
            self._episodes = [channel.episodes for channel in self._channels]
        if item.start != self._next:
            for channel in self._channels:
                channel.forget()
        self._next = item.start + len(item.samples)
        self._scan(item.samples, item.start)
        advance_all(self._episodes, self._next)

    def _scan(self, samples: NDArray[Any], tick: int) -> None:
        low, high = end_codes(samples.dtype, self._stream.bit_depth)
        carries = any(channel.carries for channel in self._channels)
        # A NaN makes these comparisons false: such a block is scanned, and clips nowhere.
        if not carries and samples.max() < high and samples.min() > low:
            return
        above, below = samples >= high, samples <= low
        state = above.view(np.int8) - below.view(np.int8)
        feed_columns(self._channels, state, tick, reduce_frames(np.bitwise_or, state) != 0)

    def drain(self) -> Mapping[str, Value]:
        """Return run counts a channel."""
        if not self._channels:
            return {}
        values: dict[str, Value] = {
            CLIP_RUNS.key: [channel.runs for channel in self._channels],
            CLIP_RUNS_TOTAL.key: [channel.total for channel in self._channels],
        }
        for channel in self._channels:
            channel.runs = 0
        return values

    def events(self) -> list[Detection]:
        """Return the episodes' steps, in order of channel."""
        return take_steps(self._episodes)

    def reset(self) -> None:
        """Count from zero again; open episodes go on."""
        for channel in self._channels:
            channel.total = 0

    def finish(self) -> None:
        """Close open episodes."""
        for channel in self._channels:
            channel.episodes.close()
