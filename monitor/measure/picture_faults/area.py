"""A fault that covers an area: how much of the picture, where, and the episode it is too much."""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.look import Rectangle
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.view import Codes, View

RELEASE: Final = 0.8  # of the limit under which it is over: an area at the limit breathes
PLACE_SHARE: Final = 0.25  # a row or column belongs to the place with so much of the fullest one


def place_of(found: NDArray[np.uint8]) -> Rectangle | None:
    """Return where most of what is not 0 lies, as shares of width and height; None: nowhere."""
    if not cv2.countNonZero(found):
        return None
    sides = [_extent(cv2.reduce(found, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S)) for axis in (0, 1)]
    (left, right), (top, bottom) = sides
    return left, top, right, bottom


def _extent(sums: NDArray[Any]) -> tuple[float, float]:
    along = sums.ravel()
    inside = np.flatnonzero(along >= PLACE_SHARE * along.max())
    return float(inside[0]) / along.size, float(inside[-1] + 1) / along.size


class Area:
    """How much of the picture, and the episode while it is too much."""

    def __init__(self, detector: str, limit: float) -> None:
        self.span = Span(detector, "%")
        self.limit = limit
        self.share = self.worst = 0.0

    def judge(self, view: View, found: Codes, seen: int) -> None:
        """Take the next picture's pixels: those that are not 0, of ``seen`` that are judged."""
        self.share = cv2.countNonZero(found) / max(1, seen)
        self.worst = max(self.worst, self.share) if self.span.is_open else self.share
        if not self.span.is_open and self.share >= self.limit:
            self.span.open(view.tick, percent(self.share), place=place_of(found))
        elif self.share < RELEASE * self.limit:
            self.end(view.tick)

    def end(self, tick: int) -> None:
        """Close an open episode."""
        if self.span.is_open:
            self.span.close(tick, percent(self.worst))


def percent(share: float) -> float:
    """Return a share in percent, to a tenth."""
    return round(100 * share, 1)
