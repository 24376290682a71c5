"""Mean squares and means on a fixed grid of 10 ms, whatever the hops' sizes.

The grid is what makes windows exact in samples: momentary and short-term loudness at 100 Hz, RMS,
DC offset and noise floor are all sums of its cells.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.hops import Samples

CELLS_PER_S: Final = 100  # 10 ms: EBU Tech 3341 cases 13 and 14 start signals on a 20 ms raster
FINE_PER_S: Final = 1000  # 1 ms: what a dropout of 3 ms cannot hide in

Cells = NDArray[np.float64]
"""One value a cell and channel, shape (cells, channels)."""


def cell_frames(sample_rate_hz: int, cells_per_s: int = CELLS_PER_S) -> int:
    """Return the grid's cell in frames; of 10 ms exact for rates that are multiples of 100 Hz."""
    return max(1, round(sample_rate_hz / cells_per_s))


def sum_squares(samples: Samples) -> NDArray[np.float32]:
    """Return the sum of squares over the last axis."""
    sums: NDArray[np.float32] = np.einsum("...f,...f->...", samples, samples)
    return sums


def sum_samples(samples: Samples) -> NDArray[np.float32]:
    """Return the sum over the last axis, as a product with ones."""
    sums: NDArray[np.float32] = samples @ np.ones(samples.shape[-1], np.float32)
    return sums


class Grid:
    """Cut a stream into cells and give each finished cell's mean of what ``total`` sums up.

    ``total`` sums over the last axis.
    """

    def __init__(
        self,
        channels: int,
        sample_rate_hz: int,
        total: Callable[[Samples], NDArray[np.float32]],
        cells_per_s: int = CELLS_PER_S,
    ) -> None:
        self._frames = cell_frames(sample_rate_hz, cells_per_s)
        self._total = total
        self._partial = np.zeros(channels)
        self._have = 0

    @property
    def waiting(self) -> int:
        """Samples of the cell that has begun."""
        return self._have

    def restart(self) -> None:
        """Forget the cell that has begun: the next sample is the first of one."""
        self._have = 0
        self._partial[:] = 0.0

    @property
    def on_border(self) -> bool:
        """Whether the next sample is the first of a cell."""
        return self._have == 0

    def feed(self, samples: Samples) -> Cells:
        """Take a hop, shape (channels, frames); return the cells it finished."""
        channels, frames = samples.shape
        missing = self._frames - self._have if self._have else 0
        if frames < missing:
            self._partial += self._total(samples)
            self._have += frames
            return np.empty((0, channels))
        whole = (frames - missing) // self._frames
        end = missing + whole * self._frames
        cells = np.empty((bool(missing) + whole, channels))
        if missing:
            cells[0] = self._partial + self._total(samples[:, :missing])
        if whole:
            split = samples[:, missing:end].reshape(channels, whole, self._frames)
            cells[-whole:] = self._total(split).T
        self._have = frames - end
        self._partial[:] = self._total(samples[:, end:]) if self._have else 0.0
        cells /= self._frames
        return cells


class Recent:
    """The last ``limit`` rows given, oldest first."""

    def __init__(self, limit: int, columns: int) -> None:
        self._limit = limit
        self.rows: Cells = np.empty((0, columns))

    def add(self, rows: Cells) -> None:
        """Append rows and forget the oldest beyond the limit."""
        self.rows = np.concatenate([self.rows, rows])[-self._limit :]
