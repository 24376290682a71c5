"""True peak (BS.1770-5, Annex 2): the peak of the continuous signal, from four times the rate.

Interpolator: 24 taps a phase, a sinc under a Kaiser window of beta 6; its first phase is the
samples themselves. The three others are one product with a banded Toeplitz matrix,

    y[16 k + j, p] = Σ_i h[p + 4 i] x[16 k + j - i]    as    Y_k = H X_k,

where X_k are 39 consecutive frames: overlapping windows of the interleaved buffer, made by strides,
never copied. The largest values are refined by the parabola through each and its two neighbours.
Within ±0.05 dB of the continuous peak for tones to 0.45 of the rate; see docs/decisions/0011.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from monitor.measure.decibels import amplitude_db
from monitor.measure.hops import HISTORY, Samples
from monitor.measure.levels import magnitude_peak
from monitor.metrics import Value, declare

PHASES: Final = 4
TAPS: Final = 24
BETA: Final = 6.0
BLOCK: Final = 16
DELAY: Final = TAPS // 2  # the interpolator's delay in samples
# A parabola through a band-limited peak sampled at 4 times the rate adds at most
# (1 - cos(3π/8)/cos(π/8))/8 = 7.3 %: blocks under 1/1.08 of the largest cannot win.
REFINE_LIMIT: Final = 1.08

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
    """Return H, shape (3·block, block + TAPS - 1): row 3 j + p - 1 is phase p of output j."""
    h = np.zeros((block, PHASES - 1, block + TAPS - 1))
    for j in range(block):
        h[j, :, j : j + TAPS] = taps[1:, ::-1]
    return h.reshape(block * (PHASES - 1), -1).astype(np.float32)


_H: Final = banded_toeplitz(interpolator(), BLOCK)


def windows(samples: Samples, blocks: int) -> Samples:
    """Return overlapping windows (blocks, BLOCK + TAPS - 1, channels), a view of the samples."""
    row, column = samples.strides
    shape = (blocks, BLOCK + TAPS - 1, samples.shape[1])
    return as_strided(samples, shape, (BLOCK * row, row, column), writeable=False)


def interpolate(samples: Samples) -> tuple[Samples, Samples]:
    """Return the magnitudes between samples, for (TAPS - 1 + frames, channels).

    Two parts, whole blocks (blocks, 3·BLOCK, channels) and the rest (1, 3·rest, channels): row
    3 j + p - 1 of block k lies p/4 of a sample after sample 16 k + j - DELAY.
    """
    frames, channels = len(samples) - (TAPS - 1), samples.shape[1]
    blocks, rest = divmod(frames, BLOCK)
    whole = np.matmul(_H, windows(samples, blocks))
    np.abs(whole, out=whole)
    tail = _H[: 3 * rest, : rest + TAPS - 1] @ samples[blocks * BLOCK :]
    return whole, np.abs(tail).reshape(1, 3 * rest, channels)


def block_maxima(values: Samples) -> Samples:
    """Return the maximum over axis 1 of (blocks, rows, channels) by folding it in halves.

    Folding keeps inner loops long; ``max(axis=1)`` runs over one frame's channels at a time.
    """
    while values.shape[1] % 2 == 0 and values.shape[1] > 3:
        half = values.shape[1] // 2
        values = np.maximum(values[:, :half], values[:, half:])
    maxima: Samples = values.max(axis=1)
    return maxima


def refine(lines: Samples) -> Samples:
    """Return the largest parabola peak of each line of 4x magnitudes, shape (lines, points).

    The ends of a line have only one neighbour and are not peaks of it.
    """
    left, middle, right = lines[:, :-2], lines[:, 1:-1], lines[:, 2:]
    bend = 2.0 * middle - left - right
    is_peak = (middle >= left) & (middle >= right) & (bend > 0.0)
    rise = np.where(is_peak, (left - right) ** 2 / (8.0 * np.where(is_peak, bend, 1.0)), 0.0)
    peaks = np.minimum(middle + rise, middle * REFINE_LIMIT)
    best: Samples = np.where(is_peak, peaks, 0.0).max(axis=1)
    return best


@cache
def all_phases(frames: int) -> NDArray[np.float32]:
    """Return the Toeplitz matrix of all four phases for ``frames`` outputs, transposed."""
    taps = interpolator()
    h = np.zeros((frames, PHASES, frames + TAPS - 1), np.float32)
    for j in range(frames):
        h[j, :, j : j + TAPS] = taps[:, ::-1]
    return np.ascontiguousarray(h.reshape(frames * PHASES, -1).T)


def refined(
    samples: Samples, blocks: NDArray[np.intp], channels: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the parabola peak in each candidate block of a channel.

    The few candidates are interpolated once more, with one frame more on either side, which needs
    no care at the blocks' borders.
    """
    outputs = len(samples) - (TAPS - 1)
    frames = min(BLOCK + 2, outputs)
    first = np.clip(blocks * BLOCK - 1, 0, outputs - frames)
    picked = samples[first[:, None] + np.arange(frames + TAPS - 1), channels[:, None]]
    return refine(np.abs(picked @ all_phases(frames)))


def hop_true_peak(samples: Samples) -> NDArray[np.float32]:
    """Return the true peak of each channel for (HISTORY + frames, channels)."""
    whole, tail = interpolate(samples)
    maxima = np.concatenate([block_maxima(part) for part in (whole, tail) if part.shape[1]])
    peak = np.maximum(maxima.max(axis=0), magnitude_peak(samples[TAPS:]))
    candidates = (maxima * REFINE_LIMIT >= peak) & (peak > 0.0)
    blocks, channels = np.nonzero(candidates)
    np.maximum.at(peak, channels, refined(samples, blocks, channels))
    largest: NDArray[np.float32] = peak
    return largest


class TruePeak:
    """The true peak of every channel in the interval, and since reset."""

    def __init__(self, channels: int) -> None:
        self._peak = np.zeros(channels)
        self._peak_max = np.zeros(channels)

    def feed(self, samples: Samples) -> None:
        """Take a hop with its history, shape (HISTORY + frames, channels)."""
        peak = hop_true_peak(samples)
        np.maximum(self._peak, peak, out=self._peak)
        np.maximum(self._peak_max, peak, out=self._peak_max)

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
