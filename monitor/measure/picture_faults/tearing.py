"""Tearing: a picture of which one part, above or below a line, has not moved on.

The mean difference of rows to the picture before is compared with what the same rows usually
change by. In a torn picture the rows on one side of a line change as usual, while those on the
other, which moved in the pictures before and move again in the one after, are as they were. What
stands still anyway (a table under an actor) has no usual change and says nothing.
"""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Bursts
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value, declare

BANDS: Final = 24  # rows are judged in so many bands: a tear is found to 4 % of the height
PAST: Final = 4  # pictures that say what a band usually changes by
MOVES_CODES: Final = 1.0  # least usual change of a band that can be missed
HELD_PART: Final = 0.12  # of its usual change: what the coder leaves where nothing moved,
HELD_CODES: Final = 0.4  # or this little
MOVED_PART: Final = 0.5  # of its usual change at least, on the other side and right afterwards
STRAY_PART: Final = 0.1  # of the bands may be on the wrong side, and the one the line cuts through
SIDE_BANDS: Final = 2  # a tear nearer to the edge shows nothing anybody would see

TORN = declare("frames_torn", "frames", "scalar", "sum", "Pictures of which a part did not move on")


@lru_cache(maxsize=8)
def band_edges(rows: int) -> tuple[int, ...]:
    """Return where each band begins, and where the last one ends."""
    return tuple(int(edge) for edge in np.linspace(0, rows, BANDS + 1))


def usual_changes(before: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the median of each band's changes: numpy's own takes as long as all bands' changes."""
    ordered = np.sort(before, axis=0)
    return np.asarray((ordered[(PAST - 1) // 2] + ordered[PAST // 2]) / 2, np.float64)


def band_changes(view: View) -> NDArray[np.float64] | None:
    """Return each band's mean absolute difference to the picture before, codes of 8 bits."""
    if view.before is None or view.rows.shape[0] < BANDS:
        return None
    now, last = view.rows, view.before.rows
    edges = band_edges(len(now))
    sums = [cv2.norm(now[a:b], last[a:b], cv2.NORM_L1) for a, b in pairwise(edges)]
    codes = np.diff(edges) * now.shape[1] * (1 << (view.frame.bit_depth - 8))
    return np.asarray(np.array(sums) / codes, np.float64)


def torn_at(
    usual: NDArray[np.float64], now: NDArray[np.float64], after: NDArray[np.float64]
) -> tuple[int, int] | None:
    """Return the bands, first and one past the last, that did not move on; None: it is whole.

    ``usual``, ``now`` and ``after``: changes of each band before, in, and after the picture. Of
    all lines that part what stood from what moved, the one with most bands on their right side.
    """
    able = usual >= MOVES_CODES
    held = able & (now <= np.maximum(HELD_PART * usual, HELD_CODES)) & (after >= MOVED_PART * usual)
    moved = able & (now >= MOVED_PART * usual)
    if min(held.sum(), moved.sum()) < SIDE_BANDS:
        return None
    gain = np.concatenate([[0], np.cumsum(moved.astype(int) - held)])  # moved above, held below
    below, above = int(np.argmax(gain)), int(np.argmin(gain))
    first, last = (below, BANDS) if gain[below] - gain[-1] >= -gain[above] else (0, above)
    inside = np.zeros(BANDS, bool)
    inside[first:last] = True
    stood, went = able & inside, able & ~inside
    if min(stood.sum(), went.sum()) < SIDE_BANDS:
        return None
    wrong = (stood & ~held).sum() + (went & ~moved).sum()
    return (first, last) if wrong <= 1 + able.sum() * STRAY_PART else None


def is_habit(
    usual: NDArray[np.float64], before: list[NDArray[np.float64]], found: tuple[int, int]
) -> bool:
    """Say whether that part stood for a picture lately too, at the same line: a screen on the set.

    Tears that follow each other lie at other lines: the picture rolls against its link.
    """
    part = slice(*found)
    able = usual[part] >= MOVES_CODES
    for now, after in pairwise(before):
        if np.median(now[part][able] / usual[part][able]) > HELD_PART:
            continue
        other = torn_at(usual, now, after)
        if other is None or max(abs(other[0] - found[0]), abs(other[1] - found[1])) <= 1:
            return True
    return False


@viewer("tearing", detectors=("tearing",))
class Tearing:
    """Judges each picture when the next one is there."""

    def __init__(self, setup: Setup) -> None:
        self.bursts = Bursts("tearing", "frames", second_ticks(setup.stream), "torn: frame")
        self.past: deque[NDArray[np.float64]] = deque(maxlen=PAST + 2)
        self.waiting: tuple[int, int] | None = None  # tick and number of the picture to be judged
        self.torn = 0
        self.fresh = False

    def see(self, view: View) -> None:
        """Take the next picture."""
        self.fresh = True
        changes = band_changes(view)
        if changes is None:
            self.past.clear()
            self.waiting = None
            return
        self.past.append(changes)
        if self.waiting is not None and len(self.past) == PAST + 2:
            self._judge(*self.waiting, view.tick)
        self.waiting = (view.tick, view.number)
        self.bursts.quiet(view.tick)

    def _judge(self, tick: int, number: int, end: int) -> None:
        *before, now, after = self.past
        usual = usual_changes(before)
        found = torn_at(usual, now, after)
        if found is not None and not is_habit(usual, before, found):
            self.torn += 1
            self.bursts.fault(tick, end, 1, str(number), (0, found[0] / BANDS, 1, found[1] / BANDS))

    def drain(self) -> dict[str, Value]:
        """Return how many were torn since the last drain, if a picture came."""
        if not self.fresh:
            return {}
        torn, self.torn, self.fresh = self.torn, 0, False
        return {TORN.key: torn}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.bursts.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open; the last picture is not judged, for nothing comes after it."""
        self.bursts.close()
