"""The meters of an audio stream: every kernel that works on float samples, over shared hops.

The kernels stay apart, a file each; here they are fed from one buffer, so that samples are
converted once and each kernel sees thousands of frames at a time.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item
from monitor.measure.energies import Grid, sum_samples, sum_squares
from monitor.measure.hops import HISTORY, Hops
from monitor.measure.k_weighting import KWeighting
from monitor.measure.layout import programme_weights
from monitor.measure.levels import Levels
from monitor.measure.loudness import Loudness
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.measure.noise_floor import NoiseFloor
from monitor.measure.true_peak import TruePeak
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
        """Work on what waits and bring the integrated values up to date."""
        if self._kernels is not None:
            self._kernels.finish()


class _Kernels:
    """The kernels of a stream whose channel count is known."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        weights = None
        if setup.programme is not None:
            weights = programme_weights(channels, setup.stream.layout, setup.programme)
        self._hops = Hops(channels, sample_rate_hz)
        self._weighting = KWeighting(channels, sample_rate_hz)
        self._energies = Grid(channels, sample_rate_hz, sum_squares)
        self._weighted = Grid(channels, sample_rate_hz, sum_squares)
        self._means = Grid(channels, sample_rate_hz, sum_samples)
        self._levels = Levels(channels)
        self._true_peak = TruePeak(channels)
        self._loudness = Loudness(channels, weights)
        self._noise_floor = NoiseFloor(channels, live=setup.live)

    def put(self, samples: NDArray[np.generic]) -> None:
        while len(samples):
            samples = samples[self._hops.put(samples) :]
            if self._hops.waiting == self._hops.frames_limit:
                self.work()

    def work(self) -> None:
        """Feed every kernel with the hop that waits."""
        if not self._hops.waiting:
            return
        with_history = self._hops.take()
        hop = with_history[HISTORY:]
        energies = self._energies.feed(hop)
        self._levels.feed(hop, energies, self._means.feed(hop))
        self._noise_floor.feed(energies)
        self._true_peak.feed(with_history)
        self._loudness.feed(self._weighted.feed(self._weighting.feed(hop)))
        self._hops.done()

    def finish(self) -> None:
        self.work()
        self._loudness.integrate()

    def reset(self) -> None:
        self.work()
        self._levels.reset()
        self._true_peak.reset()
        self._noise_floor.reset()
        self._loudness.reset(on_border=self._weighted.on_border)

    def drain(self) -> Mapping[str, Value]:
        self.work()
        kernels = (self._levels, self._true_peak, self._loudness, self._noise_floor)
        return {key: value for kernel in kernels for key, value in kernel.drain().items()}
