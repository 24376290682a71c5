"""Ceilings: levels that flat excursions of one channel share, with nothing beyond.

Flat excursions are compared with those before them, of all channels at once.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.measure.sound_faults.excursions import SAME, STEP, Floats, Ints, Mask

NEAR: Final = 0.996  # of the ceiling: room for noise of the stages behind the clipping one
EXCURSIONS: Final = 3
REMEMBERED: Final = 32  # flat excursions compared with a new one; 3 are enough where none is round
ROUND_REMEMBERED: Final = REMEMBERED + 1  # enough to outvote


class Newest:
    """The newest ``length`` of what comes, a channel; each is some numbers."""

    def __init__(self, channels: int, length: int, numbers: int) -> None:
        self._length = length
        self._kept = np.full((numbers, channels, length), -np.inf)

    def add(self, channel: Ints, values: Floats) -> Floats:
        """Append values, (numbers, count), ordered by channel; return a line to look back in.

        In it, what was kept of a channel and its new ones stand in order: the n-th new one of all
        at (channel + 1) * length + n.
        """
        channels = self._kept.shape[1]
        counts = np.bincount(channel, minlength=channels)
        first = np.arange(channels) * self._length + np.cumsum(counts) - counts
        line = np.empty((len(values), channels * self._length + len(channel)))
        old = first[:, None] + np.arange(self._length)
        line[:, old] = self._kept
        line[:, (channel + 1) * self._length + np.arange(len(channel))] = values
        self._kept = line[:, old + counts[:, None]]
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Excursions in order of channel and time; arrays of one length.

    Ticks [start, end); ``side``: 0 upwards, 1 downwards; levels are magnitudes. ``cell``: which of
    the cells whose peaks are given it ends in. Of one that is not flat ``level`` is its peak.
    """

    channel: Ints
    start: Ints
    end: Ints
    side: Ints
    level: Floats
    range: Floats
    flat: Mask
    cell: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipped:
    """Flat excursions that lie at a ceiling: their places among all, and those at one level before.

    ``alike``: which of the REMEMBERED newest, the last being itself; ``starts`` and ``ends`` of
    those. (count, REMEMBERED).
    """

    which: Ints
    alike: Mask
    starts: Floats
    ends: Floats


class Ceilings:
    """The excursions of every channel that reached its ceiling within ``window`` ticks."""

    def __init__(self, channels: int, window: int, cell: int) -> None:
        self._window = window
        self._cell = cell
        self._flats = Newest(channels, REMEMBERED, 5)
        self._round = Newest(channels, ROUND_REMEMBERED, 2)

    def add(self, new: Judged, peaks: NDArray[np.float32], tick: int) -> Clipped:
        """Take excursions; return the flat ones that have enough like them.

        ``peaks``: largest samples of the cells, (2, channels, cells): of those in which the
        excursions end, the first at ``tick``, and of the window's before them.
        """
        flat, rounds = np.flatnonzero(new.flat), np.flatnonzero(~new.flat)
        values = np.stack([new.start, new.end, new.side, new.level, new.range]).astype(np.float64)
        line = self._flats.add(new.channel[flat], values[:, flat])
        round_line = self._round.add(new.channel[rounds], values[[1, 3]][:, rounds])
        at = (new.channel[flat] + 1) * REMEMBERED + np.arange(len(flat))
        back = sliding_window_view(line, REMEMBERED, axis=1)[:, at - REMEMBERED + 1]
        alike = _at_one_level(back) & (back[0] >= back[1, :, -1:] - self._window)
        some = np.flatnonzero(alike.sum(axis=1) >= EXCURSIONS)
        which, back, alike = flat[some], back[:, some], alike[some]
        ends = tick + (new.cell[which] + 1) * self._cell
        windows = sliding_window_view(peaks, self._window // self._cell, axis=2)
        cells = _cells_below(windows[:, new.channel[which], new.cell[which] + 1], new.level[which])
        after = ends - cells * self._cell
        alike &= back[0] >= np.where(back[2] == 0, after[0][:, None], after[1][:, None])
        before = np.cumsum(~new.flat)[which] + (new.channel[which] + 1) * ROUND_REMEMBERED
        against = sliding_window_view(round_line, ROUND_REMEMBERED, axis=1)[
            :, before - ROUND_REMEMBERED
        ]
        since = back[0, np.arange(len(which)), alike.argmax(axis=1)]
        contradict = (against[0] >= since[:, None]) & (against[1] >= NEAR * back[3, :, -1:])
        enough = alike.sum(axis=1) >= np.maximum(EXCURSIONS, contradict.sum(axis=1))
        return Clipped(
            which=which[enough], alike=alike[enough], starts=back[0, enough], ends=back[1, enough]
        )


def _at_one_level(back: Floats) -> Mask:
    """Say which of some flats lie at the level of the last; (5, count, flats)."""
    level, waver = back[3], back[4]
    noise = np.maximum(SAME * level, 2 * np.maximum(waver, waver[:, -1:]))
    mask: Mask = np.abs(level - level[:, -1:]) <= np.maximum(noise, STEP / 2)
    return mask


def _cells_below(peaks: NDArray[np.float32], level: Floats) -> Ints:
    """Return for both sides how many of the newest cells did not go beyond a level.

    ``peaks``: (2, count, cells), newest last; ``level``: (count,).
    """
    beyond = peaks[:, :, ::-1] * np.float32(NEAR) > level[:, None]
    return np.asarray(np.where(beyond.any(axis=2), beyond.argmax(axis=2), peaks.shape[2]))
