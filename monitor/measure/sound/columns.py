"""Turn whole cells of sound into columns: what the filters' matrix products read without a copy.

Sample j of block k of channel c stands at [j, c, k]: a block is a column, its samples rows, and the
blocks of all channels side by side are one matrix. A filter of B samples at a time is then one
product however few or many channels there are; sums and maxima over a block run down the columns,
whole vectors at a time; and the block before is the column to the left.

Blocks lie on a grid that begins with the stream, and only whole cells of 10 ms are turned: operands
have the same values in the same places however the sound was cut, so results are the same bits.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.energies import Cutter, cell_frames
from monitor.measure.sound.hops import HISTORY, Samples, Scratch

BLOCK_LIMIT: Final = 32  # more multiplies more of a triangular matrix's zeros
BLOCK_LEAST: Final = 16  # less leaves products too thin for BLAS
WIDE: Final = 16  # columns of a whole tile: OpenBLAS's widest for float32


def block_frames(sample_rate_hz: int) -> int:
    """Return the largest divisor of a cell from 16 to 32: 32 at 48 kHz, 21 at 44.1 kHz.

    A rate whose cell has none (a prime) takes the whole cell, which is slower and as exact.
    """
    cell = cell_frames(sample_rate_hz)
    sizes = range(BLOCK_LIMIT, BLOCK_LEAST - 1, -1)
    return next((size for size in sizes if cell % size == 0), cell)


def filled(columns: Samples, scratch: Scratch) -> Samples:
    """Return (rows, n) with zeros added up to a multiple of ``WIDE`` columns: itself if it is one.

    BLAS multiplies what is left over beside whole tiles by other instructions, with other rounding:
    a column's product would depend on how many there are.
    """
    rows, count = columns.shape
    missing = -count % WIDE
    if not missing:
        return columns
    out = scratch.empty(rows, count + missing)
    out[:, :count] = columns
    out[:, count:] = 0.0
    return out


class Columns:
    """The columns of a stream's finished cells, with ``before`` columns of history in front."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self.cell = cell_frames(sample_rate_hz)
        self.block = block_frames(sample_rate_hz)
        self.before = -(-HISTORY // self.block)
        self._channels = channels
        self._cutter = Cutter(channels, self.cell)
        self._newest: Samples = np.zeros((self.block, channels, self.before), np.float32)
        self._scratch = Scratch()

    @property
    def waiting(self) -> int:
        """Samples of the cell that has begun."""
        return self._cutter.waiting

    @property
    def blocks_per_cell(self) -> int:
        """How many columns a channel's cell takes."""
        return self.cell // self.block

    def feed(self, samples: Samples) -> Samples | None:
        """Take (channels, frames); return the columns of the cells it finished, or None.

        Shape (block, channels, before + blocks), contiguous, valid until the next call.
        """
        parts = self._cutter.feed(samples)
        blocks = sum(part.shape[1] for part in parts) // self.block
        if not blocks:
            return None
        out = self._scratch.empty(self.block, self._channels, self.before + blocks)
        out[:, :, : self.before] = self._newest
        at = self.before
        for part in parts:
            count = part.shape[1] // self.block
            turned = part.reshape(self._channels, count, self.block).transpose(2, 0, 1)
            np.copyto(out[:, :, at : at + count], turned)
            at += count
        self._newest[:] = out[:, :, -self.before :]
        return out

    def rest(self) -> Samples | None:
        """Return the begun cell's columns, filled up with silence, or None where none has begun."""
        missing = self.cell - self.waiting
        if missing == self.cell:
            return None
        return self.feed(np.zeros((self._channels, missing), np.float32))

    def of_cells(self, of_blocks: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sums of cells, (cells, channels), of one value a column: a flat array."""
        values = of_blocks.reshape(self._channels, -1)[:, self.before :]
        shape = (self._channels, -1, self.blocks_per_cell)
        sums: NDArray[np.float64] = values.reshape(shape).sum(axis=2, dtype=np.float64)
        return sums.T


def squares_of(columns: Samples) -> NDArray[np.float32]:
    """Return the sum of squares of each column of ``columns``, flat."""
    flat = columns.reshape(len(columns), -1)
    sums: NDArray[np.float32] = np.einsum("jk,jk->k", flat, flat)
    return sums


def sums_of(columns: Samples) -> NDArray[np.float32]:
    """Return the sum of each column, flat."""
    sums: NDArray[np.float32] = columns.reshape(len(columns), -1).sum(axis=0)
    return sums
