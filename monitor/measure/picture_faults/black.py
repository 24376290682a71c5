"""Black pictures: nearly all pixels under a luma threshold.

Thresholds as FFmpeg's blackdetect has them by default: a pixel is black up to 10 % of the nominal
luma range (code 37 of 8 bits in limited range, BT.601 and BT.709 alike: 16 to 235; 25 in full
range), a picture when 98 % of its pixels are. Every fourth row is looked at (0.03 ms at 1080p).
An episode opens at the first black picture; how long is too long is the rule's business. Its words
say whether that picture is perfectly even, as without a signal, or not: a lens cap leaves noise.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View, nominal_range
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value, declare

PIXEL_BLACK = 0.10
PICTURE_BLACK = 0.98
EVEN_CODES = 2  # of 8 bits between the least and the greatest: what a coder's rounding adds
EVEN, UNEVEN = "perfectly even, as without a signal", "with noise, as under a lens cap or at night"

BLACK_RATIO = declare("black_ratio", "", "scalar", "last", "Share of black pixels, 0 to 1")
LUMA_MEAN = declare(
    "luma_mean", "", "scalar", "last", "Mean luma, 0 nominal black to 1 nominal white"
)


def black_code(bit_depth: int, full_range: bool) -> int:
    """Return the highest luma code that counts as black."""
    black, white = nominal_range(bit_depth, full_range)
    return int(black + PIXEL_BLACK * (white - black))


def black_ratio(rows: NDArray[Any], code: int) -> float:
    """Return the share of pixels with a code of at most ``code``."""
    if rows.size == 1:  # which OpenCV takes for a number, and refuses
        return float(rows[0, 0] <= code)
    limit = np.full(1, code, dtype=np.float64)
    return cv2.countNonZero(cv2.compare(rows, limit, cv2.CMP_LE)) / rows.size


def is_even(codes: NDArray[Any], bit_depth: int) -> bool:
    """Say whether all codes are one, but for rounding."""
    low, high, _, _ = cv2.minMaxLoc(codes)
    return bool(high - low <= EVEN_CODES << (bit_depth - 8))


def may_be_black(mean: float, code: int, bit_depth: int) -> bool:
    """Say whether a picture of this mean can be black; counting takes three times the mean."""
    return mean <= PICTURE_BLACK * code + (1 - PICTURE_BLACK) * ((1 << bit_depth) - 1)


def mean_luma(mean: float, bit_depth: int, full_range: bool) -> float:
    """Return the mean between nominal black (0) and white (1); beyond either is cut off."""
    black, white = nominal_range(bit_depth, full_range)
    return min(1.0, max(0.0, (mean - black) / (white - black)))


@viewer("black", detectors=("black",), sparse=True)
class Black:
    """Watches how much of each picture is black, and its mean luma."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.span = Span("black", "s")
        self.last: tuple[NDArray[Any], int] | None = None  # rows, and up to which code it is black
        self.luma = 0.0

    def see(self, view: View) -> None:
        """Take the next picture."""
        frame, rows = view.frame, view.rows
        code, mean = black_code(frame.bit_depth, frame.full_range), cv2.mean(rows)[0]
        self.last, self.luma = (rows, code), mean_luma(mean, frame.bit_depth, frame.full_range)
        dark = may_be_black(mean, code, frame.bit_depth)
        if not dark or black_ratio(rows, code) < PICTURE_BLACK:
            self._end(view.tick)
        elif not self.span.is_open:
            words = EVEN if is_even(view.rows, frame.bit_depth) else UNEVEN
            self.span.open(view.tick, view.duration / self.second, words)

    def _end(self, tick: int) -> None:
        if self.span.is_open:
            self.span.close(tick, (tick - self.span.start) / self.second)

    def drain(self) -> dict[str, Value]:
        """Return the last picture's values, if one came since the last drain."""
        last, self.last = self.last, None
        if last is None:
            return {}
        return {BLACK_RATIO.key: black_ratio(*last), LUMA_MEAN.key: self.luma}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close an open episode at the end of the last picture."""
        self._end(end)
