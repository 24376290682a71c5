"""White flashes: a part of the picture that is lit at once and dark again a moment later.

A tablet held before the camera shows them, each with a beep, to measure a feed's audio-video
offset. Brightness is followed as light (codes to the power of ``GAMMA``) in 16×9 cells of the
picture; a flash begins with the first picture in which cells hold at least half of the light to
come, so that one in whose exposure it began counts by which part of it was longer. It is no fault.
See docs/decisions/0219-av-offset-from-flash-and-beep.md.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View, in_8_bits, nominal_range
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value

CELLS: Final = (16, 9)  # a tablet that fills 1 % of the picture fills one
GAMMA: Final = 2.2  # of usual pictures; a log picture's flash is only the slower
SWING: Final = 0.12  # of the light of nominal white: 38 % in codes
HALF: Final = 0.5
LONGEST_S: Final = 0.4  # a cut to a brighter shot does not end
SAMPLED: Final = (72, 128)  # rows and columns looked at, or up to twice as many
PICTURES: Final = 4  # two before, the first lit one, and one that is lit throughout

Light = NDArray[np.float32]


@dataclass(slots=True)
class _Lit:
    """A flash that has begun: its first picture, where, and how light half of it is."""

    tick: int
    duration: int
    cells: NDArray[np.bool_]
    half: Light


def light_of(view: View) -> Light:
    """Return the light of each cell, shape (9, 16); nominal white is 1."""
    black, white = nominal_range(8, view.frame.full_range)
    height, width = view.luma.shape
    down, across = max(1, height // SAMPLED[0]), max(1, width // SAMPLED[1])
    sampled = in_8_bits(np.ascontiguousarray(view.luma[::down, ::across]), view.frame.bit_depth)
    cells = cv2.resize(sampled, CELLS, interpolation=cv2.INTER_AREA).astype(np.float32)
    light = np.clip((cells - black) / (white - black), 0.0, 2.0) ** GAMMA
    return np.asarray(light, np.float32)


def lit_at(lights: "deque[Light]") -> tuple[NDArray[np.bool_], Light]:
    """Return the cells that the third of four pictures lit, and what half of their light is."""
    dark, before, first, full = lights
    swing = full - dark
    half = dark + HALF * swing
    cells = (swing >= SWING) & (before < half) & (first >= half)
    return cells, half


@viewer("flash", detectors=("flash",))
class Flash:
    """Watches for flashes."""

    def __init__(self, setup: Setup) -> None:
        self.longest = round(LONGEST_S * second_ticks(setup.stream))
        self.second = second_ticks(setup.stream)
        self.lights: deque[Light] = deque(maxlen=PICTURES)
        self.ticks: deque[int] = deque(maxlen=PICTURES)
        self.lit: _Lit | None = None
        self.steps: list[Detection] = []

    def see(self, view: View) -> None:
        """Take the next picture."""
        if view.before is None:
            self._forget()
        light = light_of(view)
        self.lights.append(light)
        self.ticks.append(view.tick)
        if self.lit is not None:
            self._follow(self.lit, light, view.tick)
        elif len(self.lights) == PICTURES:
            cells, half = lit_at(self.lights)
            if cells.any():
                self.lit = _Lit(self.ticks[2], self.ticks[2] - self.ticks[1], cells, half)

    def _follow(self, lit: _Lit, light: Light, tick: int) -> None:
        if tick - lit.tick > self.longest:
            self.lit = None
        elif (light < lit.half)[lit.cells].all():
            self._tell(lit, tick)
            self.lit = None

    def _tell(self, lit: _Lit, end: int) -> None:
        for phase in ("open", "close"):
            self.steps.append(
                Detection(
                    detector="flash",
                    key=f"flash-{lit.tick}",
                    phase=phase,
                    start=lit.tick,
                    end=None if phase == "open" else end,
                    worst=round(1000 * lit.duration / self.second, 3),
                    unit="ms",
                )
            )

    def _forget(self) -> None:
        self.lights.clear()
        self.ticks.clear()
        self.lit = None

    def drain(self) -> dict[str, Value]:
        """Return nothing: flashes are events."""
        return {}

    def events(self) -> list[Detection]:
        """Return the flashes since the last call."""
        steps, self.steps = self.steps, []
        return steps

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Forget a flash that the end cuts off: it is not known to be one."""
        self._forget()
