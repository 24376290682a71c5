"""The meters of an audio stream: every kernel that works on float samples, over shared hops.

The kernels stay apart, a file each; here they are fed from one buffer, so that samples are
converted once and each kernel sees thousands of frames at a time.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item
from monitor.measure.energies import EnergyGrid
from monitor.measure.hops import HISTORY, Hops
from monitor.measure.levels import Levels
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.metrics import Value, declare

SAMPLES_TOTAL = declare(
    "audio_samples_total", "samples", "scalar", "last", "Samples a channel measured so far."
)


@measure("meters", is_audio)
class Meters:
    """Levels, true peak, loudness and noise floor of every channel, and of the programme."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._rate = setup.stream.sample_rate_hz or 48000
        self._samples = 0
        self._kernels: _Kernels | None = None

    def feed(self, item: Item) -> None:
        """Take a block. A hole is bridged: the samples after it follow those before."""
        if not isinstance(item, Block) or not item.samples.size:
            return
        if self._kernels is None:
            self._kernels = _Kernels(self._setup, item.samples.shape[1], self._rate)
        self._kernels.put(item.samples)
        self._samples += len(item.samples)

    def drain(self) -> Mapping[str, Value]:
        """Work on what waits and return all values."""
        if self._kernels is None:
            return {}
        return {SAMPLES_TOTAL.key: self._samples, **self._kernels.drain()}

    def events(self) -> list[Detection]:
        """Meters detect nothing."""
        return []

    def reset(self) -> None:
        """Restart integrated values at the next sample."""
        if self._kernels is not None:
            self._kernels.reset()

    def finish(self) -> None:
        """Work on what waits."""
        if self._kernels is not None:
            self._kernels.work()


class _Kernels:
    """The kernels of a stream whose channel count is known."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._hops = Hops(channels, sample_rate_hz)
        self._grid = EnergyGrid(channels, sample_rate_hz)
        self._levels = Levels(channels, sample_rate_hz)

    def put(self, samples: NDArray[np.generic]) -> None:
        while len(samples):
            samples = samples[self._hops.put(samples) :]
            if self._hops.waiting == self._hops.frames_limit:
                self.work()

    def work(self) -> None:
        """Feed every kernel with the hop that waits."""
        if not self._hops.waiting:
            return
        hop = self._hops.take()[HISTORY:]
        self._levels.feed(hop, self._grid.feed(hop))
        self._hops.done()

    def reset(self) -> None:
        self.work()
        self._levels.reset()

    def drain(self) -> Mapping[str, Value]:
        self.work()
        return self._levels.drain()
