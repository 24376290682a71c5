"""The patch in the middle of the picture: its luma and colour, for a grey card and for matching.

Where the card is held, and what two cameras that look at one thing are compared by. Y' is 0 at
nominal black and 1 at nominal white; Cb and Cr are -0.5 to 0.5 and 0 for grey (BT.709, 3.2 to 3.4).
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.view import View, nominal_range
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value, declare

EVERY_S: Final = 0.2
SHARE: Final = 0.125  # of the picture's width and height: a grey card an arm's length away fills it
DIGITS: Final = 4

LUMA = declare("centre_luma", "", "scalar", "last", "Y' in the middle of the picture, 0 to 1")
BLUE = declare("centre_cb", "", "scalar", "last", "Cb in the middle of the picture; 0 is grey")
RED = declare("centre_cr", "", "scalar", "last", "Cr in the middle of the picture; 0 is grey")


def centre_mean(plane: NDArray[Any]) -> float:
    """Return the mean code of the patch in the middle of a plane, of one sample at least."""
    down, across = (_middle(size) for size in plane.shape)
    return float(cv2.mean(np.ascontiguousarray(plane[down, across]))[0])


def _middle(size: int) -> slice:
    side = max(1, round(SHARE * size))
    first = (size - side) // 2
    return slice(first, first + side)


@viewer("centre", every_s=EVERY_S, sparse=True)
class Centre:
    """Reads the patch of each picture it is shown."""

    def __init__(self, setup: Setup) -> None:
        self.values: dict[str, Value] = {}

    def see(self, view: View) -> None:
        """Take the next picture."""
        frame = view.frame
        black, white = nominal_range(frame.bit_depth, frame.full_range)
        luma = (centre_mean(view.luma) - black) / (white - black)
        self.values = {LUMA.key: round(luma, DIGITS), BLUE.key: None, RED.key: None}
        if len(frame.planes) >= 2:
            grey, one = 1 << (frame.bit_depth - 1), 1 << (frame.bit_depth - 8)
            span = 255 * one if frame.full_range else 224 * one
            for key, plane in zip((BLUE.key, RED.key), frame.planes[:2], strict=True):
                self.values[key] = round((centre_mean(plane) - grey) / span, DIGITS)

    def drain(self) -> dict[str, Value]:
        """Return the patch, if a picture was looked at since."""
        values, self.values = self.values, {}
        return values

    def events(self) -> list[Detection]:
        """Return nothing: no rule judges a patch."""
        return []

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Nothing is open."""
