"""The meters of an audio stream: every kernel that works on float samples, over shared hops.

The kernels stay apart, a file each; here they are fed from one buffer, so that samples are
converted once and each kernel sees thousands of frames at a time.

Live, a reading comes every few hops. A file is read a second at a time, which costs a third, and
its peaks are kept in pieces of 100 ms, so that it still says when a limit was passed.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item
from monitor.measure.decibels import amplitude_db
from monitor.measure.energies import Grid, sum_samples, sum_squares
from monitor.measure.hops import HISTORY, Hops
from monitor.measure.k_weighting import KWeighting
from monitor.measure.layout import programme_weights
from monitor.measure.levels import SAMPLE_PEAK, Levels, magnitude_peaks
from monitor.measure.loudness import Loudness
from monitor.measure.measurement import Detection, Piece, Setup, is_audio, measure
from monitor.measure.noise_floor import NoiseFloor
from monitor.measure.true_peak import BLOCK, TRUE_PEAK, Interpolation, TruePeak
from monitor.metrics import Value, declare

PIECE_S: Final = 0.1  # of a file: no finer than a plot of a minute shows, and no dearer

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
        self._kernels.put(item.samples, item.start)
        self._samples += len(item.samples)

    def drain(self) -> Mapping[str, Value]:
        """Work on what waits and return all values; of a file without those of its pieces."""
        if self._kernels is None:
            return {}
        return {SAMPLES_TOTAL.key: self._samples, **self._kernels.drain()}

    def pieces(self) -> list[Piece]:
        """Return a file's peaks in steps of 100 ms; live, a reading is short enough."""
        return [] if self._kernels is None else self._kernels.take_pieces()

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
        self._live = setup.live
        self._piece = round(PIECE_S * sample_rate_hz / BLOCK) * BLOCK
        self._pieces: list[Piece] = []
        self._tick = 0  # of the next sample
        self._hops = Hops(channels, sample_rate_hz)
        self._weighting = KWeighting(channels, sample_rate_hz)
        self._energies = Grid(channels, sample_rate_hz, sum_squares)
        self._weighted = Grid(channels, sample_rate_hz, sum_squares)
        self._means = Grid(channels, sample_rate_hz, sum_samples)
        self._levels = Levels(channels)
        self._interpolation = Interpolation()
        self._true_peak = TruePeak(channels)
        self._loudness = Loudness(channels, weights)
        self._noise_floor = NoiseFloor(channels, live=setup.live)

    def put(self, samples: NDArray[np.generic], tick: int) -> None:
        if tick != self._tick and not self._live:
            self.work()  # a piece has no hole in it
        self._tick = tick + len(samples)
        while len(samples):
            samples = samples[self._hops.put(samples) :]
            if self._hops.waiting == self._hops.frames_limit:
                self.work(len(samples))

    def work(self, ahead: int = 0) -> None:
        """Feed every kernel with the hop that waits; ``ahead`` samples came that are not in it."""
        frames = self._hops.waiting
        if not frames:
            return
        with_history = self._hops.take()
        hop = with_history[:, HISTORY:]
        borders = np.arange(0, frames, frames if self._live else self._piece)
        sample_peaks = magnitude_peaks(hop, borders)
        true_peaks = sample_peaks.copy()
        self._interpolation.raise_peaks(with_history, borders, true_peaks)
        energies = self._energies.feed(hop)
        self._levels.feed(sample_peaks.max(axis=1), energies, self._means.feed(hop))
        self._true_peak.feed(true_peaks.max(axis=1))
        self._noise_floor.feed(energies)
        self._loudness.feed(self._weighted.feed(self._weighting.feed(hop)))
        self._hops.done()
        if not self._live:
            ticks = [*borders.tolist(), frames]
            self._keep_pieces(self._tick - ahead - frames, ticks, sample_peaks, true_peaks)

    def _keep_pieces(
        self,
        tick: int,
        borders: list[int],
        sample_peaks: NDArray[np.float32],
        true_peaks: NDArray[np.float32],
    ) -> None:
        """Keep a hop's peaks, (channels, pieces), from ``tick`` on; borders with the end."""
        peaks = zip(sample_peaks.T.tolist(), true_peaks.T.tolist(), strict=True)
        for (start, end), (sample, true) in zip(pairwise(borders), peaks, strict=True):
            values = {SAMPLE_PEAK.key: amplitude_db(sample), TRUE_PEAK.key: amplitude_db(true)}
            self._pieces.append(Piece(start=tick + start, end=tick + end, values=values))

    def finish(self) -> None:
        self.work()
        self._loudness.integrate()

    def reset(self) -> None:
        self.work()
        self._levels.reset()
        self._true_peak.reset()
        self._noise_floor.reset()
        self._loudness.reset(on_border=self._weighted.on_border)

    def take_pieces(self) -> list[Piece]:
        pieces, self._pieces = self._pieces, []
        return pieces

    def drain(self) -> Mapping[str, Value]:
        self.work()
        kernels = (self._levels, self._true_peak, self._loudness, self._noise_floor)
        values = {key: value for kernel in kernels for key, value in kernel.drain().items()}
        for key in () if self._live else (SAMPLE_PEAK.key, TRUE_PEAK.key):
            del values[key]
        return values
