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


class Cutter:
    """Cut hops into whole cells: what is left of a cell waits for the hop that finishes it."""

    def __init__(self, channels: int, frames: int) -> None:
        self._frames = frames
        self._begun: Samples = np.zeros((channels, frames), np.float32)
        self._spare = self._begun.copy()
        self._have = 0

    @property
    def waiting(self) -> int:
        """Samples of the cell that has begun."""
        return self._have

    def restart(self) -> None:
        """Forget the cell that has begun: the next sample is the first of one."""
        self._have = 0

    def feed(self, samples: Samples) -> list[Samples]:
        """Take (channels, frames); return the cells it finished, those of one array in a row.

        At most two arrays (channels, cells · frames), valid until the next call.
        """
        parts: list[Samples] = []
        begin = 0
        if self._have:
            begin = min(self._frames - self._have, samples.shape[1])
            self._begun[:, self._have : self._have + begin] = samples[:, :begin]
            self._have += begin
            if self._have < self._frames:
                return parts
            parts.append(self._begun)
        end = begin + (samples.shape[1] - begin) // self._frames * self._frames
        if end > begin:
            parts.append(samples[:, begin:end])
        self._have = samples.shape[1] - end
        if self._have:
            self._begun, self._spare = self._spare, self._begun  # the other may be in ``parts``
            self._begun[:, : self._have] = samples[:, end:]
        return parts


class Grid:
    """Cut a stream into cells and give each finished cell's mean of what ``total`` sums up.

    ``total`` sums over the last axis; it is given whole cells only, so that a mean is the same
    number however the stream was cut.
    """

    def __init__(
        self,
        channels: int,
        sample_rate_hz: int,
        total: Callable[[Samples], NDArray[np.float32]],
        cells_per_s: int = CELLS_PER_S,
    ) -> None:
        self._frames = cell_frames(sample_rate_hz, cells_per_s)
        self._channels = channels
        self._total = total
        self._cutter = Cutter(channels, self._frames)

    @property
    def waiting(self) -> int:
        """Samples of the cell that has begun."""
        return self._cutter.waiting

    def restart(self) -> None:
        """Forget the cell that has begun: the next sample is the first of one."""
        self._cutter.restart()

    def feed(self, samples: Samples) -> Cells:
        """Take a hop, shape (channels, frames); return the cells it finished."""
        sums = [self._sums(part) for part in self._cutter.feed(samples)]
        cells = np.concatenate(sums) if sums else np.empty((0, self._channels))
        return cells / self._frames

    def _sums(self, part: Samples) -> Cells:
        split = part.reshape(self._channels, -1, self._frames)
        return self._total(split).T.astype(np.float64)


class Recent:
    """The last ``limit`` rows given, oldest first."""

    def __init__(self, limit: int, columns: int) -> None:
        self._limit = limit
        self.rows: Cells = np.empty((0, columns))

    def add(self, rows: Cells) -> None:
        """Append rows and forget the oldest beyond the limit."""
        self.rows = np.concatenate([self.rows, rows])[-self._limit :]
