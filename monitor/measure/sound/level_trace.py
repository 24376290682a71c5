"""The level trace: each channel's highest sample of every 50 ms, kept for the last seconds.

An alert carries 5 s of it as evidence: a clip stands at 0 dBFS, a dropout is a notch. Cells are
fixed to media time, so a value does not depend on how the sound was cut into blocks or hops.
"""

from collections.abc import Sequence
from math import isnan
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Trace
from monitor.measure.sound.decibels import decibels
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.levels import magnitude_peaks

CELLS_PER_S: Final = 20
TRACE_S: Final = 5.0
RING_S: Final = 8.0  # a trace, the second in which an episode is told late, and some to spare
FLOOR_DBFS: Final = -120.0  # digital silence; below every converter's own noise

Peaks = NDArray[np.float32]


class LevelTrace:
    """The peaks of the newest ``RING_S`` of all channels, in cells of 50 ms of media time.

    Cell k begins at tick ⌈k · rate / 20⌉; one that nothing was heard of is unknown.
    """

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self._rate = sample_rate_hz
        self._cells = round(RING_S * CELLS_PER_S)
        self._ring: Peaks = np.full((self._cells, channels), np.nan, np.float32)
        self._newest: int | None = None

    @property
    def cells(self) -> int:
        """How many cells a whole trace has."""
        return round(TRACE_S * CELLS_PER_S)

    def cell(self, tick: int) -> int:
        """Return the number of the cell a tick lies in."""
        return tick * CELLS_PER_S // self._rate

    def start(self, cell: int) -> int:
        """Return the tick a cell begins at."""
        return -(-cell * self._rate // CELLS_PER_S)

    def peaks(self, samples: Samples, tick: int) -> Peaks:
        """Return max |x| of each cell that (channels, frames ≥ 1) touches, (channels, cells)."""
        first, last = self.cell(tick), self.cell(tick + samples.shape[1] - 1)
        borders = [0, *(self.start(cell) - tick for cell in range(first + 1, last + 1))]
        return magnitude_peaks(samples, np.array(borders))

    def add(self, peaks: Peaks, tick: int) -> None:
        """Take what :meth:`peaks` gave of samples from ``tick`` on; twice is no harm."""
        first, count = self.cell(tick), peaks.shape[1]
        self._advance(first + count - 1)
        rows = np.arange(first, first + count)[-self._cells :]
        at = rows % self._cells
        # fmax: a cell not heard of before is NaN, one that began in the hop before is a number
        self._ring[at] = np.fmax(self._ring[at], peaks.T[-self._cells :])

    def _advance(self, last: int) -> None:
        """Forget the cells that come round; after a hole those between stay unknown."""
        if self._newest is None or last < self._newest:  # time that went back begins anew
            self._ring[:] = np.nan
        else:
            # no more than the ring has: after a jump of the clock they would fill the memory
            fresh = np.arange(max(self._newest + 1, last + 1 - self._cells), last + 1)
            self._ring[fresh % self._cells] = np.nan
        self._newest = last

    def cut(self, channels: Sequence[int], start: int, end: int | None) -> Trace:
        """Return the trace of an episode's channels, the highest of them.

        While it lasts (``end`` None) that is the newest 5 s; else 5 s with the episode in the
        middle, as far as anything is known. Unknown cells in front are left out.
        """
        if self._newest is None:
            return Trace(start=start, levels=())
        last = self._newest
        if end is not None:
            middle = self.cell((start + end) // 2)
            last = min(last, middle + self.cells // 2)
        first = max(last - self.cells + 1, self._newest - self._cells + 1)
        rows = self._ring[np.arange(first, last + 1) % self._cells][:, list(channels)]
        levels = [_told(peak) for peak in rows.max(axis=1).tolist()]
        unknown = next((n for n, level in enumerate(levels) if level is not None), len(levels))
        return Trace(start=self.start(first + unknown), levels=tuple(levels[unknown:]))


def _told(peak: float) -> float | None:
    """Return a peak in dBFS as a trace tells it: to 0.1 dB, silence at the floor."""
    if isnan(peak):
        return None
    level = decibels(20.0, peak)
    return FLOOR_DBFS if level is None else round(max(level, FLOOR_DBFS), 1)
