"""All channels low-passed and decimated to about 2 kHz, for what lives below 500 Hz.

A filter of ``REACH`` blocks of ``factor`` samples gives one value a block. Its taps are cut into
``REACH`` columns; one product of the blocks with them gives every block's share in the next values,
and those are sums along a diagonal: 8 multiplications a sample, no overlap, no history of samples.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop

TARGET_HZ: Final = 2000
REACH: Final = 8  # blocks a filter spans: 60 dB from 1.5 kHz on, which folds to 500 Hz
KAISER_BETA: Final = 5.65  # 60 dB, Kaiser's formula
CUT_HZ: Final = 1000.0


def decimation_factor(sample_rate_hz: int) -> int:
    """Return how many samples make one: 24 at 48 kHz, 22 at 44.1 kHz."""
    return max(1, sample_rate_hz // TARGET_HZ)


def low_pass(sample_rate_hz: int) -> NDArray[np.float32]:
    """Return the filter's taps, gain 1 at 0 Hz, a column a block it spans, (factor, REACH)."""
    factor = decimation_factor(sample_rate_hz)
    size = factor * REACH
    at = np.arange(size) - (size - 1) / 2
    taps = np.sinc(2 * CUT_HZ / sample_rate_hz * at) * np.kaiser(size, KAISER_BETA)
    return np.asarray((taps / taps.sum()).reshape(REACH, factor).T, np.float32)


class Decimation:
    """The decimated sound of every channel; its grid begins with the stream, and after a hole."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self.factor = decimation_factor(sample_rate_hz)
        self.rate_hz = sample_rate_hz / self.factor
        self._taps = low_pass(sample_rate_hz)
        self._begun: Samples = np.zeros((channels, self.factor), np.float32)
        self._have = 0
        self._shares: Samples = np.zeros((channels, 0, REACH), np.float32)
        self._tick = 0
        """Of the first sample of the first block whose shares are kept."""

    def feed(self, hop: Hop) -> tuple[int, Samples]:
        """Return the values a hop finished, (channels, n), and the tick the first stands for.

        A value stands for the middle of its filter; they lie ``factor`` ticks apart.
        """
        if not hop.follows:
            self._have, self._tick = 0, hop.start
            self._shares = self._shares[:, :0]
        fresh = self._multiply(hop.samples)
        shares = np.concatenate([self._shares, fresh], axis=1) if self._shares.size else fresh
        count = max(0, shares.shape[1] - REACH + 1)
        values = np.zeros((len(shares), count), np.float32)
        for block in range(REACH if count else 0):
            values += shares[:, block : block + count, block]
        middle = self._tick + REACH * self.factor // 2
        self._tick += count * self.factor
        self._shares = shares[:, count:].copy()
        return middle, values

    def _multiply(self, samples: Samples) -> Samples:
        """Return the shares of the blocks finished, (channels, blocks, REACH)."""
        channels, frames = samples.shape
        missing = min(frames, -self._have % self.factor if self._have else 0)
        self._begun[:, self._have : self._have + missing] = samples[:, :missing]
        self._have += missing
        found = []
        if self._have == self.factor:
            found.append((self._begun @ self._taps)[:, None, :])
            self._have = 0
        whole = (frames - missing) // self.factor
        end = missing + whole * self.factor
        if whole:
            blocks = samples[:, missing:end].reshape(channels, whole, self.factor)
            found.append(blocks @ self._taps)
        if frames > end:
            self._have = frames - end
            self._begun[:, : self._have] = samples[:, end:]
        return np.concatenate(found, axis=1) if found else self._shares[:, :0]
