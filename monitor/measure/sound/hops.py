"""Gather blocks of any size and sample format into hops of float32, a row a channel.

numpy costs about a microsecond a call, so kernels want thousands of samples at once, and they want
those of one channel side by side: rows fill the vector unit whatever the number of channels, where
interleaved frames of two fill a quarter of it. Turning them costs 1.1 ns a sample here, once; the
true peak alone is 6 ns cheaper for it with two channels, and no dearer with 32.
"""

from math import prod
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""Samples, shape (channels, frames), full scale ±1; the frames of a channel lie side by side."""

HISTORY: Final = 24  # frames kept from the hop before: the true-peak filter's reach
HOP_LIMIT_S: Final = 0.1  # of many channels: larger hops fall out of the second-level cache
HOP_VALUES: Final = 1 << 19  # of few channels: as many samples, so that fixed costs are shared
WIDE: Final = 32  # frames folded into one row by reductions
SAMPLE_LIMIT: Final = 1e4  # +80 dBFS: no recorder writes more; its square's sum still fits float32


def to_float(samples: NDArray[Any], out: Samples, scratch: Samples) -> int:
    """Write (frames, channels) to ``out``, turned, full scale ±1; return how many were no numbers.

    NaN, infinity and values over ``SAMPLE_LIMIT`` become 0: one of them would spoil every filter's
    state for ever. Integers keep their sign and 24 leading bits. ``scratch`` is as large as
    ``samples``: to convert first and turn then is twice as fast as both at once.
    """
    if samples.dtype.kind == "i":
        scale = np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
        np.multiply(samples, scale, out=scratch, casting="unsafe")  # 4 times faster than astype
        np.copyto(out, scratch.T)
        return 0
    np.copyto(out, samples.T, casting="same_kind")
    low, high = samples.min(), samples.max()
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
    folded = row.reshape(WIDE, channels)
    if whole < frames:
        folded = np.concatenate([folded, samples[whole:]])
    return np.asarray(operation.reduce(folded, axis=0))


def peaks_of(samples: Samples) -> NDArray[np.float32]:
    """Return max |x| of (channels, frames), shape (channels,); frames ≥ 1."""
    peaks: NDArray[np.float32] = np.maximum(samples.max(axis=1), -samples.min(axis=1))
    return peaks


class Scratch:
    """Memory for one intermediate result, used over and over.

    Large arrays made anew for every hop are pages the kernel must find and clear: 2 ns a sample.
    """

    def __init__(self) -> None:
        self._values: NDArray[np.float32] = np.empty(0, np.float32)

    def empty(self, *shape: int) -> NDArray[np.float32]:
        """Return an array of a shape, its content left over; valid until the next call."""
        size = prod(shape)
        if len(self._values) < size:
            self._values = np.empty(size, np.float32)
        return self._values[:size].reshape(shape)


class Hops:
    """A buffer of one hop with the last ``HISTORY`` frames of the one before in front of it.

    Of a recorded file hops of few channels are longer; live, nothing waits for ``HOP_LIMIT_S``.
    """

    def __init__(self, channels: int, sample_rate_hz: int, *, live: bool) -> None:
        shared = 0 if live else HOP_VALUES // channels
        self.frames_limit = max(round(HOP_LIMIT_S * sample_rate_hz), shared)
        self._buffer: Samples = np.zeros((channels, HISTORY + self.frames_limit), np.float32)
        self._scratch = Scratch()
        self._filled = 0

    @property
    def waiting(self) -> int:
        """Frames gathered and not yet taken."""
        return self._filled

    def put(self, samples: NDArray[Any]) -> int:
        """Append as many frames as fit; return how many that were."""
        room = min(len(samples), self.frames_limit - self._filled)
        at = HISTORY + self._filled
        scratch = self._scratch.empty(room, samples.shape[1])
        to_float(samples[:room], self._buffer[:, at : at + room], scratch)
        self._filled += room
        return room

    def take(self) -> Samples:
        """Return history and hop, shape (channels, HISTORY + waiting); valid until ``done``."""
        return self._buffer[:, : HISTORY + self._filled]

    def done(self) -> None:
        """Keep the newest frames as history and empty the hop."""
        newest = self._buffer[:, self._filled : self._filled + HISTORY].copy()
        self._buffer[:, :HISTORY] = newest
        self._filled = 0
