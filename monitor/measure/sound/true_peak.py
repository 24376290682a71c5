"""True peak (BS.1770-5, Annex 2): the peak of the continuous signal, from four times the rate.

Interpolator: 24 taps a phase, a sinc under a Kaiser window of beta 6; its first phase is the
samples themselves. The others of N samples are one product with a banded Toeplitz matrix,

    y[4 (N k + j) + p] = Σ_i h[p + 4 i] x[N k + j - i]    as    Y_k = H X_k,

where X_k are N + 24 consecutive frames, one column a block. The matrix gives one more row, the
value before the block's first, so that each block has all its values' neighbours and stands alone:
the largest values are refined by the parabola through each and its two neighbours. Within ±0.05 dB
of the continuous peak for tones to 0.45 of the rate; see docs/decisions/0011.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.columns import BLOCK_LEAST, WIDE, filled
from monitor.measure.sound.decibels import amplitude_db
from monitor.measure.sound.hops import HISTORY, Samples, Scratch
from monitor.metrics import Value, declare

PHASES: Final = 4
TAPS: Final = 24
BETA: Final = 6.0
DELAY: Final = TAPS // 2  # the interpolator's delay in samples
# A parabola through a band-limited peak sampled at 4 times the rate adds at most
# (1 - cos(3π/8)/cos(π/8))/8 = 7.3 %: values under 1/1.08 of the largest cannot win.
REFINE_LIMIT: Final = 1.08
CHUNK_VALUES: Final = 1 << 16  # of sound at once: more falls out of the cache, less costs calls
CHOSEN_LIMIT: Final = 1 << 10  # blocks refined at once: in noise a handful, in a tone all

TRUE_PEAK = declare(
    "true_peak_dbtp", "dBTP", "channels", "max", "Peak of the continuous signal in the interval."
)
TRUE_PEAK_MAX = declare(
    "true_peak_max_dbtp", "dBTP", "channels", "max", "Peak of the continuous signal since reset."
)

assert HISTORY == TAPS  # TAPS - 1 for the filter, one frame more for a block's first neighbour


def interpolator() -> NDArray[np.float64]:
    """Return the taps, shape (PHASES, TAPS); phase 0 is a pure delay."""
    offset = np.arange(PHASES * TAPS) - PHASES * DELAY
    window = np.kaiser(PHASES * TAPS + 1, BETA)[:-1]
    return np.asarray((np.sinc(offset / PHASES) * window).reshape(TAPS, PHASES).T)


def banded_toeplitz(taps: NDArray[np.float64], block: int) -> NDArray[np.float32]:
    """Return H, shape (3·block + 1, block + TAPS): row 3·j + p - 1 is phase p of output j.

    Phase 0 is left out. The last row is the last phase of the output before the block.
    """
    h = np.zeros((block + 1, PHASES - 1, block + TAPS))
    for j in range(block + 1):
        h[j, :, j : j + TAPS] = taps[1:, ::-1]
    rows = h.reshape(-1, block + TAPS)[2:]
    return np.concatenate([rows[1:], rows[:1]]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Run:
    """Rows of a window that stand side by side in one column of blocks: where, and how far left."""

    to: slice
    rows: slice
    columns_before: int


def window_runs(block: int, first: int, length: int) -> list[Run]:
    """Return the runs of the ``length`` frames from ``first`` on, counted from a block's begin."""
    runs = []
    frame = first
    while frame < first + length:
        column, row = divmod(frame, block)
        count = min(block - row, first + length - frame)
        to = frame - first
        runs.append(Run(slice(to, to + count), slice(row, row + count), -column))
        frame += count
    return runs


def parabola_peak(left: Samples, middle: Samples, right: Samples) -> Samples:
    """Return the height of the parabola through three magnitudes, the middle one the largest."""
    bend = np.maximum(2.0 * middle - left - right, np.float32(1e-30))  # three equal ones: no rise
    peak: Samples = np.minimum(middle + (left - right) ** 2 / (8.0 * bend), middle * REFINE_LIMIT)
    return peak


