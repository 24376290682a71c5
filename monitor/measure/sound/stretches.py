"""Cut stretches of a fixed length out of a stream of hops, on a grid of absolute ticks.

What looks at a part of the sound now and then gathers that part only: it is a copy.
"""

from collections.abc import Iterator

import numpy as np

from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop


class Stretches:
    """The last ``length`` samples before every multiple of ``period`` ticks; length ≤ period."""

    def __init__(self, channels: int, length: int, period: int) -> None:
        assert 0 < length <= period
        self._length = length
        self._period = period
        self._kept: Samples = np.empty((channels, length), np.float32)
        self._whole = False
        """Whether everything since the present stretch's first sample was kept."""

    def feed(self, hop: Hop) -> Iterator[Samples]:
        """Yield the stretches a hop finished, (channels, length), each valid until the next.

        A stretch with a hole in it is left out.
        """
        self._whole = self._whole and hop.follows
        samples, tick = hop.samples, hop.start
        while tick < hop.end:
            border = (tick // self._period + 1) * self._period
            begin, until = border - self._length, min(border, hop.end)
            first = max(tick, begin)
            if first < until:
                self._whole = self._whole or first == begin
                part = samples[:, first - hop.start : until - hop.start]
                self._kept[:, first - begin : until - begin] = part
            if until == border and self._whole:
                yield self._kept
                self._whole = False
            tick = until
