"""EBU R 103: the share of the picture whose R, G, B or Y lies outside 5 to 246 (8 bits).

R 103 (v3.0, 2020) asks for R, G and B and luma within −5 to 105 %, codes 5 to 246 of 8 bits and 20
to 984 of 10, over all but 1 % of the active area, after a light low-pass. Here means of 2×2 pixels
are that low-pass; of those every second row is judged. Only files are: R 103 binds deliveries, and
what a feed's encoder makes of the camera's levels is not the recording's.
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.look import unmasked
from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.view import Codes, View, halved, in_8_bits
from monitor.measure.picture.viewer import viewer
from monitor.measure.picture_faults.area import Area
from monitor.metrics import Value, declare

EVERY_S: Final = 0.5
LOWEST, HIGHEST = 5, 246
AREA_LIMIT: Final = 0.01
FAR_STEP: Final = 2  # of the rows of the half picture one in so many is judged
HD_ROWS: Final = 720  # undeclared: BT.709 from here on, BT.601 below, as players take it
KR_KB: Final = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114), "bt2020": (0.2627, 0.0593)}
NAMES: Final = {"smpte170m": "bt601", "bt470bg": "bt601", "bt2020nc": "bt2020", "bt2020c": "bt2020"}

ILLEGAL = declare(
    "illegal_area", "", "scalar", "max", "Share of the picture outside EBU R 103's levels"
)


def to_rgby(matrix: str, *, full_range: bool) -> NDArray[np.float64]:
    """Return the 4×4 matrix from Y, Cb, Cr and 1 to R, G, B and Y in limited range, all in 8 bits.

    ITU-R BT.709-6, 3.2 to 3.5 and the like: Y and RGB span 219 codes from 16, Cb and Cr 224
    around 128; in full range all span 255.
    """
    kr, kb = KR_KB[matrix]
    kg = 1 - kr - kb
    luma, chroma, black = (219 / 255, 219 / 255, 0.0) if full_range else (1.0, 219 / 224, 16.0)
    red, blue = 2 * (1 - kr) * chroma, 2 * (1 - kb) * chroma
    columns = np.array(
        [
            [luma, 0.0, red],
            [luma, -blue * kb / kg, -red * kr / kg],
            [luma, blue, 0.0],
            [luma, 0.0, 0.0],
        ]
    )
    offset = 16.0 - columns @ np.array([black, 128.0, 128.0])
    offset[3] = 16.0 - luma * black
    return np.column_stack([columns, offset])


def matrix_of(declared: str | None, rows: int) -> str:
    """Return which matrix a picture is coded with, by what it declares, else by its size."""
    name = NAMES.get(declared or "", declared or "")
    if name in KR_KB:
        return name
    return "bt709" if rows >= HD_ROWS else "bt601"


def small_planes(view: View) -> tuple[Codes, Codes, Codes] | None:
    """Return Y, Cb and Cr of one shape, means of 2×2 pixels, every second row; None: no colour."""
    if len(view.frame.planes) < 2:
        return None
    luma = view.half[::FAR_STEP]
    blue, red = (_fitted(plane, view, luma.shape) for plane in view.frame.planes[:2])
    return (luma, blue, red) if blue.shape == red.shape == luma.shape else None


def _fitted(plane: NDArray[Any], view: View, shape: tuple[int, ...]) -> Codes:
    """Halve what chroma has too many of against the half picture, and take the same rows."""
    height, width = view.half.shape
    if plane.shape[0] > height and plane.shape[1] > width:
        plane = halved(plane)
    elif plane.shape[1] > width:
        plane = plane[:, : 2 * width : 2]
    elif plane.shape[0] > height:
        plane = plane[::2]
    codes = in_8_bits(plane, view.frame.bit_depth)[:height:FAR_STEP, :width]
    if codes.shape == shape:
        return codes
    size = (shape[1], shape[0])  # 4:1:1 and its kin
    return np.asarray(cv2.resize(np.ascontiguousarray(codes), size), np.uint8).reshape(shape)


def outside(planes: tuple[Codes, Codes, Codes], matrix: NDArray[np.float64]) -> Codes:
    """Return 255 where R, G, B or Y is outside the range, else 0; of the planes' shape.

    One plane after the other: a third of what four interleaved ones take.
    """
    luma, blue, red = (np.ascontiguousarray(plane) for plane in planes)
    bright = luma.astype(np.float32)
    inside = np.full(luma.shape, 255, np.uint8)
    for from_luma, from_blue, from_red, offset in matrix.tolist():
        colour = cv2.addWeighted(blue, from_blue, red, from_red, offset, dtype=cv2.CV_32F)
        level = cv2.scaleAdd(bright, from_luma, colour.reshape(luma.shape))
        legal = cv2.inRange(level, LOWEST - 0.5, HIGHEST + 0.5)
        inside &= np.asarray(legal, np.uint8).reshape(luma.shape)
    return np.asarray(cv2.bitwise_not(inside), np.uint8).reshape(luma.shape)


@viewer("legal_range", detectors=("legal_range",), every_s=EVERY_S, sparse=True)
class LegalRange:
    """Watches a file's levels."""

    def __init__(self, setup: Setup) -> None:
        self.look, self.live = setup.look, setup.live
        self.area = Area("legal_range", setup.limit("illegal_area", AREA_LIMIT))
        self.most: float | None = None

    def see(self, view: View) -> None:
        """Take the next picture; grey ones and feeds are not judged."""
        planes = None if self.live else small_planes(view)
        if planes is None:
            return
        frame = view.frame
        matrix = matrix_of(frame.coding.colour_matrix, frame.height_px)
        found = outside(planes, to_rgby(matrix, full_range=frame.full_range))
        seen = unmasked((found.shape[0], found.shape[1]), self.look.masks)
        self.area.judge(view, found & seen, cv2.countNonZero(seen))
        self.most = max(self.most or 0.0, self.area.share)

    def drain(self) -> dict[str, Value]:
        """Return the greatest share since the last drain, if a picture was judged."""
        most, self.most = self.most, None
        return {} if most is None else {ILLEGAL.key: round(most, 5)}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.area.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self.area.end(end)
