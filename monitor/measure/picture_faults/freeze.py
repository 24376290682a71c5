"""Freeze: a picture that stands still, told from a still shot by the feed's own restlessness.

The difference of a picture to the one before (mean of absolute luma differences, in codes of 8
bits) falls to nothing when a picture is held, but only before the coder: an encoder goes on to
refine what it shows, for up to half a second, and draws it anew with each key frame. What a coder
never does is move anything. So a *hold* is a run of pictures in which no block of 16×16 changes by
more than refinement does, and it is a freeze when

* it began abruptly, from ordinary motion: what comes to rest slows down, a cut jumps first;
* and it ends with a jump larger than the usual motion: the scene went on behind the held picture.

While it lasts it is one as soon as every picture of it is far under the least that the feed shows
while it lives, where sensor noise keeps a still shot; one that was refined first needs
``NATURAL_S``, for a coder of a low rate takes a still shot's noise away too.

Feeds of a low bit rate repeat pictures exactly by nature: those are frozen only after
``NATURAL_S``. A feed of which nothing is known is frozen after ``UNKNOWN_S`` of exactly equal
pictures. A flat picture (black, a lens cap) says nothing about freezing. See docs/decisions/0022.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View, mean_difference
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value

FREEZE_FRAMES: Final = 10
FREEZE_S: Final = 0.5  # the rule's on-delay decides; a shorter hold is within any coder's habits
UNKNOWN_S: Final = 2.0
NATURAL_S: Final = 10.0  # longer than the usual distance of key frames, which redraw the picture
NATURAL_SHARE: Final = 0.2  # of exactly equal pictures lately that makes repeats natural,
NATURAL_CODES: Final = 0.1  # or this little change: one pixel in ten, by one code
HISTORY_FRAMES: Final = 50  # that are remembered of a feed, and
KNOWN_FRAMES: Final = 25  # that must be known of it
BLOCK: Final = (4, 16)  # of counted rows, and columns: 16 pixels square
FINEST: Final = 32.0  # codes of a block's change that 255 stand for
HELD_CODES: Final = 1.5  # of the block that changes most: what refinement reaches,
HELD_PART: Final = 0.5  # or this part of what it usually is: where the usual is large, so are steps
KEY_CODES: Final = 3.0  # the same of a key frame, which draws everything anew
BEGIN_PART: Final = 0.8  # of the usual difference, at most, to begin with
ABRUPT_FRAMES: Final = 3
ABRUPT_PART: Final = 0.65  # of the difference just before, or
ABRUPT_BLOCK_PART: Final = 0.5  # of the block that changes most: what is left at once
CUT_PART: Final = 3.0  # of the usual difference just before: that was a cut, not motion
DEAD_PART: Final = 0.1  # of the floor: nothing at all
SETTLED_FRAMES: Final = 6  # the newest of a hold
SETTLED_PART: Final = 0.15  # of the feed's floor; that of a still shot is about 1,
SETTLED_CODES: Final = 0.25  # nor more than this: after a fast pan a sensor's noise is little too
RESTLESS_PART: Final = 0.5  # of the floor, the largest of them
JUMP_PART: Final = 1.5  # of the usual difference: the end of a freeze
BEFORE_JUMP_PART: Final = 0.5  # of the floor, before a jump, nor more than
BEFORE_JUMP_CODES: Final = 0.6  # this: a converter's noise may be left, a sensor's may not
FLASH_PART: Final = 0.7  # of the jump: a flash jumps back with the next picture
FLOOR_QUANTILE: Final = 0.1
FLAT_CODES: Final = 8  # of 8 bits between the darkest and the brightest pixel of a flat picture


def is_flat(luma: NDArray[Any], bit_depth: int) -> bool:
    """Say whether the picture has nothing in it that could move."""
    low, high, _, _ = cv2.minMaxLoc(luma)
    return bool(high - low <= FLAT_CODES << (bit_depth - 8))


class BlockChanges:
    """Finds the block that changes most; its memory is used over and over (0.1 ms at 1080p)."""

    def __init__(self) -> None:
        self._apart: NDArray[Any] = np.empty((0, 0), np.uint8)
        self._fine: NDArray[np.uint8] = np.empty((0, 0), np.uint8)

    def largest(self, view: View) -> float:
        """Return the mean difference of the block that changed most, in codes of 8 bits.

        Of every fourth row: 64 pixels a block; up to ``FINEST`` codes, to 1/8 of a code.
        ``view.before`` must be there. A picture smaller than a block is one.
        """
        assert view.before is not None
        now, last = view.rows, view.before.rows
        rows, columns = (side // step * step for side, step in zip(now.shape, BLOCK, strict=True))
        if not rows or not columns:
            return mean_difference(now, last, view.frame.bit_depth)
        if self._apart.shape != now.shape or self._apart.dtype != now.dtype:
            self._apart, self._fine = np.empty_like(now), np.empty(now.shape, np.uint8)
        cv2.absdiff(now, last, dst=self._apart)
        scale = 255 / FINEST / (1 << (view.frame.bit_depth - 8))
        means: NDArray[Any] = cv2.convertScaleAbs(self._apart, dst=self._fine, alpha=scale)
        means = means[:rows, :columns]
        while means.shape[1] > columns // BLOCK[1]:  # by two at a time, which is quick
            size = (means.shape[1] // 2, max(means.shape[0] // 2, rows // BLOCK[0]))
            means = cv2.resize(means, size, interpolation=cv2.INTER_AREA)
        return float(cv2.minMaxLoc(means)[1]) * FINEST / 255


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture differs from the one before: on the mean and at most, in codes of 8 bits."""

    difference: float
    block: float
    key: bool


