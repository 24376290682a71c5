"""Gather hops into stretches long enough to be worth the fixed cost of a look at them.

numpy costs a microsecond a call: a detector of thirty calls a hop of 40 ms is twice as cheap when
it looks once in 100 ms. One copy a sample, no memory made anew.
"""

import numpy as np

from monitor.measure.sound.hops import Samples


class Gathering:
    """The newest samples of all channels, (channels, frames), from ``start`` on.

    It begins with ``before`` frames of silence, in place of what came before the first.
    """

    def __init__(self, channels: int, before: int) -> None:
        self._before = before
        self._buffer: Samples = np.zeros((channels, 2 * before), np.float32)
        self._first, self._last = 0, before
        self._tick = 0

    @property
    def rows(self) -> Samples:
        """All samples kept; valid until the next call."""
        return self._buffer[:, self._first : self._last]

    @property
    def start(self) -> int:
        """Tick of the first sample kept."""
        return self._tick - (self._last - self._first)

    def restart(self) -> None:
        """Forget all: a hole."""
        self._first, self._last = 0, self._before
        self._buffer[:, : self._before] = 0

    def add(self, samples: Samples, end: int) -> None:
        """Append samples, (channels, frames), of which the last is before tick ``end``."""
        frames = samples.shape[1]
        if self._last + frames > self._buffer.shape[1]:
            kept = self.rows.copy()
            room = 2 * (kept.shape[1] + frames)  # so that it is not moved at every turn
            if room > self._buffer.shape[1]:
                self._buffer = np.empty((len(kept), room), np.float32)
            self._buffer[:, : kept.shape[1]] = kept
            self._first, self._last = 0, kept.shape[1]
        self._buffer[:, self._last : self._last + frames] = samples
        self._last += frames
        self._tick = end

    def drop(self, frames: int) -> None:
        """Forget the first frames."""
        self._first += frames
