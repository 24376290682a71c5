"""Mains flicker and banding: brightness that pulses with the lamps, in bands or all over.

Lamps pulse at twice the mains' frequency. A rolling shutter turns that into horizontal bands that
wander (a beat with the frame rate), a global one into pictures that are brighter and darker in
turn. Bands are as wide as the picture, while what moves in it is not: brightness is followed in
``STRIPS`` columns, and only what pulses alike in all of them counts (the cross-spectrum of one
strip with the others). And they pulse at one known rate: the beat of 100 or 120 Hz with the frame
rate, 5 Hz for 60 Hz mains at 25 pictures a second. Fires, strobes, horizons of a camera that tilts
have others. At 50 Hz mains and 25 pictures a second the bands stand still: such cannot be told from
a pattern of the wall, and are not. While the camera itself moves up and down, the edges in its
picture change more than lamps do, and flicker is not told.

Every second the last 2 s are transformed over time and height. The strongest line near a beat that
all strips share is the flicker; its depth is twice its amplitude, relative to the mean brightness.
"""

from collections import deque
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

STRIPS: Final = 6
HEIGHTS: Final = 32  # brightness is followed at so many heights: up to 12 bands in a picture
WINDOW_S: Final = 2.0
JUDGE_S: Final = 1.0
BANDS_LIMIT: Final = 12  # more than a 100 Hz lamp gives at 1/8 of the usual read-out times
LAMPS_HZ: Final = (100.0, 120.0)
LEAST_HZ: Final = 3.0  # slower is weather, an iris, a tilting camera; other beats are 4 Hz or more
BEAT_SLACK_HZ: Final = 0.8  # mains vary by 0.2 %, a line of 2 s is 0.5 Hz wide
SHARE: Final = 0.4  # of all change faster than LEAST_HZ that the line and its neighbours hold
CONTRAST: Final = 10.0  # a line's power over that at rates beside it; fire has 1 to 5
FAR_BINS: Final = 7  # how far beside it: 3.5 Hz
DEPTH_LIMIT: Final = 0.02  # of the brightness; at 4 % banding is seen by an attentive eye
DARK_CODE: Final = 4.0  # above black: darker strips have no brightness to pulse
RELEASE: Final = 0.7

DEPTH = declare(
    "flicker_ratio", "", "scalar", "max", "Depth of the strongest flicker, of the brightness"
)


