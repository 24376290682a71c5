"""Pixellation: an encoder that has too few bits quantises so coarsely that the picture falls apart.

Where the decoder exports quantisers (H.264, MPEG-2, VP9) they say so exactly, whatever is in the
picture. MJPEG has no filter that hides the edges of its blocks of 8 pixels: there it is told by
blockiness, how much more neighbours differ across those edges than elsewhere; coders with such a
filter leave nothing on that grid (AUC 0.49 on H.264). Of HEVC nothing is known here.

A feed is pixellated beyond a bound that is coarse for anybody, or well above its own usual value.
It is looked at five times a second, and the middle look of the last second is what counts: one
coarse picture after a cut is gone before it is seen.
"""

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View, in_8_bits
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value, declare

EVERY_S: Final = 0.2
LOOKS: Final = 5  # the middle one of them counts
USUAL_LOOKS: Final = 300  # a minute of what is usual
KNOWN_LOOKS: Final = 15  # three seconds until anything is usual
GRID_PX: Final = 8  # blocks of JPEG's transform
SMOOTH_CODES: Final = 0.5  # added to both sides: else any edge stands out in a smooth picture
RELEASE: Final = 0.9  # of the bound

QUANTISER = declare(
    "quantiser", "", "scalar", "last", "Mean quantiser of the pictures, on the codec's own scale"
)
BLOCKINESS = declare(
    "blockiness", "", "scalar", "last", "Edges of 8-pixel blocks against the rest; 1: no blocks"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """From which value on a feed of a codec is pixellated.

    ``coarse``: too much for any picture. Else ``above`` times the usual value plus ``over`` is,
    from ``least`` on, below which nobody sees it.
    """

    coarse: float
    least: float
    above: float
    over: float


BOUNDS: Final = {
    "h264": Bounds(coarse=38, least=31, above=1, over=8),  # 6 more are a step twice as coarse
    "vp9": Bounds(coarse=200, least=140, above=1, over=50),
    "mpeg2video": Bounds(coarse=20, least=10, above=2.5, over=0),
    "mjpeg": Bounds(coarse=1.9, least=1.5, above=1.2, over=0),
}


def blockiness(codes: NDArray[np.uint8]) -> float:
    """Return how much more neighbours in a row differ across the 8-pixel grid than off it.

    ``codes``: some rows, from the picture's left edge on. 1 without blocks, and in narrow pictures.
    """
    width = codes.shape[1] // GRID_PX * GRID_PX
    if width < 2 * GRID_PX:
        return 1.0
    changes = cv2.absdiff(codes[:, 1:], codes[:, :-1])
    columns = np.asarray(cv2.reduce(changes, 0, cv2.REDUCE_AVG, dtype=cv2.CV_32F)).ravel()
    phases = columns[: width - GRID_PX].reshape(-1, GRID_PX).mean(axis=0)
    return float((phases[-1] + SMOOTH_CODES) / (np.median(phases[:-1]) + SMOOTH_CODES))


class Usual:
    """What a feed's value usually is, of its last minute without a fault."""

    def __init__(self) -> None:
        self._values: deque[float] = deque(maxlen=USUAL_LOOKS)

    def add(self, value: float) -> None:
        """Take a value from a stretch without a fault."""
        self._values.append(value)

    @property
    def value(self) -> float | None:
        """The middle one; None while too few are known."""
        return median(self._values) if len(self._values) >= KNOWN_LOOKS else None


def bound_of(bounds: Bounds, usual: float | None) -> float:
    """Return from which value on a feed with this usual one is pixellated."""
    if usual is None:
        return bounds.coarse
    return min(bounds.coarse, max(bounds.least, bounds.above * usual + bounds.over))


@viewer("pixellation", detectors=("pixellation",), every_s=EVERY_S)
class Pixellation:
    """Watches the quantiser, or the grid of blocks."""

    def __init__(self, setup: Setup) -> None:
        self.codec = setup.stream.codec or ""
        self.bounds = BOUNDS.get(self.codec)
        self.metric = BLOCKINESS if self.codec == "mjpeg" else QUANTISER
        self.second = second_ticks(setup.stream)
        self.span = Span("pixellation", "")
        self.looks: deque[tuple[int, float]] = deque(maxlen=LOOKS)
        self.usual = Usual()
        self.fresh: float | None = None
        self.worst = 0.0

    def see(self, view: View) -> None:
        """Take the next picture."""
        if self.bounds is None:
            return
        value = self._value(view)
        if value is None:
            return
        self.looks.append((view.tick, value))
        self.fresh = now = median(value for _, value in self.looks)
        if len(self.looks) == LOOKS:
            self._judge(now, bound_of(self.bounds, self.usual.value))

    def _value(self, view: View) -> float | None:
        if self.metric is QUANTISER:
            return view.frame.quantiser()
        return blockiness(in_8_bits(view.rows, view.frame.bit_depth))

    def _judge(self, now: float, bound: float) -> None:
        if self.span.is_open:
            self.worst = max(self.worst, now)
            if now < RELEASE * bound:
                self._end(self.looks[0][0])
        elif now >= bound:
            begun = next(tick for tick, value in self.looks if value >= bound)
            self.worst = now
            self.span.open(begun, round(now, 1), self._words())
        else:
            self.usual.add(now)

    def _words(self) -> str:
        usual = self.usual.value
        before = "" if usual is None else f", usually {usual:.1f}"
        return f"{self.metric.key} {self.worst:.1f}{before}"

    def _end(self, tick: int) -> None:
        if self.span.is_open:
            end = max(tick, self.span.start + 1)
            self.span.close(end, round(self.worst, 1), self._words())

    def drain(self) -> dict[str, Value]:
        """Return the value of the last second, if a picture was looked at since the last drain."""
        value, self.fresh = self.fresh, None
        return {} if value is None else {self.metric.key: round(value, 2)}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._end(end)
