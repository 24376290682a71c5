"""The meters of an audio stream: levels, true peak, loudness and noise floor, a file each.

Live, a reading comes every few hops. A file is read seconds at a time, which costs a third. Its
peaks are kept in pieces of 100 ms and what else has a limit or a plot in pieces of a second, so
that it still says when a limit was passed, however long the reading is.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Piece, Setup
from monitor.measure.sound.columns import Columns, squares_of, sums_of
from monitor.measure.sound.decibels import amplitude_db
from monitor.measure.sound.energies import CELLS_PER_S, Cells, cell_frames
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.k_weighting import KWeighting
from monitor.measure.sound.layout import programme_weights
from monitor.measure.sound.levels import DC_OFFSET, SAMPLE_PEAK, Levels, magnitude_peaks
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound.loudness import PROGRAMME_SHORT_TERM, Loudness
from monitor.measure.sound.noise_floor import NoiseFloor
from monitor.measure.sound.true_peak import TRUE_PEAK, Interpolation, TruePeak, cuts_of, uncut
from monitor.metrics import Value, merge_values

PIECE_S: Final = 0.1  # of a file: no finer than a plot of a minute shows, and no dearer
SLOW_PIECE_S: Final = 1  # means of 3 s move no faster
OF_PIECES: Final = (SAMPLE_PEAK.key, TRUE_PEAK.key, DC_OFFSET.key, PROGRAMME_SHORT_TERM)


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
        self._piece = round(PIECE_S * CELLS_PER_S) * cell_frames(sample_rate_hz)
        self._slow_piece = SLOW_PIECE_S * CELLS_PER_S * cell_frames(sample_rate_hz)
        self._pieces: list[Piece] = []
        self._slow_pieces: list[Piece] = []
        self._columns = Columns(channels, sample_rate_hz)
        self._weighting = KWeighting(
            channels, self._columns.block, self._columns.blocks_per_cell, sample_rate_hz
        )
        self._torn = False
        """Whether integrating began, stood or went on within the cell that has begun: its sound is
        from before and after."""
        self._levels = Levels(channels)
        self._interpolation = Interpolation(self._columns.block)
        self._true_peak = TruePeak(channels)
        self._loudness = Loudness(channels, weights)
        self._noise_floor = NoiseFloor(channels, live=setup.live)

    def hear(self, hop: Hop) -> None:
        """Feed every kernel: sample peaks of the whole hop, all else of the cells it finished."""
        borders = np.arange(0, hop.frames, hop.frames if self._live else self._piece)
        one = len(borders) == 1
        sample_peaks = hop.peaks[:, None] if one else magnitude_peaks(hop.samples, borders)
        true_peaks = sample_peaks.copy()
        begin = -self._columns.waiting
        columns = self._columns.feed(hop.samples)
        means: Cells = np.empty((0, len(hop.peaks)))
        if columns is not None:
            self._interpolate(columns, begin, true_peaks)
            means = self._integrate_cells(columns)
        else:
            self._true_peak.feed(hop.peaks)
        self._levels.feed_peaks(hop.peaks)
        self._levels.feed_energies(hop.energies)
        self._noise_floor.feed(hop.energies)
        if self._live:
            self._levels.feed_means(means)
            return
        ticks = [*borders.tolist(), hop.frames]
        self._keep_pieces(hop.start, ticks, sample_peaks, true_peaks)
        self._keep_slow_pieces(hop, means, -begin)

    def _interpolate(self, columns: Samples, begin: int, peaks: NDArray[np.float32]) -> None:
        """Raise the peaks of a hop's pieces; its first cell began at frame ``begin``.

        A torn cell counts for the interval only.
        """
        of_torn = np.zeros_like(peaks)
        if self._torn:
            cell = self._columns.before + self._columns.blocks_per_cell
            self._raise(columns[:, :, :cell], begin, of_torn)
            columns = columns[:, :, self._columns.blocks_per_cell :]
            begin += self._columns.cell
            self._torn = False
        self._raise(columns, begin, peaks)
        self._true_peak.feed(peaks.max(axis=1))
        np.maximum(peaks, of_torn, out=peaks)
        self._true_peak.feed(peaks.max(axis=1), counts=False)

    def _raise(self, columns: Samples, begin: int, peaks: NDArray[np.float32]) -> None:
        """Raise the pieces' peaks to the true peaks of blocks, the first from frame ``begin``."""
        blocks = columns.shape[2] - self._columns.before
        if not blocks:
            return
        cuts = uncut(blocks)
        if peaks.shape[1] > 1:
            at = begin + self._columns.block * np.arange(blocks)
            cuts = cuts_of(np.clip(at // self._piece, 0, peaks.shape[1] - 1))
        self._interpolation.raise_peaks(columns, self._columns.before, cuts, peaks)

    def _integrate_cells(self, columns: Samples) -> Cells:
        """Feed the weighted mean squares of finished cells; return their means."""
        cells = self._columns
        weighted = self._weighting.feed(columns, cells.before)
        self._loudness.feed(cells.of_cells(squares_of(weighted)) / cells.cell)
        return cells.of_cells(sums_of(columns)) / cells.cell

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

    def _keep_slow_pieces(self, hop: Hop, means: Cells, waiting: int) -> None:
        """Feed the means second by second and keep what holds at the end of each.

        ``waiting``: samples of a begun cell before the hop.
        """
        start = fed = 0
        for end in (*range(self._slow_piece, hop.frames, self._slow_piece), hop.frames):
            done = (waiting + end) // self._columns.cell
            self._levels.feed_means(means[fed:done])
            values = self._loudness.programme_short_term(len(means) - done)
            values[DC_OFFSET.key] = self._levels.offsets()
            piece = Piece(start=hop.start + start, end=hop.start + end, values=values)
            self._slow_pieces.append(piece)
            start, fed = end, done

    def finish(self) -> None:
        """Interpolate the cell that has begun, and bring the integrated values up to date."""
        columns = self._columns.rest()
        if columns is not None:
            peaks = np.zeros((columns.shape[1], 1), np.float32)
            self._interpolate(columns, 0, peaks)
            self._raise_last_piece(peaks[:, 0])
        self._loudness.work_out()

    def _raise_last_piece(self, peaks: NDArray[np.float32]) -> None:
        """Add what the end of a file brought to light to the last piece of its peaks."""
        if not self._pieces:
            return
        last = self._pieces[-1]
        values = merge_values(last.values, {TRUE_PEAK.key: amplitude_db(peaks.tolist())})
        self._pieces[-1] = replace(last, values=values)

    def integrate(self, *, on: bool) -> None:
        """Pause or continue integrated values and maxima at the next sample."""
        self._levels.integrate(on=on)
        self._true_peak.integrate(on=on)
        self._torn = self._columns.waiting > 0
        self._loudness.integrate(on=on, on_border=not self._torn)

    def reset(self) -> None:
        """Restart integrated values at the next sample."""
        self._levels.reset()
        self._true_peak.reset()
        self._noise_floor.reset()
        self._torn = self._columns.waiting > 0
        self._loudness.reset(on_border=not self._torn)

    def pieces(self) -> list[Piece]:
        """Return a file's peaks in steps of 100 ms, what is slower in steps of a second.

        Live, a reading is short enough.
        """
        pieces = sorted([*self._pieces, *self._slow_pieces], key=lambda piece: piece.end)
        self._pieces, self._slow_pieces = [], []
        return pieces

    def events(self) -> list[Detection]:
        """Meters detect nothing."""
        return []

    def drain(self) -> Mapping[str, Value]:
        """Return all values; of a file without those of its pieces."""
        kernels = (self._levels, self._true_peak, self._loudness, self._noise_floor)
        values = {key: value for kernel in kernels for key, value in kernel.drain().items()}
        for key in () if self._live else OF_PIECES:
            values.pop(key, None)
        return values
