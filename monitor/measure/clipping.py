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

from capture.source import Block, Item, StreamInfo
from monitor.measure.episodes import Episodes
from monitor.measure.measurement import Detection, Setup, is_audio, measure
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


def runs_of(state: NDArray[np.int8]) -> list[tuple[int, int]]:
    """Return [start, end) of each stretch of one non-zero value in a one-dimensional array."""
    edges = np.flatnonzero(np.diff(state, prepend=np.int8(0), append=np.int8(0)))
    # Neighbouring edges bound stretches of one value; those of value zero are no runs.
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return [(start, end) for start, end in pairs if state[start] != 0]


class _Channel:
    """One channel: the run that reached the end of the last block, and its episodes."""

    def __init__(
        self, channel: int, stream: StreamInfo, run_samples: int, detail: str | None
    ) -> None:
        self.episodes = Episodes("clipping", channel, stream.sample_rate_hz or 48000, detail)
        self._run_samples = run_samples
        self._value = 0
        self._start = 0
        self._counted = False
        self.runs = 0
        self.total = 0

    @property
    def carries(self) -> bool:
        return self._value != 0

    def forget(self) -> None:
        self._value = 0

    def feed(self, state: NDArray[np.int8], tick: int) -> None:
        """Take 1 where at the top code, -1 at the bottom, else 0, from ``tick`` on."""
        length = len(state)
        for start, end in runs_of(state):
            joins = start == 0 and self._value == int(state[0])
            if not joins:
                self._start, self._counted = tick + start, False
            self._run(tick + end)
            self._value = int(state[start])
        if length and state[-1] == 0:
            self._value = 0

    def _run(self, end: int) -> None:
        if end - self._start < self._run_samples:
            return
        if self._counted:
            self.episodes.extend(self._start, end)
            return
        self._counted = True
        self.runs += 1
        self.total += 1
        self.episodes.fault(self._start, end)


@measure("clipping", is_audio, detectors=("clipping",))
class Clipping:
    """Runs at full scale of every channel, as counts and episodes."""

    def __init__(self, setup: Setup) -> None:
        self._stream = setup.stream
        self._run_samples = max(1, round(setup.limit("clip_run_samples", RUN_SAMPLES)))
        self._channels: list[_Channel] = []
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
            self._channels = [
                _Channel(index, self._stream, self._run_samples, self._detail(item))
                for index in range(item.samples.shape[1])
            ]
        if item.start != self._next:
            for channel in self._channels:
                channel.forget()
        self._next = item.start + len(item.samples)
        self._scan(item.samples, item.start)
        for channel in self._channels:
            channel.episodes.advance(self._next)

    def _scan(self, samples: NDArray[Any], tick: int) -> None:
        low, high = end_codes(samples.dtype, self._stream.bit_depth)
        carries = any(channel.carries for channel in self._channels)
        # A NaN makes these comparisons false: such a block is scanned, and clips nowhere.
        if not carries and samples.max() < high and samples.min() > low:
            return
        above, below = samples >= high, samples <= low
        touched = np.logical_or.reduce(above | below, axis=0)
        for index, channel in enumerate(self._channels):
            if touched[index] or channel.carries:
                state = above[:, index].astype(np.int8) - below[:, index].astype(np.int8)
                channel.feed(state, tick)

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
        steps = [step for channel in self._channels for step in channel.episodes.steps]
        for channel in self._channels:
            channel.episodes.steps.clear()
        return steps

    def reset(self) -> None:
        """Count from zero again; open episodes go on."""
        for channel in self._channels:
            channel.total = 0

    def finish(self) -> None:
        """Close open episodes."""
        for channel in self._channels:
            channel.episodes.close()
