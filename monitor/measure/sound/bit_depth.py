"""Bit depth used: which of the bits that were delivered ever move.

The bitwise or of all samples since reset; zeros at its low end were never used: a 24-bit recording
of a 16-bit signal uses 16. Floats have no bits of this kind: unknown.

Bits that rest for 10 s while the channel carries sound tell of a link or a setting before us that
gives fewer than it could. Live it is the last 10 s, so that a changed cable shows; of a file, all.
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

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
BITS_RESTING = declare(
    "bits_resting",
    "bits",
    "channels",
    "last",
    "Low bits of the delivered depth that did not move: in the last 10 s live, in all of a file.",
)
RESTING_S: Final = 10  # low bits of live sound move within milliseconds; a fade may take seconds


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
        self._depth, self._live = setup.stream.bit_depth, setup.live
        self._second = setup.stream.sample_rate_hz or 48000
        self._seconds: deque[NDArray[Any]] = deque(maxlen=RESTING_S)
        """Bits that moved within each of the last seconds."""
        self._now: NDArray[Any] | None = None
        self._have = 0

    def feed(self, item: Item) -> None:
        """Take a block."""
        if not isinstance(item, Block) or not item.samples.size:
            return
        self._channels = item.samples.shape[1]
        if item.samples.dtype.kind != "i":
            return
        at = 0
        while at < len(item.samples):
            part = item.samples[at : at + self._second - self._have]
            self._take(reduce_frames(np.bitwise_or, part), len(part))
            at += len(part)

    def _take(self, new: NDArray[Any], frames: int) -> None:
        """Take the bits that moved within ``frames`` frames of one second."""
        self._either = new if self._either is None else self._either | new
        self._now = new if self._now is None else self._now | new
        self._have += frames
        if self._have == self._second:
            self._seconds.append(self._now)
            self._now, self._have = None, 0

    def _resting(self) -> Value:
        """Return how many low bits rest a channel; unknown for silence and the first 10 s."""
        if self._either is None or self._depth is None or len(self._seconds) < RESTING_S:
            return [None] * self._channels
        moved = np.bitwise_or.reduce(list(self._seconds)) if self._live else self._either
        width = self._either.dtype.itemsize * 8
        used = [used_bits(code, width) for code in moved.tolist()]
        return [max(0, self._depth - bits) if bits else None for bits in used]

    def drain(self) -> Mapping[str, Value]:
        """Return the depths."""
        if not self._channels:
            return {}
        if self._either is None:
            unknown: Value = [None] * self._channels
            return {BIT_DEPTH_USED.key: unknown, BITS_RESTING.key: unknown}
        width = self._either.dtype.itemsize * 8
        used: Value = [used_bits(code, width) for code in self._either.tolist()]
        return {BIT_DEPTH_USED.key: used, BITS_RESTING.key: self._resting()}

    def events(self) -> list[Detection]:
        """Nothing is detected here."""
        return []

    def reset(self) -> None:
        """Watch the bits anew."""
        self._either = None

    def finish(self) -> None:
        """Nothing waits here."""
