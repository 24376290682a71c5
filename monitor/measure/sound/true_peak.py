"""True peak (BS.1770-5, Annex 2): the peak of the continuous signal, from four times the rate.

Interpolator: 24 taps a phase, a sinc under a Kaiser window of beta 6; its first phase is the
samples themselves. All four are one product with a banded Toeplitz matrix,

    y[4 (16 k + j) + p] = Σ_i h[p + 4 i] x[16 k + j - i]    as    Y_k = H X_k,

where X_k are 39 consecutive frames, the columns of one matrix a channel. The rows of H of the first
phase are not multiplied: they are rows of X. The largest values are refined by the parabola through
each and its two neighbours. Within ±0.05 dB of the continuous peak for tones to 0.45 of the rate;
see docs/decisions/0011.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from monitor.measure.sound.decibels import amplitude_db
from monitor.measure.sound.hops import HISTORY, Samples, Scratch
from monitor.metrics import Value, declare

PHASES: Final = 4
TAPS: Final = 24
BETA: Final = 6.0
BLOCK: Final = 16
DELAY: Final = TAPS // 2  # the interpolator's delay in samples
# A parabola through a band-limited peak sampled at 4 times the rate adds at most
# (1 - cos(3π/8)/cos(π/8))/8 = 7.3 %: values under 1/1.08 of the largest cannot win.
REFINE_LIMIT: Final = 1.08
CHUNK_VALUES: Final = 1 << 18  # 1 MiB of float32: values at four times the rate stay in the cache

TRUE_PEAK = declare(
    "true_peak_dbtp", "dBTP", "channels", "max", "Peak of the continuous signal in the interval."
)
TRUE_PEAK_MAX = declare(
    "true_peak_max_dbtp", "dBTP", "channels", "max", "Peak of the continuous signal since reset."
)

assert HISTORY == TAPS  # TAPS - 1 for the filter, one frame more so that borders have neighbours


def interpolator() -> NDArray[np.float64]:
    """Return the taps, shape (PHASES, TAPS); phase 0 is a pure delay."""
    offset = np.arange(PHASES * TAPS) - PHASES * DELAY
    window = np.kaiser(PHASES * TAPS + 1, BETA)[:-1]
    return np.asarray((np.sinc(offset / PHASES) * window).reshape(TAPS, PHASES).T)


def banded_toeplitz(taps: NDArray[np.float64], block: int) -> NDArray[np.float32]:
    """Return H, shape (4·block, block + TAPS - 1): row block·p + j is phase p of output j."""
    h = np.zeros((PHASES, block, block + TAPS - 1))
    for j in range(block):
        h[:, j, j : j + TAPS] = taps[:, ::-1]
    return h.reshape(PHASES * block, -1).astype(np.float32)


_H: Final = banded_toeplitz(interpolator(), BLOCK)[BLOCK:]
_ROWS: Final = PHASES * BLOCK
# A column's values in order of time, between the last of the column before and the first after it.
_IN_TIME: Final = np.arange(_ROWS).reshape(PHASES, BLOCK).T.ravel()
_ROW_AT: Final = np.concatenate([_IN_TIME[-1:], _IN_TIME, _IN_TIME[:1]])
_COLUMN_AT: Final = np.array([-1] + [0] * _ROWS + [1])
NOTHING: Final = -1.0  # no magnitude: neither a peak nor a neighbour


def windows(samples: Samples, scratch: Scratch) -> Samples:
    """Return X of (channels, TAPS - 1 + frames), shape (channels, BLOCK + TAPS - 1, blocks).

    The last block is filled up with zeros.
    """
    channels, frames = samples.shape[0], samples.shape[1] - (TAPS - 1)
    blocks, rest = divmod(frames, BLOCK)
    out = scratch.empty(channels, BLOCK + TAPS - 1, blocks + bool(rest))
    row, column = samples.strides
    view = as_strided(samples, (*out.shape[:2], blocks), (row, column, BLOCK * column))
    np.copyto(out[:, :, :blocks], view)
    if rest:
        out[:, :, -1] = 0.0
        out[:, : rest + TAPS - 1, -1] = samples[:, blocks * BLOCK :]
    return out


def magnitudes(samples: Samples, for_windows: Scratch, for_values: Scratch) -> Samples:
    """Return |y| at four times the rate for (channels, TAPS - 1 + frames), a column a block.

    Shape (channels, PHASES·BLOCK, blocks), rows as in H; what is past the end is NOTHING.
    """
    x = windows(samples, for_windows)
    out = for_values.empty(len(x), _ROWS, x.shape[2])
    np.matmul(_H, x, out=out[:, BLOCK:])
    np.copyto(out[:, :BLOCK], x[:, TAPS - 1 - DELAY : TAPS - 1 - DELAY + BLOCK])
    np.abs(out, out=out)
    rest = (samples.shape[1] - (TAPS - 1)) % BLOCK
    if rest:
        out.reshape(len(x), PHASES, BLOCK, -1)[:, :, rest:, -1] = NOTHING
    return out


def parabola_peak(left: Samples, middle: Samples, right: Samples) -> Samples:
    """Return the height of the parabola through three magnitudes, the middle one the largest."""
    bend = np.maximum(2.0 * middle - left - right, np.float32(1e-30))  # three equal ones: no rise
    peak: Samples = np.minimum(middle + (left - right) ** 2 / (8.0 * bend), middle * REFINE_LIMIT)
    return peak


def blocks_in_time(
    values: Samples, channels: NDArray[np.intp], blocks: NDArray[np.intp]
) -> Samples:
    """Return blocks of ``magnitudes`` in order of time between a neighbour each, a row a block.

    A neighbour in another hop is NOTHING.
    """
    last = values.shape[2] - 1
    at = blocks[:, None] + _COLUMN_AT
    np.minimum(np.maximum(at, 0, out=at), last, out=at)
    found: Samples = values[channels[:, None], _ROW_AT, at]
    found[blocks == 0, 0] = NOTHING
    found[blocks == last, -1] = NOTHING
    return found


def raise_by_parabolas(
    values: Samples, tops: Samples, lengths: NDArray[np.intp], peaks: NDArray[np.float32]
) -> None:
    """Raise ``peaks``, (channels, pieces), to the highest parabola over ``magnitudes``, in place.

    ``tops`` is the largest of each block, ``lengths`` the blocks of each piece. Only blocks that
    could win are looked at. The first and last value have one neighbour and belong to other hops.
    """
    limits = np.repeat(peaks / np.float32(REFINE_LIMIT), lengths, axis=1)
    channels, blocks = np.nonzero(tops > limits)
    in_time = blocks_in_time(values, channels, blocks)
    a, b, c = in_time[:, :-2], in_time[:, 1:-1], in_time[:, 2:]
    high = (b > limits[channels, blocks][:, None]) & (np.minimum(a, c) > NOTHING)
    rows, at = np.nonzero(high & (b >= np.maximum(a, c)))
    heights = parabola_peak(in_time[rows, at], in_time[rows, at + 1], in_time[rows, at + 2])
    pieces = np.repeat(np.arange(len(lengths)), lengths)[blocks[rows]]
    np.maximum.at(peaks, (channels[rows], pieces), heights)


class Interpolation:
    """Finds true peaks; holds the memory of the product only, nothing of the signal."""

    def __init__(self) -> None:
        self._windows, self._values = Scratch(), Scratch()

    def raise_peaks(
        self, samples: Samples, borders: NDArray[np.intp], peaks: NDArray[np.float32]
    ) -> None:
        """Raise ``peaks`` to the true peaks of pieces of (channels, HISTORY + frames), in place.

        ``peaks`` holds the sample peaks, (channels, pieces): the interpolator lags, so the newest
        samples count as they are. ``borders`` are the frames of the hop, multiples of BLOCK, at
        which pieces begin; the first is 0. A few channels at a time, so that values stay in the
        cache; they start one output early, so that those at the borders have both neighbours in one
        of two hops.
        """
        first = borders // BLOCK
        blocks = -(-(samples.shape[1] - TAPS + 1) // BLOCK)
        lengths = np.diff(first, append=blocks)
        step = max(1, CHUNK_VALUES // (_ROWS * blocks))
        for at in range(0, len(samples), step):
            values = magnitudes(samples[at : at + step], self._windows, self._values)
            tops = values.max(axis=1)
            some = peaks[at : at + step]
            np.maximum(some, np.maximum.reduceat(tops, first, axis=1), out=some)
            raise_by_parabolas(values, tops, lengths, some)


class TruePeak:
    """The true peak of every channel in the interval, and since reset."""

    def __init__(self, channels: int) -> None:
        self._peak = np.zeros(channels, np.float32)
        self._peak_max = np.zeros(channels, np.float32)
        self._integrating = True

    def feed(self, peak: NDArray[np.float32]) -> None:
        """Take the true peaks of a hop."""
        np.maximum(self._peak, peak, out=self._peak)
        if self._integrating:
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
