"""How a source's picture is meant to look: where it clips, and what in it is no picture.

A log picture is white far below the nominal white, and a burnt-in overlay is brighter than any
scene; both are told by the source's settings before exposure is judged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

Rectangle = tuple[float, float, float, float]
"""Left, top, right and bottom as shares of width and height, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Where the camera clips and crushes, 0 nominal black to 1 nominal white, and the masks."""

    clip: float = 1.0
    crush: float = 0.01
    masks: tuple[Rectangle, ...] = ()

    @classmethod
    def of_percent(cls, clip: float, crush: float, masks: Iterable[Rectangle]) -> Self:
        """Return a look from an operator's percentages of nominal luma."""
        return cls(clip=clip / 100, crush=crush / 100, masks=tuple(masks))


PLAIN = Look()


@lru_cache(maxsize=8)
def unmasked(shape: tuple[int, int], masks: tuple[Rectangle, ...]) -> NDArray[np.uint8]:
    """Return 255 where a picture of this shape is judged and 0 under a mask, (height, width)."""
    height, width = shape
    seen = np.full(shape, 255, np.uint8)
    for left, top, right, bottom in masks:
        rows = slice(int(top * height), int(np.ceil(bottom * height)))
        seen[rows, int(left * width) : int(np.ceil(right * width))] = 0
    seen.setflags(write=False)
    return seen
