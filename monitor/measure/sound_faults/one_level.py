"""Rounded tops at one level: which of them are clipping, by what was before them.

All tops that were found are judged at once, each against the cells of the last seconds.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.measure.sound.hops import Samples
from monitor.measure.sound_faults.excursions import Ints, Mask

CEILING: Final = 0.985  # of the largest of the last 80 ms: overshoots differ
SAME: Final = 0.003  # middles this close are at one level
BEYOND: Final = 1.03  # of the level: more than overshoots do
EXCURSIONS: Final = 3
AGAINST: Final = 2  # times the flat ones
WIDER: Final = 1.25  # the widest to the narrowest


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """What is known of one side of a channel, of the last 3 s before each of some flat tops.

    (tops, cells), newest last. ``levels``: of flat tops, else 0; ``round``: peaks of those wide
    enough and not flat, else 0; ``starts``: ticks from the cell's own; ``widths``: in samples.
    """

    peaks: Samples
    levels: Samples
    round: Samples
    starts: Samples
    widths: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipped:
    """Tops that are clipping: their places among those asked for, and those at one level with them.

    ``alike``: which cells hold one, the last its own; ``starts``, ``ends``: of those, in ticks from
    the newest cell's own. (tops, cells).
    """

    which: Ints
    alike: Mask
    starts: Samples
    ends: Samples


def clipped_tops(lately: Lately, cell_frames: int) -> Clipped:
    """Return which of the newest tops have enough at one level with them to be clipping."""
    level = lately.levels[:, -1:]
    beyond_since = np.logical_or.accumulate((lately.peaks > BEYOND * level)[:, ::-1], axis=1)
    alike = (np.abs(lately.levels - level) <= SAME * level) & ~beyond_since[:, ::-1]
    cells = np.arange(1 - lately.levels.shape[1], 1, dtype=np.float32)
    starts = cells * np.float32(cell_frames) + lately.starts
    ends = starts + lately.widths
    ends_before = np.maximum.accumulate(np.where(alike, ends, -np.inf)[:, :-1], axis=1)
    apart = alike.copy()  # one that lies in two cells is found twice
    apart[:, 1:] &= starts[:, 1:] >= ends_before
    since = np.logical_or.accumulate(alike, axis=1)
    against = np.count_nonzero(((lately.levels > 0) & ~alike) & since, axis=1)
    against += np.count_nonzero((lately.round >= CEILING * level) & since, axis=1)
    widest = np.where(alike, lately.widths, 0).max(axis=1)
    narrowest = np.where(alike, lately.widths, np.inf).min(axis=1)
    enough = (
        (np.count_nonzero(apart, axis=1) >= EXCURSIONS)
        & apart[:, -1]
        & (against <= AGAINST * np.count_nonzero(alike, axis=1))
        & (widest >= WIDER * narrowest)
    )
    return Clipped(
        which=np.flatnonzero(enough), alike=apart[enough], starts=starts[enough], ends=ends[enough]
    )
