"""A sound source's sample clock against this machine's monotonic clock, and the error bar of that.

Samples are counted and their arrivals timed. Arrivals are late by what lies between, never early:
of every tenth of a second both the least and the mean lateness are kept for a minute, a line is
fitted through either, at most 30 points, and the one with the smaller error bar is told. Steps of
wall time (NTP) do not matter. Live only: a file has no clock. Of a network feed it is the sender's
clock that is measured, through the network's jitter, which the error bar shows. Where lateness
follows no line the bar is wide. See docs/decisions/0160-a-drift-is-a-line-in-both-halves.md.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item, Lost
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.metrics import Value, declare

WINDOW_S: Final = 60.0  # finds 20 ppm at 5 ms of jitter; clocks wander by less in that time
CELL_S: Final = 0.1
ENOUGH_S: Final = 1.0
SETTLING_S: Final = 0.5  # a device that starts hands over what its buffers hold
FEED_SETTLING_S: Final = 10.0  # a compressed feed starts with what servers and decoders hold
POINTS: Final = 30  # a minute's line goes through 30 of 2 s: what lasts less is one point's
FEWEST: Final = 6  # 4 degrees of freedom
USUAL: Final = 0.9  # of the cells; waits longer than of so many are hiccups
ERRORS: Final = 3.0  # standard errors in the bar, were they known
CREEP_S: Final = 0.04  # lateness may shift by so much while a device and this machine settle
FEED_CREEP_S: Final = 0.2  # of a compressed feed: it settles with the network's queues
CREEPS_FOR_S: Final = 50.0  # less and less until then
LEAK_S: Final = 1e-5  # a cell, 100 ppm: no crystal drifts by more, and early lateness is forgotten
FASTEST: Final = 2.5  # times real time; beyond it nobody keeps the pace of a clock
PPM: Final = 1e6

Times = NDArray[np.float64]

DRIFT = declare(
    "clock_drift_ppm",
    "ppm",
    "scalar",
    "last",
    "How much faster the source's sample clock runs than this machine's, over the last 60 s; live.",
)
ERROR = declare(
    "clock_drift_error_ppm", "ppm", "scalar", "last", "Half width of the drift's error bar."
)


def sigmas(freedom: int) -> float:
    """Return how many standard errors hold the truth in 99.7 % of fits: Student's t.

    Within 2 % of the tables from 4 degrees of freedom on: 6.6 of them, 4.0 at 10, 3.3 at 30.
    """
    return ERRORS * (1 + 2.4 / freedom + 9.7 / freedom**2)


def straight(media_s: Times, late_s: Times) -> tuple[float, float]:
    """Return the slope of a line through lateness over media time by least squares, and its bar."""
    x = media_s - media_s.mean()
    y = late_s - late_s.mean()
    square = float(x @ x)
    slope = float(x @ y) / square
    rest, freedom = y - slope * x, len(x) - 2
    return slope, sigmas(freedom) * float(np.sqrt(rest @ rest / freedom / square))


def fitted(media_s: Times, late_s: Times) -> tuple[float, float]:
    """Return the slope through lateness over media time and its error bar, wide of what is no line.

    A step (a feed that settles at another delay, a worker that starved) tilts the line through all
    by just what it differs from the half without the step: a half that disagrees lies within the
    bar, with the smaller bar of the two halves.
    """
    slope, error = straight(media_s, late_s)
    middle = len(media_s) // 2
    halves = [
        straight(media_s[half], late_s[half]) for half in (slice(middle), slice(-middle, None))
    ]
    apart = max(abs(half - slope) for half, _ in halves)
    return slope, error if apart <= error else apart + min(bar for _, bar in halves)


def merged(cells: Times, count: int) -> Times:
    """Return ``count`` cells as one; the oldest that fill none are left out."""
    if count <= 1:
        return cells
    groups = cells[len(cells) % count :].reshape(-1, count, cells.shape[1])
    columns = (groups[:, -1, 0], groups[:, :, 1].min(1), groups[:, :, 2].mean(1), groups[:, -1, 3])
    return np.stack(columns, axis=1)


@measure("clock_drift", is_audio)
class ClockDrift:
    """The drift of one stream's sample clock; begins anew after a hole."""

    def __init__(self, setup: Setup) -> None:
        self._live = setup.live
        self._rate = setup.stream.sample_rate_hz or 48000
        is_pcm = (setup.stream.codec or "pcm").startswith("pcm")
        self._settling_s = SETTLING_S if is_pcm else FEED_SETTLING_S
        self._creep_s = CREEP_S if is_pcm else FEED_CREEP_S
        self._cells: deque[tuple[float, float, float, float]] = deque(
            maxlen=round(WINDOW_S / CELL_S)
        )
        """Of each cell: media time of its end, least and mean lateness, longest wait; s."""
        self._cell: list[float] = []
        self._wait_s = 0.0
        self._before_ns = 0
        self._begin(0, 0)
        self._next: int | None = None
        self._fresh = False

    def _begin(self, tick: int, t_arrival_ns: int) -> None:
        self._tick, self._t_ns = tick, t_arrival_ns
        self._cells.clear()
        self._cell, self._wait_s, self._before_ns = [], 0.0, t_arrival_ns
        self._lowest_s = np.inf  # least lateness before the window
        self._end_s = self._settling_s + CELL_S

    def feed(self, item: Item) -> None:
        """Take a block's end and arrival."""
        if isinstance(item, Lost):
            self._next = None
        if not self._live or not isinstance(item, Block) or not item.samples.size:
            return
        end = item.start + len(item.samples)
        if item.start != self._next:
            self._begin(end, item.t_arrival_ns)
        self._next = end
        media_s = (end - self._tick) / self._rate
        wait_s, self._before_ns = (item.t_arrival_ns - self._before_ns) / 1e9, item.t_arrival_ns
        if media_s < self._settling_s:
            return
        self._wait_s = max(self._wait_s, wait_s)
        self._cell.append((item.t_arrival_ns - self._t_ns) / 1e9 - media_s)
        if media_s >= self._end_s:
            mean = sum(self._cell) / len(self._cell)
            if len(self._cells) == self._cells.maxlen:
                self._lowest_s = min(self._lowest_s, self._cells[0][1]) + LEAK_S
            self._cells.append((media_s, min(self._cell), mean, self._wait_s))
            self._cell, self._wait_s, self._fresh = [], 0.0, True
            self._end_s = media_s + CELL_S

    def _estimate(self) -> tuple[float, float] | None:
        """Return drift and error bar in ppm, or None where they cannot be told."""
        cells = np.array(self._cells)
        if len(cells) < FEWEST or cells[-1, 0] - cells[0, 0] < ENOUGH_S:
            return None
        bunch_s = float(np.quantile(cells[:, 3], USUAL))
        bunches = round(3 * bunch_s / CELL_S)  # a point must hold whole ones, or it beats with them
        cells = merged(cells, max(bunches, len(cells) // POINTS))
        if len(cells) < FEWEST:
            return None
        fits = [fitted(cells[:, 0], cells[:, column]) for column in (1, 2)]
        slope, error = min(fits, key=lambda fit: fit[1])
        span_s = float(cells[-1, 0] - cells[0, 0])
        error = max(error, self._creep_s * max(0.0, 1 / span_s - 1 / CREEPS_FOR_S))
        if not 1 / FASTEST < 1 + slope < FASTEST or self._catches_up(cells, slope * span_s):
            return None
        # Divided once, not twice: a bar over no slope at all is a bar over no drift.
        return PPM * (1 / (1 + slope) - 1), PPM * error / (1 + slope)

    def _catches_up(self, cells: Times, change_s: float) -> bool:
        """Say whether a feed that was late makes up for it: it never gets ahead of where it was.

        A clock that is fast does, by half of what lateness changes in the window since its middle.
        """
        middle = len(cells) // 2
        before_s = min(self._lowest_s, float(cells[:middle, 1].min()))
        return change_s < 0 and float(cells[middle:, 1].min()) > before_s + change_s / 4

    def drain(self) -> Mapping[str, Value]:
        """Return the drift and its error bar where a new cell was finished."""
        if not self._fresh:
            return {}
        self._fresh = False
        found = self._estimate()
        return {} if found is None else {DRIFT.key: found[0], ERROR.key: found[1]}

    def events(self) -> list[Detection]:
        """Return nothing: a drift is judged by a rule."""
        return []

    def reset(self) -> None:
        """Nothing is integrated over more than the window."""

    def finish(self) -> None:
        """Nothing is left open."""
