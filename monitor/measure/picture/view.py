"""One picture as its viewers share it: what several want is worked out once, when asked for.

Small pictures come from halving by area, one from the other: three halvings of 1080p cost 0.3 ms
where a quarter made at once costs 1.4 ms. All of them are in codes of 8 bits, whatever the
picture's depth.
"""

from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.source import Frame

ROW_STEP: Final = 4
"""Of the rows one in so many is counted: enough of them for shares of area (0.03 ms at 1080p)."""

Codes = NDArray[np.uint8]


def nominal_range(bit_depth: int, full_range: bool) -> tuple[int, int]:
    """Return the codes of nominal black and white (BT.709: 16 and 235 in 8 bits)."""
    if full_range:
        return 0, (1 << bit_depth) - 1
    return 16 << (bit_depth - 8), 235 << (bit_depth - 8)


def mean_difference(one: NDArray[Any], two: NDArray[Any], bit_depth: int) -> float:
    """Return the mean absolute difference in codes of 8 bits; shapes and types must be equal."""
    return float(cv2.norm(one, two, cv2.NORM_L1)) / one.size / (1 << (bit_depth - 8))


def in_8_bits(codes: NDArray[Any], bit_depth: int) -> Codes:
    """Return codes of any depth in codes of 8 bits, rounded down; those of 8 bits as they are."""
    if codes.dtype == np.uint8:
        return codes
    return (codes >> (bit_depth - 8)).astype(np.uint8)


def halved(codes: NDArray[Any]) -> NDArray[Any]:
    """Return the picture at half its size, means of 2×2 pixels; a side of 1 stays 1."""
    height, width = codes.shape
    size = (max(1, width // 2), max(1, height // 2))
    if size[0] * size[1] == 1:  # which OpenCV gives back with other dimensions
        return np.full((1, 1), codes.mean(), codes.dtype)
    return cv2.resize(codes, size, interpolation=cv2.INTER_AREA)


class View:
    """A picture, when it is, and the one before it.

    ``tick``: its stamp, or a counted one. ``number``: pictures of this stream before it.
    ``duration``: the declared length of a picture in ticks. ``before``: the picture before it, of
    the same size and type and with nothing known to be lost between; else None. Its full picture
    and all that was worked out of it can be used, but not its own ``before``.
    """

    def __init__(
        self, frame: Frame, *, tick: int, number: int, duration: int, before: "View | None"
    ) -> None:
        self.frame = frame
        self.tick, self.number, self.duration = tick, number, duration
        self.before = before

    @property
    def luma(self) -> NDArray[Any]:
        """All pixels, (height, width), in codes of ``frame.bit_depth`` bits."""
        return self.frame.luma

    @cached_property
    def rows(self) -> NDArray[Any]:
        """Every fourth row, contiguous, in codes of ``frame.bit_depth`` bits; a copy that stays."""
        return np.array(self.luma[::ROW_STEP], order="C")

    @cached_property
    def histogram(self) -> NDArray[np.int64]:
        """How many pixels of ``rows`` have each code of 8 bits, (256,)."""
        codes = in_8_bits(self.rows, self.frame.bit_depth)
        counts = cv2.calcHist([codes.reshape(1, -1)], [0], None, [256], [0, 256])
        return counts.reshape(256).astype(np.int64)

    @cached_property
    def half(self) -> Codes:
        """The picture at half its size."""
        return in_8_bits(halved(self.luma), self.frame.bit_depth)

    @cached_property
    def quarter(self) -> Codes:
        """The picture at a quarter of its size."""
        return halved(self.half)

    @cached_property
    def eighth(self) -> Codes:
        """The picture at an eighth of its size."""
        return halved(self.quarter)

    @cached_property
    def difference(self) -> float | None:
        """Mean absolute difference to the picture before, in codes of 8 bits (0.15 ms at 1080p)."""
        if self.before is None:
            return None
        return mean_difference(self.before.luma, self.luma, self.frame.bit_depth)

    @cached_property
    def chroma_means(self) -> tuple[float, float] | None:
        """Means of Cb and Cr in codes of 8 bits, of every fourth row; None without colour."""
        if len(self.frame.planes) < 2:
            return None
        part = float(1 << (self.frame.bit_depth - 8))
        blue, red = (
            cv2.mean(np.ascontiguousarray(plane[::ROW_STEP]))[0] / part
            for plane in self.frame.planes[:2]
        )
        return blue, red

    def like(self, other: Frame) -> bool:
        """Say whether a picture can be compared with this one pixel by pixel."""
        return (
            self.luma.shape == other.luma.shape
            and self.luma.dtype == other.luma.dtype
            and self.frame.bit_depth == other.bit_depth
        )

    def kept(self) -> "View":
        """Let go of all but this picture: decoders have few buffers, and each picture holds one."""
        self.before = None
        return self
