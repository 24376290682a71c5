"""Colour bars recognised, and how far each bar is from its nominal levels.

Known are the bars in the order of falling luma: white, yellow, cyan, green, magenta, red, blue, and
black where there are eight (EBU, ITU-R BT.1729); seven over the whole width (SMPTE EG 1), and seven
in the middle three quarters (SMPTE RP 219, or 4:3 bars in a 16:9 picture). Their levels in percent
are named as in BT.471: white / black / most / least of a coloured bar.

A picture is one of bars where every bar is even and all of them together go up and down as the
nominal ones do, in luma and in both parts of chroma: gain, lift, saturation and hue may be off, for
that is what bars are to show. The error is then the distance to the nearest nominal set of the
declared matrix; undeclared, of BT.601 or BT.709, whichever is nearer.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from capture.source import Frame
from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View
from monitor.measure.picture.viewer import viewer
from monitor.measure.picture_faults.legal_range import KR_KB, NAMES
from monitor.metrics import Value, declare

EVERY_S: Final = 0.4
TOP, BOTTOM, LOOKS = 0.12, 0.5, 8  # of the height, and rows in it: RP 219's bars end at 7/12
CORE: Final = 0.6  # of a bar's width is measured: edges are slopes, and coders ring at them
LEAST_COLUMNS: Final = 64  # of chroma: less has no core of a bar to speak of
UNEVEN: Final = 0.035  # of the range between a bar's quarters: noise of 5 % of 320 columns has less
LUMA_ALIKE: Final = 0.97  # least correlation over the bars; lift and gain leave it 1
CHROMA_ALIKE: Final = 0.95  # and of chroma as a complex number, whose angle is the hue
HUE_OFF: Final = 0.5  # radians: more is another order of colours
SATURATION: Final = (0.4, 1.8)  # against 75 % bars; 100 % ones have 1.33

BARS = declare("colour_bars", "", "scalar", "last", "Which colour bars are seen, or none")
ERRORS = declare(
    "bars_error_percent", "%", "vector", "last", "Y', Cb, Cr of each bar off its nominal level"
)
WORST = declare(
    "bars_error_max_percent", "%", "scalar", "last", "Greatest of the bars' errors, without sign"
)
NONE: Final = "none"

COLOURS: Final = np.array(
    [[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]], float
)
"""R, G and B of each bar, from white to black."""
LEVELS: Final = ((0.75, 0.75), (1.0, 0.75), (1.0, 1.0))
"""Of white, and of the coloured bars."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How many bars, from and to which share of the width."""

    name: str
    bars: int
    left: float = 0.0
    right: float = 1.0


