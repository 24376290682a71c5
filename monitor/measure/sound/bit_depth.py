"""Bit depth used: which of the bits that were delivered ever move.

The bitwise or of all samples since reset; zeros at its low end were never used: a 24-bit recording
of a 16-bit signal uses 16. Floats have no bits of this kind: unknown.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.measure.sound.hops import reduce_frames
from monitor.metrics import Value, declare

BIT_DEPTH_USED = declare(
    "bit_depth_used",
    "bits",
    "channels",
    "last",
    "Bits of the integer samples that moved since reset; 0 is digital silence.",
)


def used_bits(either: int, width: int) -> int:
    """Return how many of ``width`` bits lie at or above the lowest bit set; 0 for none."""
    code = either & ((1 << width) - 1)
    return width - (code & -code).bit_length() + 1 if code else 0


@measure("bit_depth", is_audio)
class BitDepth:
    """The used depth of every channel."""

    def __init__(self, setup: Setup) -> None:
        self._either: NDArray[Any] | None = None
        self._channels = 0

    def feed(self, item: Item) -> None:
        """Take a block."""
        if not isinstance(item, Block) or not item.samples.size:
            return
        self._channels = item.samples.shape[1]
        if item.samples.dtype.kind != "i":
            return
        new = reduce_frames(np.bitwise_or, item.samples)
        self._either = new if self._either is None else self._either | new

    def drain(self) -> Mapping[str, Value]:
        """Return the depths."""
        if not self._channels:
            return {}
        if self._either is None:
            return {BIT_DEPTH_USED.key: [None] * self._channels}
        width = self._either.dtype.itemsize * 8
        return {BIT_DEPTH_USED.key: [used_bits(code, width) for code in self._either.tolist()]}

    def events(self) -> list[Detection]:
        """Nothing is detected here."""
        return []

    def reset(self) -> None:
        """Watch the bits anew."""
        self._either = None

    def finish(self) -> None:
        """Nothing waits here."""
