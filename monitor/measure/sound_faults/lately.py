"""The newest samples of every channel: what an edge found in a hop may begin in the one before."""

import numpy as np

from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop


class Lately:
    """The hop that is heard, with ``reach`` samples before it."""

    def __init__(self, channels: int, reach: int) -> None:
        self._reach = reach
        self._tail: Samples = np.empty((channels, 0), np.float32)
        self._hop: Hop | None = None

    def begin(self, hop: Hop) -> None:
        """Take the next hop; after a hole nothing before it is known."""
        if not hop.follows:
            self._tail = self._tail[:, :0]
        self._hop = hop

    def end(self) -> None:
        """Keep what the next hop needs of this one."""
        assert self._hop is not None
        samples = self._hop.samples[:, -self._reach :]
        kept = max(0, self._tail.shape[1] + samples.shape[1] - self._reach)
        self._tail = np.concatenate([self._tail[:, kept:], samples], axis=1)
        self._hop = None

    def samples(self, channel: int, start: int, end: int) -> Samples:
        """Return one channel's samples of the ticks [start, end), as far as they are known."""
        assert self._hop is not None
        first, tail = self._hop.start, self._tail[channel]
        before = tail[max(len(tail) + start - first, 0) : max(len(tail) + end - first, 0)]
        here = self._hop.samples[channel, max(start - first, 0) : max(end - first, 0)]
        return np.concatenate([before, here])
