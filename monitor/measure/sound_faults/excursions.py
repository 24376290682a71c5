"""Excursions of sound towards a ceiling, read all at once: where they are, and which are flat.

An excursion is three samples or more in a row that reach a threshold. Its flat part lies at its
middle level; it is flat if that part is entered and left so steeply that a wave as smooth as sound
is would have risen much further than it wavers: a parabola rises by slope x length / 4.

Speed: numpy over all excursions of all channels; of a width class at a time, so that little is
padding. All arrays of excursions are of one length, one value an excursion.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.measure.sound.hops import Samples

FLAT_SAMPLES: Final = 3  # two can be the top of a sine
FLAT_RANGE: Final = 0.002
SHOULDER: Final = 3  # samples either side over which slopes are taken: noise makes one useless
STEEP: Final = 4.0  # a parabola has at most 2, at three samples
STEP: Final = 2.0**-15  # codes as coarse as 16 bits, whatever was delivered: it may have been less
SAME: Final = 0.001  # levels this close, or within their noise, are one
WIDTHS: Final = (16, 64, 256)  # of the classes; wider ones are as wide as what is looked at

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Cells that may hold excursions; arrays of one length.

    ``channel``: row. ``first``: column from which one may begin, ``reach`` before the cell.
    ``sign``: 1 upwards, -1 downwards. ``threshold``: magnitude that is reached. ``limit``: how many
    are wanted, the first of those that end in the cell.
    """

    channel: Ints
    first: Ints
    sign: NDArray[np.float32]
    threshold: NDArray[np.float32]
    limit: Ints

    def __getitem__(self, which: Ints) -> "Suspects":
        """Return some of them."""
        return Suspects(
            channel=self.channel[which],
            first=self.first[which],
            sign=self.sign[which],
            threshold=self.threshold[which],
            limit=self.limit[which],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursions:
    """Excursions found, ``suspect``: in which of the cells; columns [start, end)."""

    suspect: Ints
    start: Ints
    end: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Tops:
    """The flat parts of excursions: columns [first, last), level, and how far they waver.

    ``flat``: whether it is; of others the rest says nothing. ``peak``: of the whole excursion.
    Levels are magnitudes.
    """

    first: Ints
    last: Ints
    level: Floats
    range: Floats
    flat: Mask
    peak: Floats


def find_excursions(rows: Samples, suspects: Suspects, reach: int, cell: int) -> Excursions:
    """Find what ends in each cell; rows, (channels, frames), reach SHOULDER beyond the last one.

    An excursion that began before the column ``first`` is taken to begin there.
    """
    around = sliding_window_view(rows, cell + FLAT_SAMPLES, axis=1)
    windows = around[suspects.channel, suspects.first + reach - FLAT_SAMPLES + 1]
    over = windows * suspects.sign[:, None] >= suspects.threshold[:, None]
    last = over[:, 2:-1] & over[:, 1:-2] & over[:, :-3] & ~over[:, 3:]
    which, at = np.divmod(np.flatnonzero(last), cell)
    rank = np.arange(len(which)) - np.searchsorted(which, which)
    wanted = rank < suspects.limit[which]
    which, at = which[wanted], at[wanted]
    end = suspects.first[which] + reach + at + 1
    start = _starts(rows, suspects[which], end, reach + cell)
    return Excursions(suspect=which, start=start, end=end)


def _starts(rows: Samples, suspects: Suspects, end: Ints, most: int) -> Ints:
    """Return the first column of each excursion that ends before column ``end``."""
    start = suspects.first.copy()
    pending = np.arange(len(end))
    for width in (*WIDTHS, most):
        if not len(pending):
            break
        some, until = suspects[pending], end[pending]
        begin = until - width if width < most else some.first
        windows = sliding_window_view(rows, width, axis=1)[some.channel, begin]
        under = windows * some.sign[:, None] < some.threshold[:, None]
        if width == most:
            under &= np.arange(width) < (until - begin)[:, None]
        found = under.any(axis=1)
        after = begin + width - under[:, ::-1].argmax(axis=1)
        start[pending[found]] = after[found]
        pending = pending[~found]
    return start


def measure_tops(rows: Samples, suspects: Suspects, excursions: Excursions, most: int) -> Tops:
    """Measure the flat parts of excursions, at most ``most`` samples long."""
    count = len(excursions.end)
    tops = Tops(
        first=np.zeros(count, np.intp),
        last=np.zeros(count, np.intp),
        level=np.zeros(count),
        range=np.zeros(count),
        flat=np.zeros(count, np.bool_),
        peak=np.zeros(count),
    )
    length = excursions.end - excursions.start
    least = 0
    for width in (*WIDTHS, most):
        which = np.flatnonzero((length > least) & (length <= width))
        if len(which):
            some = suspects[excursions.suspect[which]]
            start, end = excursions.start[which], excursions.end[which]
            _measure_class(rows, some, start, end, (which, width, tops))
        least = width
    return tops


def _measure_class(
    rows: Samples, some: Suspects, start: Ints, end: Ints, into: tuple[Ints, int, Tops]
) -> None:
    """Measure excursions at most ``width`` long; write to the places ``which`` of ``tops``."""
    which, width, tops = into
    begin = np.maximum(end - width, some.first)
    windows = sliding_window_view(rows, width, axis=1)[some.channel, begin] * some.sign[:, None]
    place = np.arange(width)
    inside = (place >= (start - begin)[:, None]) & (place < (end - begin)[:, None])
    tops.peak[which] = np.where(inside, windows, 0).max(axis=1)
    first, last = flat_part(windows, inside)
    inside = (place >= first[:, None]) & (place < last[:, None])
    levels = np.where(inside, windows, np.float32(np.inf))
    lowest = levels.min(axis=1).astype(np.float64)
    highest = np.where(inside, windows, 0).max(axis=1).astype(np.float64)
    level = medians(levels, last - first).astype(np.float64)
    first, last = first + begin, last + begin
    entry = level - rows[some.channel, first - SHOULDER] * some.sign
    leave = level - rows[some.channel, last + SHOULDER - 1] * some.sign
    slopes = (np.maximum(entry, 0) + np.maximum(leave, 0)) / SHOULDER
    rise, waver = slopes / 2 * (last - first) / 4, highest - lowest
    tops.first[which], tops.last[which] = first, last
    tops.level[which], tops.range[which] = level, waver
    tops.flat[which] = (
        (last - first >= FLAT_SAMPLES)
        & (first - SHOULDER >= some.first)
        & (waver <= FLAT_RANGE * highest)
        & (rise >= STEEP * (waver + STEP / 2))
    )


def flat_part(windows: Samples, inside: Mask) -> tuple[Ints, Ints]:
    """Return [first, last) of the samples inside an excursion that lie at its middle level."""
    count = inside.sum(axis=1)
    level = medians(np.where(inside, windows, np.float32(np.inf)), count)
    apart = np.where(inside, np.abs(windows - level[:, None]), np.float32(np.inf))
    waver = medians(apart, count)
    off = apart > np.maximum(4 * waver, SAME / 2 * level)[:, None]
    place = np.arange(windows.shape[1])
    middle = apart.argmin(axis=1)[:, None]
    first = np.where(off & (place < middle), place + 1, 0).max(axis=1)
    last = np.where(off & (place > middle), place, len(place)).min(axis=1)
    return first, last


def medians(values: Samples, count: Ints) -> NDArray[np.float32]:
    """Return the median of the ``count`` least values of each row; the others are infinite."""
    ordered = np.sort(values, axis=1)
    each = np.arange(len(values))
    middle: NDArray[np.float32] = ordered[each, (count - 1) // 2] + ordered[each, count // 2]
    return middle * np.float32(0.5)
