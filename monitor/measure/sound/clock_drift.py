"""A sound source's sample clock against this machine's monotonic clock, and the error bar of that.

Samples are counted and their arrivals timed. Arrivals are late by what lies between, never early:
of every tenth of a second both the least and the mean lateness are kept for a minute, a line is
fitted through either, and the one with the smaller error bar is told. Steps of wall time (NTP) do
not matter. Live only: a file has no clock. Of a network feed it is the sender's clock that is
measured, through the network's jitter, which the error bar shows.
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
ERRORS: Final = 3.0  # standard errors in the bar
FAR: Final = 4.0  # median deviations; a cell beyond is one hiccup, not the clock
FEW: Final = 0.1  # of the cells at most: what is more is how this source delivers
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


def fitted(media_s: Times, late_s: Times) -> tuple[float, float]:
    """Return the slope of a line through lateness over media time, and its error bar.

    Least squares, once more without the points that are far off the first line.
    """
    kept = np.ones(len(media_s), np.bool_)
    slope = error = 0.0
    for _ in range(2):
        x = media_s[kept] - media_s[kept].mean()
        y = late_s[kept] - late_s[kept].mean()
        square = float(x @ x)
        slope = float(x @ y) / square
        rest = y - slope * x
        deviation = float(np.sqrt(rest @ rest / max(1, len(x) - 2)))
        error = ERRORS * deviation / float(np.sqrt(square))
        away = late_s - late_s[kept].mean() - slope * (media_s - media_s[kept].mean())
        near = np.abs(away - np.median(away))
        kept = near <= max(FAR * float(np.median(near)), float(np.quantile(near, 1 - FEW)))
    return slope, error


def merged(cells: Times, count: int) -> Times:
    """Return cells that hold ``count`` each: a cell must hold whole bunches, or it beats with them.

    The oldest that fill none are left out.
    """
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
            self._cells.append((media_s, min(self._cell), mean, self._wait_s))
            self._cell, self._wait_s, self._fresh = [], 0.0, True
            self._end_s = media_s + CELL_S

    def _estimate(self) -> tuple[float, float] | None:
        """Return drift and error bar in ppm, or None where they cannot be told."""
        cells = np.array(self._cells)
        if len(cells) < 4 or cells[-1, 0] - cells[0, 0] < ENOUGH_S:
            return None
        bunch_s = float(np.quantile(cells[:, 3], 1 - FEW))
        cells = merged(cells, round(3 * bunch_s / CELL_S))
        if len(cells) < 4:
            return None
        fits = [fitted(cells[:, 0], cells[:, column]) for column in (1, 2)]
        slope, error = min(fits, key=lambda fit: fit[1])
        if not 1 / FASTEST < 1 + slope < FASTEST:
            return None
        return PPM * (1 / (1 + slope) - 1), PPM * error / (1 + slope) ** 2

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
