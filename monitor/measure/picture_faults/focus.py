"""Focus: how much fine detail there is for the contrast of the picture, and when it goes.

Detail is the energy of the Laplacian, in tiles, of the picture at half its size: defocus by 2.5
pixels of 1080 lines takes nearly all of it, and little of the picture at an eighth, whose contrast
it is compared with. Sensor noise stays sharp: what the calmest tiles hold is taken for noise and
subtracted. Only the tiles with most coarse detail count, for most of a picture is out of focus by
intent.

Focus is lost when sharpness has fallen against the same shot some seconds before and stays so for
two seconds, while the coarse picture is still the same. Another shot, or a move to another place,
is no loss; pulling focus to something else keeps some of the picture sharp.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from monitor.measure.look import Rectangle, unmasked
from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import Codes, View
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value, declare

EVERY_S: Final = 0.4
TILES: Final = (16, 9)  # across and down
NOISE_SHARE: Final = 0.1  # of the tiles are calm enough to show the noise
DETAIL_SHARE: Final = 0.1  # of the tiles, those with most detail, are judged
LEAST_CONTRAST: Final = 4.0  # codes: less is fog or a wall
LEAST_DETAIL: Final = 4.0  # mean square of the eighth picture's Laplacian where most is
LEAST_SIDE: Final = 36  # lines of the eighth picture, and columns: small feeds hide focus
LOST_FOR_S: Final = 2.0
BEFORE_S: Final = (3.5, 7.5)  # how long ago the sharpness was that it is compared with
LOST_RATIO: Final = 0.6
BACK_RATIO: Final = 0.8
SAME_PICTURE: Final = 0.7  # least correlation of two eighth pictures

SHARPNESS = declare(
    "sharpness", "", "scalar", "last", "Fine detail for the contrast; falls with focus"
)


def tile_energies(small: Codes, masks: tuple[Rectangle, ...]) -> NDArray[np.float64]:
    """Return the mean square of the Laplacian in each tile, a row of them; 0 under masks."""
    detail = cv2.Laplacian(small, cv2.CV_32F)
    if masks:
        detail[unmasked((small.shape[0], small.shape[1]), masks) == 0] = 0.0
    cells = cv2.resize(cv2.multiply(detail, detail), TILES, interpolation=cv2.INTER_AREA)
    return np.asarray(cells, np.float64).ravel()


def sharpness_of(
    fine: NDArray[np.float64], coarse: NDArray[np.float64], contrast: float
) -> float | None:
    """Return fine detail where there is most coarse detail, over the contrast; None: a wall.

    ``fine`` and ``coarse``: energies of tiles at half and at an eighth of the size. ``contrast``:
    standard deviation of the picture at an eighth, which defocus leaves as it is.
    """
    noise = float(np.quantile(fine, NOISE_SHARE))
    count = max(1, round(DETAIL_SHARE * fine.size))
    most = np.argsort(coarse)[-count:]
    if contrast < LEAST_CONTRAST or float(coarse[most].mean()) < LEAST_DETAIL:
        return None
    return float(np.sqrt(max(0.0, float(fine[most].mean()) - noise)) / contrast)


def correlation(one: Codes, two: Codes) -> float:
    """Return how alike two small pictures are, -1 to 1; 0 where one is flat or of another size."""
    if one.shape != two.shape:
        return 0.0
    a, b = (small.astype(np.float32) - small.mean() for small in (one, two))
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / norm if norm > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    tick: int
    sharpness: float
    eighth: Codes


@viewer("focus", detectors=("focus_lost",), every_s=EVERY_S)
class Focus:
    """Compares sharpness with that of the same shot some seconds before."""

    def __init__(self, setup: Setup) -> None:
        self.masks = setup.look.masks
        self.second = second_ticks(setup.stream)
        self.span = Span("focus_lost", "%")
        self.past: deque[_Past] = deque()
        self.sharp: _Past | None = None  # what the open episode is compared with
        self.worst = 1.0
        self.value: float | None = None

    def see(self, view: View) -> None:
        """Take the next picture."""
        if min(view.eighth.shape) < LEAST_SIDE:
            return
        fine, coarse = (tile_energies(small, self.masks) for small in (view.half, view.eighth))
        self.value = sharpness_of(fine, coarse, float(view.eighth.std()))
        if self.value is None:
            return
        now = _Past(tick=view.tick, sharpness=self.value, eighth=view.eighth)
        if self.past and not 0 < now.tick - self.past[-1].tick <= LOST_FOR_S * self.second:
            self._over(now.tick)
        self.past.append(now)
        while now.tick - self.past[0].tick > BEFORE_S[1] * self.second:
            self.past.popleft()
        if self.sharp is None:
            self._judge(now)
        else:
            self._follow(now, self.sharp)

    def _judge(self, now: _Past) -> None:
        age = [(now.tick - one.tick) / self.second for one in self.past]
        before = [one for one, s in zip(self.past, age, strict=True) if s >= BEFORE_S[0]]
        lately = [one for one, s in zip(self.past, age, strict=True) if s <= LOST_FOR_S]
        if not before or age[0] < BEFORE_S[0] + 1 or len(lately) < LOST_FOR_S / EVERY_S:
            return
        usual = sorted(before, key=lambda one: one.sharpness)[len(before) // 2]
        ratio = max(one.sharpness for one in lately) / max(usual.sharpness, 1e-9)
        if ratio >= LOST_RATIO or correlation(usual.eighth, now.eighth) < SAME_PICTURE:
            return
        self.sharp, self.worst = usual, ratio
        self.span.open(lately[0].tick, percent_of(ratio))

    def _follow(self, now: _Past, sharp: _Past) -> None:
        ratio = now.sharpness / max(sharp.sharpness, 1e-9)
        self.worst = min(self.worst, ratio)
        before = self.past[-2].eighth if len(self.past) > 1 else now.eighth
        if ratio >= BACK_RATIO or correlation(before, now.eighth) < SAME_PICTURE:
            self._over(now.tick)

    def _over(self, tick: int) -> None:
        if self.span.is_open:
            self.span.close(max(tick, self.span.start), percent_of(self.worst))
        self.sharp = None
        self.past.clear()

    def drain(self) -> dict[str, Value]:
        """Return the last picture's sharpness, if one was judged since the last drain."""
        value, self.value = self.value, None
        return {} if value is None else {SHARPNESS.key: round(value, 4)}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._over(end)


def percent_of(ratio: float) -> float:
    """Return what is left of the sharpness, in percent."""
    return round(100 * ratio)