def strip_means(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the mean codes of a picture's cells, shape (HEIGHTS, STRIPS)."""
    size = (STRIPS, HEIGHTS)
    width = rows.shape[1] // STRIPS * STRIPS
    sums = cv2.reduce(
        np.ascontiguousarray(rows[:, :width]).reshape(-1, width // STRIPS),
        1,
        cv2.REDUCE_AVG,
        dtype=cv2.CV_32F,
    )
    means = np.asarray(sums, np.float32).reshape(rows.shape[0], STRIPS)
    return np.asarray(cv2.resize(means, size, interpolation=cv2.INTER_AREA), np.float32)


def relative_changes(
    cells: NDArray[np.float32], black: float
) -> tuple[NDArray[np.float64], float] | None:
    """Return each cell's change about its own mean and trend, and the share of cells with light.

    ``cells``: codes of shape (pictures, HEIGHTS, STRIPS). Dark cells do not change. None: all dark.
    """
    light = cells.astype(np.float64) - black
    means = light.mean(axis=0)
    lit = means >= DARK_CODE
    if not lit.any():
        return None
    changes = np.where(lit, light / np.where(lit, means, 1.0) - 1.0, 0.0)
    ramp = np.linspace(-1.0, 1.0, len(cells))
    slope = np.tensordot(ramp, changes, axes=(0, 0)) / (ramp @ ramp)
    return changes - ramp[:, None, None] * slope, float(lit.mean())


def beats_hz(rate_hz: float) -> list[float]:
    """Return the rates at which lamps are seen to pulse at a frame rate, without those that crawl.

    Sampled at the frame rate, 2 × 50 or 2 × 60 Hz fold down to the distance from its nearest
    multiple.
    """
    folded = (abs(lamp - round(lamp / rate_hz) * rate_hz) for lamp in LAMPS_HZ)
    return [beat for beat in folded if beat >= LEAST_HZ]


def near_beats(pictures: int, rate_hz: float) -> NDArray[np.bool_]:
    """Return which rates of a spectrum of so many pictures lie at a beat."""
    rates_hz = np.fft.rfftfreq(pictures, 1 / rate_hz)
    beats = np.array([np.inf, *beats_hz(rate_hz)])
    return np.asarray((np.abs(rates_hz[:, None] - beats) <= BEAT_SLACK_HZ).any(axis=1))


def powers(changes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what strips have in common and what each has, (rates, waves up the picture), mean.

    The mean cross-power of strips i ≠ j is (|Σ F|² - Σ|F|²) / (n(n-1)): what each strip has of its
    own averages out, with a remainder of either sign.
    """
    window = np.hanning(len(changes))[:, None, None]
    spectra = np.fft.fft(np.fft.rfft(changes * window, axis=0), axis=1)
    own = (np.abs(spectra) ** 2).sum(axis=2)
    every = np.abs(spectra.sum(axis=2)) ** 2
    strips = changes.shape[2]
    return (every - own) / (strips * (strips - 1)), own / strips


def shared_line(changes: NDArray[np.float64], rate_hz: float) -> tuple[float, float]:
    """Return the depth of the strongest line near a beat, and its share of all change.

    The share is 0 for what is no line, but the part of something broad that lies at a beat: fire.
    """
    pictures, heights, _ = changes.shape
    common, own = powers(changes)
    slow = int(np.ceil(LEAST_HZ * pictures / rate_hz))
    waves = np.abs(np.fft.fftfreq(heights, 1 / heights)) <= BANDS_LIMIT
    usable = np.where(near_beats(pictures, rate_hz)[:, None] & waves, common, 0.0)
    at, wave = np.unravel_index(int(np.argmax(usable)), usable.shape)
    power, total = float(usable[at, wave]), float(own[slow:].sum())
    if total <= 0 or power <= 0:
        return 0.0, 0.0
    depth = 4 * np.sqrt(power) / (np.hanning(pictures).sum() * heights)
    around = np.r_[max(slow, at - FAR_BINS) : max(slow, at - 2), at + 3 : at + FAR_BINS + 1]
    around = around[around < len(own)]
    if power < CONTRAST * own[around, wave].mean():
        return float(depth), 0.0
    mirror = (-wave) % heights  # what wanders neither up nor down (all over) has both
    columns = {(centre + d) % heights for centre in (wave, mirror) for d in (-1, 0, 1)}
    near = usable[max(slow, at - 2) : at + 3, sorted(columns)]
    return float(depth), min(1.0, float(near.sum()) / total)


@viewer("flicker", detectors=("flicker",))
class Flicker:
    """Follows the brightness of a picture's cells over two seconds."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.limit = setup.limit("flicker_ratio", DEPTH_LIMIT)
        self.span = Span("flicker", "%")
        self.cells: deque[tuple[int, NDArray[np.float32]]] = deque()
        self.judged: int | None = None
        self.suspected: int | None = None  # where it began, when the last judgement found it too
        self.worst = 0.0
        self.depth: float | None = None

    def see(self, view: View) -> None:
        """Take the next picture; a hole or another size begins the window anew."""
        if min(view.rows.shape) < max(STRIPS, HEIGHTS):
            return
        if view.before is None:
            self._restart(view.tick)
        self.cells.append((view.tick, strip_means(in_8_bits(view.rows, view.frame.bit_depth))))
        while view.tick - self.cells[0][0] > WINDOW_S * self.second:
            self.cells.popleft()
        if self.judged is None:
            self.judged = view.tick
        since, span = view.tick - self.judged, view.tick - self.cells[0][0]
        whole = span >= WINDOW_S * self.second - 2 * view.duration
        if whole and since >= JUDGE_S * self.second:
            self.judged = view.tick
            self._judge(view)

    def _restart(self, tick: int) -> None:
        self._end(tick)
        self.cells.clear()
        self.judged = self.suspected = None

    def _judge(self, view: View) -> None:
        ticks = np.array([tick for tick, _ in self.cells])
        steps = np.diff(ticks)
        if steps.max() > 1.5 * np.median(steps):
            return  # a hole: no spectrum of even steps
        black = 0.0 if view.frame.full_range else 16.0
        found = relative_changes(np.stack([cells for _, cells in self.cells]), black)
        if found is None:
            return
        changes, lit = found
        rate_hz = self.second * (len(ticks) - 1) / float(ticks[-1] - ticks[0])
        depth, share = shared_line(changes, rate_hz)
        depth /= lit
        limit = self.limit * (RELEASE if self.span.is_open else 1.0)
        flickers = depth >= limit and share >= SHARE
        self.depth = max(self.depth or 0.0, depth if share >= SHARE else 0.0)
        self._tell(int(ticks[0]), view.tick, depth if flickers else 0.0)

    def _tell(self, start: int, tick: int, depth: float) -> None:
        if depth == 0.0:
            self._end(tick)
            self.suspected = None
        elif self.suspected is None:
            self.suspected, self.worst = start, depth
        else:
            self.worst = max(self.worst, depth)
            if not self.span.is_open:
                self.span.open(self.suspected, round(100 * self.worst, 1))

    def _end(self, tick: int) -> None:
        if self.span.is_open:
            self.span.close(tick, round(100 * self.worst, 1))

    def drain(self) -> dict[str, Value]:
        """Return the depth, when it was judged since the last drain."""
        depth, self.depth = self.depth, None
        return {} if depth is None else {DEPTH.key: round(depth, 4)}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._end(end)