@dataclass(frozen=True, slots=True)
class Usual:
    """What a feed's differences were lately: its floor and middle, and the largest block's."""

    floor: float
    middle: float
    block: float
    newest: tuple[Look, ...]
    intra: bool
    """Whether every picture is a key frame, so that these say nothing special."""

    def holds(self, look: Look) -> bool:
        """Say whether nothing moves in a picture."""
        if look.key and not self.intra:
            return look.block <= max(KEY_CODES, HELD_PART * self.block)
        return look.difference <= self.middle and look.block <= max(
            HELD_CODES, HELD_PART * self.block
        )

    def begins(self, look: Look) -> bool:
        """Say whether a picture may be the first of a hold."""
        calm = look.difference <= BEGIN_PART * self.middle
        return calm and self.holds(look) and (self.intra or not look.key)


def usual_of(history: Sequence[Look]) -> Usual | None:
    """Return what is usual, or None where too little is known, or pictures repeat by nature."""
    counted = [look for look in history if not look.key]
    intra = len(counted) < len(history) / 2
    counted = list(history) if intra else counted
    moving = [look.difference for look in counted if look.difference > 0]
    if len(history) < KNOWN_FRAMES or len(moving) < (1 - NATURAL_SHARE) * len(counted):
        return None
    middle = median(moving)
    if middle < NATURAL_CODES:
        return None
    return Usual(
        floor=float(np.quantile(moving, FLOOR_QUANTILE)),
        middle=middle,
        block=median(look.block for look in counted),
        newest=tuple(counted[-ABRUPT_FRAMES:]),
        intra=intra,
    )


@dataclass(slots=True)
class Hold:
    """A run of pictures in which nothing moves. ``usual`` is None where only equal ones count."""

    start: int
    usual: Usual | None
    needed_s: float
    looks: deque[Look] = field(default_factory=lambda: deque[Look](maxlen=HISTORY_FRAMES))
    first: list[Look] = field(default_factory=list[Look])
    count: int = 0
    flat: bool = False
    is_dead: bool = True
    """Whether every picture of it is far under the feed's floor: nothing was even refined."""

    def goes_on(self, look: Look) -> bool:
        """Say whether a picture belongs to it."""
        return look.difference == 0 if self.usual is None else self.usual.holds(look)

    def take(self, look: Look) -> None:
        """Add a picture."""
        self.count += 1
        self.looks.append(look)
        if self.usual is not None:
            self.is_dead &= look.difference <= min(DEAD_PART * self.usual.floor, SETTLED_CODES)
        if len(self.first) < ABRUPT_FRAMES and self._counts(look):
            self.first.append(look)

    def _counts(self, look: Look) -> bool:
        return self.usual is None or self.usual.intra or not look.key

    def _newest(self) -> list[float]:
        counted = [look.difference for look in self.looks if self._counts(look)]
        return counted[-SETTLED_FRAMES:] or [look.difference for look in self.looks]

    def lasts(self, lasted_s: float) -> bool:
        """Say whether it is a freeze by itself, without a jump, after it has lasted so long."""
        if self.is_dead:
            return lasted_s >= self.needed_s
        return lasted_s >= NATURAL_S and self.is_settled

    @property
    def is_settled(self) -> bool:
        """Whether its pictures have become far stiller than the feed is while it lives."""
        if self.usual is None:
            return True
        newest = self._newest()
        low = median(newest) <= min(SETTLED_PART * self.usual.floor, SETTLED_CODES)
        return low and max(newest) <= RESTLESS_PART * self.usual.floor and self.is_abrupt

    @property
    def is_abrupt(self) -> bool:
        """Whether ordinary motion stood still from one picture to the next."""
        if self.usual is None or not self.first:
            return False
        before = self.usual.newest
        if max(look.difference for look in before[-2:]) > CUT_PART * self.usual.middle:
            return False
        return _mean(self.first) <= ABRUPT_PART * _mean(before) or _mean_block(
            self.first
        ) <= ABRUPT_BLOCK_PART * _mean_block(before)

    def jumps(self, look: Look) -> bool:
        """Say whether a picture that ends it shows that the scene went on behind it."""
        if self.usual is None or not self.is_abrupt:
            return False
        left = median(self._newest())
        quiet = left <= min(BEFORE_JUMP_PART * self.usual.floor, BEFORE_JUMP_CODES)
        return quiet and look.difference >= JUMP_PART * self.usual.middle


