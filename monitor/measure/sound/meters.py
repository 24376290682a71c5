"""The meters of an audio stream: levels, true peak, loudness and noise floor, a file each.

Live, a reading comes every few hops. A file is read a second at a time, which costs a third, and
its peaks are kept in pieces of 100 ms, so that it still says when a limit was passed.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Piece, Setup
from monitor.measure.sound.decibels import amplitude_db
from monitor.measure.sound.energies import Grid, sum_samples, sum_squares
from monitor.measure.sound.k_weighting import KWeighting
from monitor.measure.sound.layout import programme_weights
from monitor.measure.sound.levels import SAMPLE_PEAK, Levels, magnitude_peaks
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound.loudness import Loudness
from monitor.measure.sound.noise_floor import NoiseFloor
from monitor.measure.sound.true_peak import BLOCK, TRUE_PEAK, Interpolation, TruePeak
from monitor.metrics import Value

PIECE_S: Final = 0.1  # of a file: no finer than a plot of a minute shows, and no dearer


@listen("meters")
class Meters:
    """Levels, true peak, loudness and noise floor of every channel, and of the programme.

    A hole is bridged: the samples after it follow those before.
    """

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        weights = None
        if setup.programme is not None:
            weights = programme_weights(channels, setup.stream.layout, setup.programme)
        self._live = setup.live
        self._piece = round(PIECE_S * sample_rate_hz / BLOCK) * BLOCK
        self._pieces: list[Piece] = []
        self._weighting = KWeighting(channels, sample_rate_hz)
        self._weighted = Grid(channels, sample_rate_hz, sum_squares)
        self._means = Grid(channels, sample_rate_hz, sum_samples)
        self._levels = Levels(channels)
        self._interpolation = Interpolation()
        self._true_peak = TruePeak(channels)
        self._loudness = Loudness(channels, weights)
        self._noise_floor = NoiseFloor(channels, live=setup.live)

    def hear(self, hop: Hop) -> None:
        """Feed every kernel."""
        borders = np.arange(0, hop.frames, hop.frames if self._live else self._piece)
        one = len(borders) == 1
        sample_peaks = hop.peaks[:, None] if one else magnitude_peaks(hop.samples, borders)
        true_peaks = sample_peaks.copy()
        self._interpolation.raise_peaks(hop.with_history, borders, true_peaks)
        self._levels.feed(hop.peaks, hop.energies, self._means.feed(hop.samples))
        self._true_peak.feed(true_peaks.max(axis=1))
        self._noise_floor.feed(hop.energies)
        self._loudness.feed(self._weighted.feed(self._weighting.feed(hop.samples)))
        if not self._live:
            ticks = [*borders.tolist(), hop.frames]
            self._keep_pieces(hop.start, ticks, sample_peaks, true_peaks)

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
        """Bring the integrated values up to date."""
        self._loudness.work_out()

    def integrate(self, *, on: bool) -> None:
        """Pause or continue integrated values and maxima at the next sample."""
        self._levels.integrate(on=on)
        self._true_peak.integrate(on=on)
        self._loudness.integrate(on=on, on_border=self._weighted.on_border)

    def reset(self) -> None:
        """Restart integrated values at the next sample."""
        self._levels.reset()
        self._true_peak.reset()
        self._noise_floor.reset()
        self._loudness.reset(on_border=self._weighted.on_border)

    def pieces(self) -> list[Piece]:
        """Return a file's peaks in steps of 100 ms; live, a reading is short enough."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def events(self) -> list[Detection]:
        """Meters detect nothing."""
        return []

    def drain(self) -> Mapping[str, Value]:
        """Return all values; of a file without those of its pieces."""
        kernels = (self._levels, self._true_peak, self._loudness, self._noise_floor)
        values = {key: value for kernel in kernels for key, value in kernel.drain().items()}
        for key in () if self._live else (SAMPLE_PEAK.key, TRUE_PEAK.key):
            del values[key]
        return values
