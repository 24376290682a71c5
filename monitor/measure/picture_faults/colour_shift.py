"""Colour that shifts at once all over the picture: a white balance set wrong, a lost component.

Five times a second luma and chroma are averaged in 16×9 cells. A shift is a step between two looks
that rests before and after, by which the colour of nearly all cells moves, and mostly the same way,
while the picture's light keeps its shape; and it stays for 0.8 s. A cut has another picture, a
fade takes its time, a lamp lights a part. Colour that drifts over seconds is not told.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

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
CELLS: Final = (16, 9)
SAMPLED: Final = (36, 64)  # rows and columns looked at, or up to twice as many
BEFORE: Final = 3  # looks before the step: a coloured flash that ends is no shift
LOOKS: Final = BEFORE + 4  # after it 0.8 s
STEP_CODES: Final = 5.0  # in Cb and Cr together; an eye sees 3 side by side
REST: Final = 0.5  # of the step is the most that colour moves between looks beside it
SAME_WAY: Final = 0.5  # of the cells' own steps is their mean: 1 where all go one way
MOVED: Final = 0.7  # of the cells move by a third of the step or more
SHAPE: Final = 0.75  # correlation of luma across the step
KEPT_SHAPE: Final = 0.5  # of luma from look to look: less is another shot
STAYS: Final = 0.7  # of the step is left at every look after it
BACK: Final = 0.4  # of it is left when it is over

SHIFT = declare(
    "colour_shift_codes", "codes", "scalar", "max", "Colour's last step all over the picture"
)

Grid = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Look:
    """A picture in cells: luma (144,), and Cb and Cr (144, 2), in codes of 8 bits."""

    tick: int
    luma: Grid
    chroma: Grid

    def mean(self) -> NDArray[np.float64]:
        """Return mean Cb and Cr."""
        return np.asarray(self.chroma.mean(axis=0), np.float64)


def cells(plane: NDArray[Any], bit_depth: int) -> Grid:
    """Return a plane's means in cells, (144,), in codes of 8 bits."""
    down, across = (max(1, size // least) for size, least in zip(plane.shape, SAMPLED, strict=True))
    sampled = in_8_bits(np.ascontiguousarray(plane[::down, ::across]), bit_depth)
    small = cv2.resize(sampled.astype(np.float32), CELLS, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).ravel()


def alike(one: Grid, two: Grid) -> float:
    """Return the correlation of two grids, 1 where both are even."""
    a, b = one - one.mean(), two - two.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm > 1e-3 else 1.0


def step_of(before: _Look, after: _Look) -> float:
    """Return the step of colour in codes if it is one all over the picture, else 0."""
    steps = after.chroma - before.chroma
    sizes = np.hypot(steps[:, 0], steps[:, 1])
    mean = float(np.hypot(*steps.mean(axis=0)))
    size = float(sizes.mean())
    if mean < STEP_CODES or mean < SAME_WAY * size or np.mean(sizes >= mean / 3) < MOVED:
        return 0.0
    return mean if alike(before.luma, after.luma) >= SHAPE else 0.0


def moved(before: _Look, after: _Look) -> float:
    """Return how far the mean colour moved, codes."""
    return float(np.hypot(*(after.mean() - before.mean())))


@viewer("colour_shift", detectors=("colour_shift",), every_s=EVERY_S)
class ColourShift:
    """Watches for shifts."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.span = Span("colour_shift", "codes")
        self.looks: deque[_Look] = deque(maxlen=LOOKS)
        self.usual: _Look | None = None
        self.worst = 0.0
        self.told: float | None = None

    def see(self, view: View) -> None:
        """Take the next picture."""
        frame = view.frame
        if len(frame.planes) < 2:
            return
        chroma = [cells(plane, frame.bit_depth) for plane in frame.planes[:2]]
        look = _Look(view.tick, cells(view.luma, frame.bit_depth), np.stack(chroma, axis=1))
        if self.looks and alike(self.looks[-1].luma, look.luma) < KEPT_SHAPE:
            self._over(view.tick)
        self.looks.append(look)
        if self.usual is not None:
            self._follow(self.usual, look)
        elif len(self.looks) == LOOKS:
            self._judge()

    def _judge(self) -> None:
        """Look for a step behind the second look, with a second after it."""
        looks = list(self.looks)
        *earlier, before = looks[:BEFORE]
        after, *later = looks[BEFORE:]
        step = step_of(before, after)
        self.told = round(step, 1)
        if not step or max(moved(earlier[-1], before), moved(after, later[0])) > REST * step:
            return
        stays = min(moved(before, one) for one in later) >= STAYS * step
        if not stays or min(moved(one, after) for one in earlier) < STAYS * step:
            return
        self.usual, self.worst = before, step
        self.span.open(after.tick, round(step, 1))

    def _follow(self, usual: _Look, look: _Look) -> None:
        left = moved(usual, look)
        if left < BACK * self.worst:
            self._over(look.tick)

    def _over(self, tick: int) -> None:
        if self.span.is_open:
            self.span.close(max(tick, self.span.start), round(self.worst, 1))
        self.usual = None
        self.looks.clear()

    def drain(self) -> dict[str, Value]:
        """Return the last step, if one was looked for since."""
        told, self.told = self.told, None
        return {} if told is None else {SHIFT.key: told}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._over(end)