def _mean(looks: Sequence[Look]) -> float:
    return fmean(look.difference for look in looks)


def _mean_block(looks: Sequence[Look]) -> float:
    return fmean(look.block for look in looks)


@viewer("freeze", detectors=("freeze",))
class Freeze:
    """Follows holds, and tells those that are freezes."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.span = Span("freeze", "s")
        self.blocks = BlockChanges()
        self.history: deque[Look] = deque(maxlen=HISTORY_FRAMES)
        self.hold: Hold | None = None
        self.jumped: tuple[Hold, int, Look] | None = None
        """A hold that ended with a jump at this tick, to be told unless it jumps back."""

    def see(self, view: View) -> None:
        """Take the next picture."""
        if view.before is None or view.difference is None:
            self._end(view.tick, None)
            self.jumped = None
            return
        look = Look(view.difference, self.blocks.largest(view), view.frame.key)
        self._tell_jumped(look)
        if self.hold is not None and not self.hold.goes_on(look):
            self._end(view.tick, look)
        if self.hold is None:
            self.hold = self._begun(view.tick, look)
        if self.hold is None:
            self.history.append(look)
            return
        self.hold.take(look)
        if self.hold.count == FREEZE_FRAMES:
            self.hold.flat = is_flat(view.luma, view.frame.bit_depth)
        end = view.tick + view.duration
        lasted_s = self._lasted_s(self.hold, end)
        if not self.span.is_open and self._is_long(self.hold, end) and self.hold.lasts(lasted_s):
            self.span.open(self.hold.start, lasted_s)

    def _begun(self, tick: int, look: Look) -> Hold | None:
        usual = usual_of(self.history)
        if usual is not None:
            return Hold(tick, usual, FREEZE_S) if usual.begins(look) else None
        natural = len(self.history) == HISTORY_FRAMES
        return (
            Hold(tick, None, NATURAL_S if natural else UNKNOWN_S) if not look.difference else None
        )

    def _lasted_s(self, hold: Hold, end: int) -> float:
        return (end - hold.start) / self.second

    def _is_long(self, hold: Hold, end: int) -> bool:
        lasted = hold.count >= FREEZE_FRAMES and self._lasted_s(hold, end) >= hold.needed_s
        return lasted and not hold.flat

    def _end(self, tick: int, look: Look | None) -> None:
        """End the hold, if any, before ``tick``; ``look`` is of the picture that ended it."""
        hold, self.hold = self.hold, None
        if hold is None:
            return
        if self.span.is_open:
            self.span.close(tick, self._lasted_s(hold, tick))
            return
        if look is not None and self._is_long(hold, tick) and hold.jumps(look):
            self.jumped = (hold, tick, look)
            return
        self.history.extend(hold.looks)  # stillness that was no freeze is the feed's nature

    def _tell_jumped(self, look: Look) -> None:
        if self.jumped is None:
            return
        (hold, tick, jump), self.jumped = self.jumped, None
        if look.difference > FLASH_PART * jump.difference:
            self.history.extend(hold.looks)
            return
        lasted_s = self._lasted_s(hold, tick)
        self.span.open(hold.start, lasted_s)
        self.span.close(tick, lasted_s)

    def drain(self) -> dict[str, Value]:
        """Measure nothing: motion is the metric of ``stillness``."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._end(end, None)
        self.jumped = None
