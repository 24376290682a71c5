"""True peak (BS.1770-5, Annex 2): the peak of the continuous signal, from four times the rate.

Interpolator: 24 taps a phase, a sinc under a Kaiser window of beta 6; its first phase is the
samples themselves. All four are one product with a banded Toeplitz matrix,

    y[4 (16 k + j) + p] = Σ_i h[p + 4 i] x[16 k + j - i]    as    Y_k = H X_k,

where X_k are 39 consecutive frames: overlapping windows of the interleaved buffer, made by strides,
never copied. The largest values are refined by the parabola through each and its two neighbours.
Within ±0.05 dB of the continuous peak for tones to 0.45 of the rate; see docs/decisions/0011.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from monitor.measure.decibels import amplitude_db
from monitor.measure.hops import HISTORY, Samples, exceeds, reduce_frames
from monitor.measure.levels import magnitude_peak
from monitor.metrics import Value, declare

PHASES: Final = 4
TAPS: Final = 24
BETA: Final = 6.0
BLOCK: Final = 16
DELAY: Final = TAPS // 2  # the interpolator's delay in samples
# A parabola through a band-limited peak sampled at 4 times the rate adds at most
# (1 - cos(3π/8)/cos(π/8))/8 = 7.3 %: values under 1/1.08 of the largest cannot win.
REFINE_LIMIT: Final = 1.08
CROWDED: Final = 32  # more than one value in 32 hot: a tone
CHUNK_VALUES: Final = 1 << 18  # 1 MiB of float32: the quickest of 2^16 to 2^19 here

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
    """Return H, shape (4·block, block + TAPS - 1): row 4 j + p is phase p of output j."""
    h = np.zeros((block, PHASES, block + TAPS - 1))
    for j in range(block):
        h[j, :, j : j + TAPS] = taps[:, ::-1]
    return h.reshape(block * PHASES, -1).astype(np.float32)


_H: Final = banded_toeplitz(interpolator(), BLOCK)


def windows(samples: Samples, blocks: int) -> Samples:
    """Return overlapping windows (blocks, BLOCK + TAPS - 1, channels), a view of the samples."""
    row, column = samples.strides
    shape = (blocks, BLOCK + TAPS - 1, samples.shape[1])
    return as_strided(samples, shape, (BLOCK * row, row, column), writeable=False)


def magnitudes(samples: Samples) -> Samples:
    """Return |y| at four times the rate, shape (4·frames, channels), for TAPS - 1 + frames."""
    frames, channels = len(samples) - (TAPS - 1), samples.shape[1]
    blocks, rest = divmod(frames, BLOCK)
    out = np.empty((PHASES * frames, channels), np.float32)
    whole = out[: blocks * BLOCK * PHASES].reshape(blocks, BLOCK * PHASES, channels)
    np.matmul(_H, windows(samples, blocks), out=whole)
    if rest:
        tail = _H[: PHASES * rest, : rest + TAPS - 1]
        np.matmul(tail, samples[blocks * BLOCK :], out=out[len(out) - PHASES * rest :])
    return np.abs(out, out=out)


def parabola_peak(left: Samples, middle: Samples, right: Samples) -> Samples:
    """Return the height of the parabola through three magnitudes, the middle one the largest."""
    bend = np.maximum(2.0 * middle - left - right, np.float32(1e-30))  # three equal ones: no rise
    peak: Samples = np.minimum(middle + (left - right) ** 2 / (8.0 * bend), middle * REFINE_LIMIT)
    return peak


def raise_by_parabolas(values: Samples, peak: NDArray[np.float32]) -> None:
    """Raise ``peak``, one a channel, to the highest parabola over 4x ``values``, in place.

    Only values that could win are looked at; in a tone these are so many that their neighbours
    sort them out first. The first and last value have one neighbour and belong to other hops.
    """
    channels = values.shape[1]
    flat = values.ravel()
    hot = exceeds(values, peak / np.float32(REFINE_LIMIT)).ravel()
    hot[:channels] = hot[-channels:] = False
    if np.count_nonzero(hot) * CROWDED > hot.size:
        inner = hot[channels:-channels]
        inner &= flat[channels:-channels] >= flat[: -2 * channels]
        inner &= flat[channels:-channels] >= flat[2 * channels :]
    at = np.flatnonzero(hot)
    a, b, c = flat[at - channels], flat[at], flat[at + channels]
    tops = (b >= a) & (b >= c)
    heights = parabola_peak(a[tops], b[tops], c[tops])
    np.maximum.at(peak, at[tops] % channels, heights)


def raise_true_peak(samples: Samples, peak: NDArray[np.float32]) -> None:
    """Raise ``peak``, one a channel, to the true peak of (HISTORY + frames, channels), in place.

    In chunks that stay in the second-level cache; each starts one output early, so that values at
    the borders have both neighbours in one of two chunks.
    """
    # The interpolator lags: the newest samples count as they are.
    np.maximum(peak, magnitude_peak(samples[HISTORY:]), out=peak)
    step = max(BLOCK, CHUNK_VALUES // (PHASES * samples.shape[1]))
    for at in range(0, len(samples) - HISTORY, step):
        values = magnitudes(samples[at : at + HISTORY + step])
        np.maximum(peak, reduce_frames(np.maximum, values), out=peak)
        raise_by_parabolas(values, peak)


class TruePeak:
    """The true peak of every channel in the interval, and since reset."""

    def __init__(self, channels: int) -> None:
        self._peak = np.zeros(channels, np.float32)
        self._peak_max = np.zeros(channels, np.float32)

    def feed(self, samples: Samples) -> None:
        """Take a hop with its history, shape (HISTORY + frames, channels)."""
        raise_true_peak(samples, self._peak)
        np.maximum(self._peak_max, self._peak, out=self._peak_max)

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