def highest_parabolas(in_time: Samples, limits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the highest parabola of each column over its limit, 0 where there is none.

    ``in_time``: magnitudes in order of time, the first and last row only as neighbours.
    """
    a, b, c = in_time[:-2], in_time[1:-1], in_time[2:]
    rows, at = np.divmod(np.flatnonzero((b > limits) & (b >= a) & (b >= c)), b.shape[1])
    found = np.zeros(in_time.shape[1], np.float32)
    np.maximum.at(found, at, parabola_peak(a[rows, at], b[rows, at], c[rows, at]))
    return found


@dataclass(frozen=True, slots=True)
class Cuts:
    """Pieces of a hop: the first block and the length in blocks of each run, and whose they are."""

    first: NDArray[np.intp]
    lengths: NDArray[np.intp]
    into: NDArray[np.intp]


def cuts_of(pieces: NDArray[np.intp]) -> Cuts:
    """Return the cuts of blocks, given the piece that each belongs to, never falling."""
    first = np.flatnonzero(np.concatenate([[True], pieces[1:] != pieces[:-1]]))
    return Cuts(first, np.diff(first, append=len(pieces)), pieces[first])


def uncut(blocks: int) -> Cuts:
    """Return the cuts of a hop that is one piece."""
    return Cuts(np.array([0]), np.array([blocks]), np.array([0]))


class Interpolation:
    """Interpolates columns of sound, a few channels at a time, so that values stay in the cache."""

    def __init__(self, block: int) -> None:
        halves = 2 if block % 2 == 0 and block // 2 >= BLOCK_LEAST else 1
        self._size = size = block // halves
        self._h = banded_toeplitz(interpolator(), size)
        self._runs = [window_runs(block, half * size - TAPS, size + TAPS) for half in range(halves)]
        self._windows, self._values, self._some = Scratch(), Scratch(), Scratch()

    def values(self, columns: Samples, before: int) -> tuple[Samples, Samples]:
        """Return X and |H X| of (block, channels, before + blocks).

        Shapes (size + TAPS, columns) and (3·size + 1, columns) with columns in order of
        (half, channel, block).
        """
        _, channels, count = columns.shape
        shape = (self._size + TAPS, len(self._runs), channels, count - before)
        size = prod(shape[1:])
        flat = self._windows.empty(shape[0], size + -size % WIDE)
        flat[:, size:] = 0.0  # whole tiles, as in ``filled``
        x = flat[:, :size].reshape(shape)
        for half, runs in enumerate(self._runs):
            for run in runs:
                begin = before - run.columns_before
                x[run.to, half] = columns[run.rows, :, begin : begin + count - before]
        y = self._values.empty(len(self._h), flat.shape[1])
        np.abs(np.matmul(self._h, flat, out=y), out=y)
        return flat[:, :size], y[:, :size]

    def raise_peaks(
        self, columns: Samples, before: int, cuts: Cuts, peaks: NDArray[np.float32]
    ) -> None:
        """Raise ``peaks`` to the true peaks of (block, channels, before + blocks), in place.

        ``peaks`` holds the sample peaks, (channels, pieces); ``cuts`` says which blocks are whose.
        """
        tops, windows = self._tops(columns, before)
        highest = np.maximum.reduceat(tops.max(axis=0), cuts.first, axis=1)
        peaks[:, cuts.into] = np.maximum(peaks[:, cuts.into], highest)
        limits = np.repeat(peaks[:, cuts.into] / np.float32(REFINE_LIMIT), cuts.lengths, axis=1)
        found = np.nonzero(tops > limits)
        count = columns.shape[2]
        for at in range(0, len(found[0]), CHOSEN_LIMIT):
            half, channel, block = (axis[at : at + CHOSEN_LIMIT] for axis in found)
            if windows is None:
                x = self._chosen(columns, half, channel * count + before + block)
            else:
                flat = np.ravel_multi_index((half, channel, block), tops.shape)
                x = filled(windows.take(flat, axis=1), self._some)
            in_time = self._in_time(x)
            heights = highest_parabolas(in_time[:, : len(block)], limits[channel, block])
            piece = cuts.into[np.searchsorted(cuts.first, block, side="right") - 1]
            np.maximum.at(peaks, (channel, piece), heights)

    def _tops(self, columns: Samples, before: int) -> tuple[Samples, Samples | None]:
        """Return the largest magnitude of each block, (halves, channels, blocks), and the windows.

        These are at hand only where all channels were looked at together.
        """
        blocks = columns.shape[2] - before
        tops = np.empty((len(self._runs), columns.shape[1], blocks), np.float32)
        step = max(1, CHUNK_VALUES // (len(columns) * blocks))
        for at in range(0, columns.shape[1], step):
            x, y = self.values(columns[:, at : at + step], before)
            own = x[TAPS - DELAY : TAPS - DELAY + self._size]
            top = np.maximum(y[:-1].max(axis=0), own.max(axis=0))
            np.maximum(top, -own.min(axis=0), out=top)
            tops[:, at : at + step] = top.reshape(len(tops), -1, blocks)
        return tops, x if step >= columns.shape[1] else None

    def _chosen(self, columns: Samples, half: NDArray[np.intp], at: NDArray[np.intp]) -> Samples:
        """Return the windows of some blocks, filled up to whole tiles with silence.

        ``half`` rises; ``at`` is the block's place among all channels' columns.
        """
        flat = columns.reshape(len(columns), -1)
        x = np.zeros((self._size + TAPS, len(at) + -len(at) % WIDE), np.float32)
        ends = np.searchsorted(half, range(len(self._runs) + 1))
        for runs, begin, end in zip(self._runs, ends[:-1], ends[1:], strict=True):
            for run in runs:
                place = at[begin:end] - run.columns_before
                x[run.to, begin:end] = flat[run.rows].take(place, axis=1)
        return x

    def _in_time(self, x: Samples) -> Samples:
        """Return the magnitudes of windows in order of time, with a neighbour at each end."""
        size = self._size
        samples = np.abs(x[TAPS - DELAY : TAPS - DELAY + size + 1])
        between = np.abs(self._h @ x)
        out = np.empty((PHASES * size + 2, x.shape[1]), np.float32)
        out[0], out[-1] = between[-1], samples[-1]
        inside = out[1:-1].reshape(size, PHASES, -1)
        inside[:, 0] = samples[:-1]
        inside[:, 1:] = between[:-1].reshape(size, PHASES - 1, -1)
        return out


class TruePeak:
    """The true peak of every channel in the interval, and since reset."""

    def __init__(self, channels: int) -> None:
        self._peak = np.zeros(channels, np.float32)
        self._peak_max = np.zeros(channels, np.float32)
        self._integrating = True

    def feed(self, peak: NDArray[np.float32], *, counts: bool = True) -> None:
        """Take the true peaks of a hop; what does not count is of the interval only."""
        np.maximum(self._peak, peak, out=self._peak)
        if self._integrating and counts:
            np.maximum(self._peak_max, peak, out=self._peak_max)

    def integrate(self, *, on: bool) -> None:
        """Pause or continue the maximum since reset."""
        self._integrating = on

    def reset(self) -> None:
        """Restart the maximum since reset."""
        self._peak_max[:] = 0.0

    def drain(self) -> Mapping[str, Value]:
        """Return the true peaks."""
        values: dict[str, Value] = {
            TRUE_PEAK.key: amplitude_db(self._peak.tolist()),
            TRUE_PEAK_MAX.key: amplitude_db(self._peak_max.tolist()),
        }
        self._peak[:] = 0.0
        return values
