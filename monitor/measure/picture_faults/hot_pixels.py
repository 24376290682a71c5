"""Hot and dead pixels: single pixels that stand out wherever the camera looks.

Once a second the picture is compared with its own median of 3×3 pixels: what differs by much and
all alone stands out. A pixel counts when it does so in the same direction in all of the last
``LOOKS`` looks, while its surroundings have changed and were calm at least once: a spot on the wall
and a lamp far away stand out too, but move with the picture, and a dot of burnt-in text has its
strokes around it at all times. In a shot that does not change nothing is told until it does.
"""

from collections import deque
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.look import unmasked
from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.view import Codes, View, in_8_bits
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value, declare

EVERY_S: Final = 1.0
LOOKS: Final = 8
STANDS_OUT_CODES: Final = 24  # over its surroundings: sensor noise is 2 to 6 codes
LONELY_PIXELS: Final = 5  # the side of the square in which nothing else may stand out
CHANGED_CODES: Final = 12.0  # by which the surroundings must have changed over the looks
CALM_CODES: Final = 8.0  # deviation of the surroundings, in one look at least
RING_PIXELS: Final = 4  # how far around it the surroundings reach; text is 5 to 40 pixels high
NAMED_LIMIT: Final = 4
FOUND_LIMIT: Final = 1_000  # more of them are glitter, rain or a screen of dots

Places = NDArray[np.intp]

HOT = declare("hot_pixels", "pixels", "scalar", "last", "Single pixels that stand out everywhere")


def outstanding(codes: Codes) -> tuple[Places, Places]:
    """Return places, row and column, of pixels far brighter, and far darker, than around them."""
    middle = cv2.medianBlur(codes, 3)
    sides = (cv2.subtract(codes, middle), cv2.subtract(middle, codes))
    bright, dark = (_alone(np.asarray(side, np.uint8)) for side in sides)
    return bright, dark


def _alone(over: Codes) -> Places:
    found = cv2.threshold(over, STANDS_OUT_CODES - 1, 1, cv2.THRESH_BINARY)[1]
    if not 0 < cv2.countNonZero(found) <= FOUND_LIMIT:
        return np.zeros((0, 2), np.intp)
    places: Places = np.asarray(cv2.findNonZero(found), np.intp).reshape(-1, 2)[:, ::-1]
    reach = LONELY_PIXELS // 2
    apart = np.abs(places[:, None, :] - places[None, :, :]).max(axis=2)
    return np.asarray(places[(apart <= reach).sum(axis=1) == 1], np.intp)


class _Suspect:
    """A pixel that stands out: in how many looks, and how its surroundings have changed."""

    __slots__ = ("calmest", "darkest", "lightest", "looks", "missed", "side")

    def __init__(self, side: int, around: int, spread: float) -> None:
        self.side, self.looks, self.missed = side, 1, 0
        self.darkest = self.lightest = around
        self.calmest = spread

    def seen(self, around: int, spread: float) -> None:
        """Count one more look; a coder may hide it in one look out of four."""
        self.looks += 1
        self.missed = max(0, self.missed - 1)
        self.darkest, self.lightest = min(self.darkest, around), max(self.lightest, around)
        self.calmest = min(self.calmest, spread)

    @property
    def is_hot(self) -> bool:
        """Whether it stood out long enough, wherever the camera looked."""
        changed = self.lightest - self.darkest >= CHANGED_CODES
        return self.looks >= LOOKS and changed and self.calmest <= CALM_CODES


@viewer("hot_pixels", detectors=("hot_pixels",), every_s=EVERY_S)
class HotPixels:
    """Follows pixels that stand out from look to look."""

    def __init__(self, setup: Setup) -> None:
        self.masks = setup.look.masks
        self.span = Span("hot_pixels", "pixels")
        self.suspects: dict[tuple[int, int], _Suspect] = {}
        self.shape: tuple[int, ...] = ()
        self.looks: deque[None] = deque(maxlen=LOOKS)
        self.most = 0
        self.fresh = False

    def see(self, view: View) -> None:
        """Take the next look."""
        codes = np.ascontiguousarray(in_8_bits(view.luma, view.frame.bit_depth))
        if min(codes.shape) < LONELY_PIXELS:
            return
        if codes.shape != self.shape:
            self._end(view.tick)
            self.suspects.clear()
            self.looks.clear()
            self.shape = codes.shape
        self._follow(codes)
        self.looks.append(None)
        self.fresh = True
        hot = [place for place, suspect in self.suspects.items() if suspect.is_hot]
        self.most = max(self.most, len(hot)) if self.span.is_open else len(hot)
        if hot and not self.span.is_open:
            self._open(view.tick, sorted(hot))
        elif not hot:
            self._end(view.tick)

    def _follow(self, codes: Codes) -> None:
        seen = unmasked((codes.shape[0], codes.shape[1]), self.masks)
        found: dict[tuple[int, int], int] = {}
        for side, places in zip((1, -1), outstanding(codes), strict=True):
            found |= {(y, x): side for y, x in places.tolist() if seen[y, x]}
        for place, suspect in list(self.suspects.items()):
            if found.get(place) != suspect.side:
                suspect.missed += 2
                if suspect.missed > LOOKS // 2:
                    del self.suspects[place]
        for place, side in found.items():
            around = surroundings(codes, *place)
            known = self.suspects.get(place)
            if known is None:
                self.suspects[place] = _Suspect(side, *around)
            elif known.side == side:
                known.seen(*around)

    def _open(self, tick: int, hot: list[tuple[int, int]]) -> None:
        named = ", ".join(f"{x + 1}/{y + 1}" for y, x in hot[:NAMED_LIMIT])
        more = " …" if len(hot) > NAMED_LIMIT else ""
        height, width = self.shape
        y, x = hot[0]
        place = (x / width, y / height, (x + 1) / width, (y + 1) / height)
        self.span.open(tick, len(hot), f"column/row {named}{more}", place=place)

    def _end(self, tick: int) -> None:
        if self.span.is_open:
            self.span.close(tick, self.most)

    def drain(self) -> dict[str, Value]:
        """Return how many there are, once enough looks were had."""
        if not self.fresh or len(self.looks) < LOOKS:
            return {}
        self.fresh = False
        return {HOT.key: sum(suspect.is_hot for suspect in self.suspects.values())}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._end(end)


def surroundings(codes: Codes, y: int, x: int) -> tuple[int, float]:
    """Return the median and the standard deviation of what is around a pixel.

    What is next to the pixel is left out: a coder smears it by one.
    """
    top, left = max(0, y - RING_PIXELS), max(0, x - RING_PIXELS)
    square = codes[top : y + RING_PIXELS + 1, left : x + RING_PIXELS + 1]
    ring = np.ones(square.shape, bool)
    ring[max(0, y - top - 1) : y - top + 2, max(0, x - left - 1) : x - left + 2] = False
    around = square[ring]
    return int(np.median(around)), float(np.std(around))
