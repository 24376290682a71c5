"""Sums of squares on a fixed grid of 10 ms, whatever the hops' sizes.

The grid is what makes windows exact in samples: momentary and short-term loudness at 100 Hz, RMS
and the noise floor are all sums of its cells.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.hops import Samples

CELLS_PER_S: Final = 100  # 10 ms: EBU Tech 3341 cases 13 and 14 start signals on a 20 ms raster

Energies = NDArray[np.float64]
"""Mean square of each cell, shape (cells, channels)."""


def cell_frames(sample_rate_hz: int) -> int:
    """Return the grid's cell in frames; exact for every rate that is a multiple of 100 Hz."""
    return max(1, round(sample_rate_hz / CELLS_PER_S))


def _sum_squares(samples: Samples) -> NDArray[np.float32]:
    """Return the sum of squares over axis -2 for (..., frames, channels)."""
    sums: NDArray[np.float32] = np.einsum("...fc,...fc->...c", samples, samples)
    return sums


class EnergyGrid:
    """Cut a stream into cells and give each finished cell's mean square."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self._frames = cell_frames(sample_rate_hz)
        self._partial = np.zeros(channels)
        self._have = 0

    def restart(self) -> None:
        """Begin a new cell at the next sample."""
        self._partial[:] = 0.0
        self._have = 0

    def feed(self, samples: Samples) -> Energies:
        """Take a hop, shape (frames, channels); return the cells it finished."""
        missing = self._frames - self._have
        if len(samples) < missing:
            self._partial += _sum_squares(samples)
            self._have += len(samples)
            return np.empty((0, samples.shape[1]))
        first = self._partial + _sum_squares(samples[:missing])
        whole = (len(samples) - missing) // self._frames
        rest = samples[missing + whole * self._frames :]
        cells = samples[missing : len(samples) - len(rest)]
        sums = _sum_squares(cells.reshape(whole, self._frames, samples.shape[1]))
        self._partial[:] = _sum_squares(rest)
        self._have = len(rest)
        return np.concatenate([first[None], sums]) / self._frames


class Recent:
    """The last ``limit`` rows given, oldest first."""

    def __init__(self, limit: int, columns: int) -> None:
        self._limit = limit
        self.rows: Energies = np.empty((0, columns))

    def add(self, rows: Energies) -> None:
        """Append rows and forget the oldest beyond the limit."""
        self.rows = np.concatenate([self.rows, rows])[-self._limit :]
