"""Over- and under-exposure: the share of the picture that is clipped, and that is crushed.

Counted on the picture at a quarter of its size: means of 4×4 pixels, so that noise and glints are
not counted. A pixel is clipped from the look's clip level on (an operator's zebra; 1 is nominal
white) and crushed up to its crush level. Windows, lamps and night are normal: how much is too much
is the spec's and the rule's business, and a black picture is told as black.
"""

from math import ceil, floor
from typing import Final

import cv2
import numpy as np

from monitor.measure.look import unmasked
from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import Codes, View, nominal_range
from monitor.measure.picture.viewer import viewer
from monitor.measure.picture_faults.area import Area
from monitor.measure.picture_faults.black import PICTURE_BLACK
from monitor.metrics import Value, declare

EVERY_S: Final = 0.2
CLIPPED_LIMIT: Final = 0.10
CRUSHED_LIMIT: Final = 0.70

CLIPPED = declare("clipped_area", "", "scalar", "last", "Share of the picture that is clipped")
CRUSHED = declare("crushed_area", "", "scalar", "last", "Share of the picture that is crushed")


def code_at(level: float, full_range: bool) -> float:
    """Return the code of 8 bits of a level, 0 nominal black to 1 nominal white."""
    black, white = nominal_range(8, full_range)
    return black + level * (white - black)


def at_least(codes: Codes, code: float) -> Codes:
    """Return 255 where a code of 8 bits is at least ``code``, else 0; the same shape."""
    found = cv2.threshold(codes, ceil(code) - 1, 255, cv2.THRESH_BINARY)[1]
    return np.asarray(found, np.uint8)


def at_most(codes: Codes, code: float) -> Codes:
    """Return 255 where a code of 8 bits is at most ``code``, else 0; the same shape."""
    found = cv2.threshold(codes, floor(code), 255, cv2.THRESH_BINARY_INV)[1]
    return np.asarray(found, np.uint8)


@viewer("exposure", detectors=("overexposed", "underexposed"), every_s=EVERY_S, sparse=True)
class Exposure:
    """Watches both ends of the scale."""

    def __init__(self, setup: Setup) -> None:
        self.look = setup.look
        self.second = second_ticks(setup.stream)
        self.over = Area("overexposed", setup.limit("overexposed_area", CLIPPED_LIMIT))
        self.under = Area("underexposed", setup.limit("underexposed_area", CRUSHED_LIMIT))
        self.fresh = False

    def see(self, view: View) -> None:
        """Take the next picture."""
        small, full = view.quarter, view.frame.full_range
        seen = unmasked((small.shape[0], small.shape[1]), self.look.masks)
        counted = cv2.countNonZero(seen)
        bright = at_least(small, code_at(self.look.clip, full)) & seen
        dark = at_most(small, code_at(self.look.crush, full)) & seen
        self.over.judge(view, bright, counted)
        if cv2.countNonZero(dark) < PICTURE_BLACK * counted:
            self.under.judge(view, dark, counted)
        else:
            self.under.share = 1.0
            self.under.end(view.tick)
        self.fresh = True

    def drain(self) -> dict[str, Value]:
        """Return both shares, if a picture was looked at since the last drain."""
        if not self.fresh:
            return {}
        self.fresh = False
        return {CLIPPED.key: round(self.over.share, 4), CRUSHED.key: round(self.under.share, 4)}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.over.span.take() + self.under.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self.over.end(end)
        self.under.end(end)
