"""Gather blocks of any size and sample format into hops of interleaved float32 for the kernels.

numpy costs about a microsecond a call, so kernels want thousands of samples at once; the samples
stay interleaved (frames, channels), because de-interleaving 32 channels costs more than a meter.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Interleaved samples, shape (frames, channels), full scale ±1."""

HISTORY: Final = 24  # frames kept from the hop before: the true-peak filter's reach
HOP_LIMIT_S: Final = 0.1  # of many channels: larger hops fall out of the second-level cache
HOP_VALUES: Final = 1 << 17  # of few channels: as many samples, so that fixed costs are shared
WIDE: Final = 32  # frames folded into one row by reductions
SAMPLE_LIMIT: Final = 1e4  # +80 dBFS: no recorder writes more; its square's sum still fits float32


def to_float(samples: NDArray[Any], out: Samples) -> int:
    """Write samples to ``out`` with full scale ±1; return how many were not numbers.

    NaN, infinity and values over ``SAMPLE_LIMIT`` become 0: one of them would spoil every filter's
    state for ever. Integers keep their sign and 24 leading bits.
    """
    if samples.dtype.kind == "i":
        scale = np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
        np.multiply(samples, scale, out=out, casting="unsafe")  # 4 times faster than astype
        return 0
    np.copyto(out, samples, casting="same_kind")
    low, high = out.min(), out.max()
    if low >= -SAMPLE_LIMIT and high <= SAMPLE_LIMIT:  # false where either is NaN
        return 0
    bad = ~(np.abs(out) <= SAMPLE_LIMIT)
    out[bad] = 0.0
    return int(bad.sum())


def reduce_frames(operation: np.ufunc, samples: NDArray[Any]) -> NDArray[Any]:
    """Reduce (frames, channels) over its frames by maximum, minimum or bitwise or; frames ≥ 1.

    A reduction over rows of a few channels is all short inner loops; folding frames into one wide
    row first makes them long: 5 times faster at 32 channels.
    """
    frames, channels = samples.shape
    whole = frames - frames % WIDE
    if not whole or not samples.flags.c_contiguous:
        return np.asarray(operation.reduce(samples, axis=0))
    row = operation.reduce(samples[:whole].reshape(whole // WIDE, WIDE * channels), axis=0)
    folded = np.concatenate([row.reshape(WIDE, channels), samples[whole:]])
    return np.asarray(operation.reduce(folded, axis=0))


def exceeds(values: Samples, limits: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return ``values > limits`` for (frames, channels) and one limit a channel, in wide rows."""
    frames, channels = values.shape
    whole = frames - frames % WIDE
    out = np.empty((frames, channels), np.bool_)
    shape = (whole // WIDE, WIDE * channels)
    np.greater(values[:whole].reshape(shape), np.tile(limits, WIDE), out=out[:whole].reshape(shape))
    np.greater(values[whole:], limits, out=out[whole:])
    return out


class Hops:
    """A buffer of one hop with the last ``HISTORY`` frames of the one before in front of it."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self.frames_limit = max(round(HOP_LIMIT_S * sample_rate_hz), HOP_VALUES // channels)
        self._buffer: Samples = np.zeros((HISTORY + self.frames_limit, channels), np.float32)
        self._filled = 0

    @property
    def waiting(self) -> int:
        """Frames gathered and not yet taken."""
        return self._filled

    def put(self, samples: NDArray[Any]) -> int:
        """Append as many frames as fit; return how many that were."""
        room = min(len(samples), self.frames_limit - self._filled)
        at = HISTORY + self._filled
        to_float(samples[:room], self._buffer[at : at + room])
        self._filled += room
        return room

    def take(self) -> Samples:
        """Return history and hop, shape (HISTORY + waiting, channels); valid until ``done``."""
        return self._buffer[: HISTORY + self._filled]

    def done(self) -> None:
        """Keep the newest frames as history and empty the hop."""
        self._buffer[:HISTORY] = self._buffer[self._filled : self._filled + HISTORY].copy()
        self._filled = 0