LAYOUTS: Final = (
    Layout("EBU", 8),
    Layout("SMPTE", 7),
    Layout("SMPTE RP 219", 7, 0.125, 0.875),
    Layout("EBU 4:3", 8, 0.125, 0.875),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Which bars, and their errors in percent, (bars, 3) of Y', Cb and Cr."""

    name: str
    errors: NDArray[np.float64]

    @property
    def worst(self) -> float:
        """The greatest error without its sign."""
        return float(np.abs(self.errors).max())


@lru_cache(maxsize=64)
def nominal(bars: int, matrix: str, levels: tuple[float, float]) -> NDArray[np.float64]:
    """Return Y' (0 to 1), Cb and Cr (-0.5 to 0.5) of each bar, (bars, 3)."""
    kr, kb = KR_KB[matrix]
    white, coloured = levels
    rgb = COLOURS[:bars] * coloured
    rgb[0] = white
    luma = rgb @ np.array([kr, 1 - kr - kb, kb])
    blue, red = (rgb[:, 2] - luma) / (2 - 2 * kb), (rgb[:, 0] - luma) / (2 - 2 * kr)
    return np.column_stack([luma, blue, red])


def sampled(frame: Frame) -> tuple[NDArray[np.float64], ...] | None:
    """Return rows of Y' (0 to 1), Cb and Cr (-0.5 to 0.5), each (rows, columns); None: no colour.

    Where there are more than 960 columns, one in so many is taken.
    """
    if len(frame.planes) < 2 or min(plane.shape[1] for plane in frame.planes) < LEAST_COLUMNS:
        return None
    black, span, middle, chroma = (0, 255, 128, 255) if frame.full_range else (16, 219, 128, 224)
    part = 1 << (frame.bit_depth - 8)
    zeros, spans = (black, middle, middle), (span, chroma, chroma)
    planes = (frame.luma, *frame.planes[:2])
    return tuple(
        (_rows(plane) / part - zero) / one
        for plane, zero, one in zip(planes, zeros, spans, strict=True)
    )


def _rows(plane: NDArray[Any]) -> NDArray[np.float64]:
    at = (np.linspace(TOP, BOTTOM, LOOKS) * plane.shape[0]).astype(int)
    return plane[at, :: max(1, plane.shape[1] // 480)].astype(np.float64)


def bar_means(
    planes: tuple[NDArray[np.float64], ...], layout: Layout
) -> NDArray[np.float64] | None:
    """Return the mean Y', Cb and Cr of each bar, (bars, 3); None where a bar is not even."""
    means = np.empty((layout.bars, 3))
    width = (layout.right - layout.left) / layout.bars
    for part, plane in enumerate(planes):
        for bar in range(layout.bars):
            middle = layout.left + (bar + 0.5) * width
            edges = [
                round((middle + side * CORE * width / 2) * plane.shape[1]) for side in (-1, 0, 1)
            ]
            quarters = [
                rows[:, one:two].mean()
                for rows in (plane[: LOOKS // 2], plane[LOOKS // 2 :])
                for one, two in pairwise(edges)
            ]
            if max(quarters) - min(quarters) > UNEVEN:
                return None
            means[bar, part] = sum(quarters) / len(quarters)
    return means


def are_bars(means: NDArray[np.float64], wanted: NDArray[np.float64]) -> bool:
    """Say whether bars go up and down as the nominal ones of 75 % do."""
    luma, like = means[:, 0] - means[:, 0].mean(), wanted[:, 0] - wanted[:, 0].mean()
    chroma, colour = (one[:, 1] + 1j * one[:, 2] for one in (means, wanted))
    power = (
        np.sqrt((luma @ luma) * (like @ like)),
        np.sqrt(np.vdot(chroma, chroma).real * np.vdot(colour, colour).real),
    )
    if min(power) < 1e-6 or luma @ like < LUMA_ALIKE * power[0]:
        return False
    turned = np.vdot(colour, chroma)
    saturation = abs(turned) / np.vdot(colour, colour).real
    return bool(
        abs(turned) >= CHROMA_ALIKE * power[1]
        and abs(np.angle(turned)) <= HUE_OFF
        and SATURATION[0] <= saturation <= SATURATION[1]
    )


def matrices(declared: str | None) -> tuple[str, ...]:
    """Return the matrices that the bars may be made with, by what the picture declares."""
    name = NAMES.get(declared or "", declared or "")
    return (name,) if name in KR_KB else ("bt601", "bt709")


def find(frame: Frame) -> Found | None:
    """Return the bars a picture shows, or None."""
    planes = sampled(frame)
    if planes is None:
        return None
    for layout in LAYOUTS:
        means = bar_means(planes, layout)
        if means is None:
            continue
        sets = [
            (levels, nominal(layout.bars, matrix, levels))
            for matrix in matrices(frame.coding.colour_matrix)
            for levels in LEVELS
        ]
        levels, wanted = min(sets, key=lambda one: float(np.square(means - one[1]).sum()))
        if are_bars(means, wanted):
            return Found(_name(layout, levels), 100 * (means - wanted))
    return None


def _name(layout: Layout, levels: tuple[float, float]) -> str:
    white, coloured = (round(100 * level) for level in levels)
    return f"{layout.name} {white}/0/{coloured}/0"


@viewer("colour_bars", detectors=("colour_bars",), every_s=EVERY_S, sparse=True)
class ColourBars:
    """Watches for bars."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.span = Span("colour_bars", "s")
        self.found: Found | None = None
        self.fresh = False

    def see(self, view: View) -> None:
        """Take the next picture."""
        self.found, self.fresh = find(view.frame), True
        if self.found is None:
            self._end(view.tick)
        elif not self.span.is_open:
            self.span.open(view.tick, view.duration / self.second, self.found.name)

    def _end(self, tick: int) -> None:
        if self.span.is_open:
            self.span.close(tick, (tick - self.span.start) / self.second)

    def drain(self) -> dict[str, Value]:
        """Return which bars are seen and their errors, if a picture was looked at since."""
        if not self.fresh:
            return {}
        self.fresh = False
        if self.found is None:
            return {BARS.key: NONE, ERRORS.key: None, WORST.key: None}
        errors: list[float | int | None] = [round(float(one), 2) for one in self.found.errors.flat]
        return {
            BARS.key: self.found.name,
            ERRORS.key: errors,
            WORST.key: round(self.found.worst, 2),
        }

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._end(end)
