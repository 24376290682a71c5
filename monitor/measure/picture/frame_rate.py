"""The measured frame rate and its error bar, from time-stamps; from arrivals where there are none.

Stamps of a constant rate, rounded to their time base, confine the frame period exactly: for any
two pictures i < j, (t_j - t_i - q) / (j - i) <= period <= (t_j - t_i + q) / (j - i), with q one
tick. The narrowest such interval over a window is the estimate and its error bar: 23.976 and 24
lie apart after 2 s even in milliseconds. Where no constant rate satisfies all of them, least
squares and three standard errors take over, so that jitter shows as a wide bar.
"""

from collections import deque
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from capture.source import Frame, Item, StreamInfo
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.stamps import unwrapped_step
from monitor.metrics import Value, declare

WINDOW_S = 4.0  # a changed rate is alone in the window 4 s later: the off-delay of its rule
ENOUGH_S = 2.0  # of stamps before an estimate is given
BREAK_S = 10.0  # a step this long, or one back, is another timeline
FRAMES_LIMIT = 1_024  # 4 s at 240 fps
COARSE_TICK_S = Fraction(1, 500)  # a tick this long counts frames (AVI, MXF): nothing was rounded
ANCHORS = 32  # pictures every other one is compared with; more narrow the bar by under 5 %

RATE = declare("frame_rate_hz", "Hz", "scalar", "last", "Measured frame rate over the last 4 s")
ERROR = declare("frame_rate_error_hz", "Hz", "scalar", "last", "Half width of the rate's error bar")
DECLARED = declare("frame_rate_declared_hz", "Hz", "scalar", "last", "What the stream declares")


def frame_numbers(times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each picture's place on a grid of the usual step: a missing picture leaves a hole."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    return np.concatenate(([0.0], np.cumsum(np.maximum(1, np.round(steps / usual)))))


def period_bounds(
    times: NDArray[np.float64], numbers: NDArray[np.float64], quantum: float
) -> tuple[float, float]:
    """Return the least and greatest period that the rounded stamps allow (least > greatest: none).

    ``times`` ascending, in any unit; ``quantum`` in the same.
    """
    picks = np.unique(np.linspace(0, len(times) - 1, ANCHORS).astype(int))
    frames = numbers[:, None] - numbers[picks][None, :]
    spans = times[:, None] - times[picks][None, :]
    later = frames > 0
    apart = frames[later]
    least = float(np.max((spans[later] - quantum) / apart))
    greatest = float(np.min((spans[later] + quantum) / apart))
    return least, greatest


def fitted_period(times: NDArray[np.float64], numbers: NDArray[np.float64]) -> tuple[float, float]:
    """Return the least-squares period and three standard errors of it."""
    n = numbers - numbers.mean()
    t = times - times.mean()
    square = float(n @ n)
    slope = float(n @ t) / square
    rest = t - slope * n
    deviation = float(np.sqrt(rest @ rest / max(1, len(times) - 2)))
    return slope, 3 * deviation / float(np.sqrt(square))


def estimate_rate(times: NDArray[np.float64], quantum: float) -> tuple[float, float] | None:
    """Return rate and error in frames per unit of ``times``; None for fewer than 3 pictures."""
    if len(times) < 3:
        return None
    numbers = frame_numbers(times)
    least, greatest = period_bounds(times, numbers, quantum)
    tiny = 1e-9 * abs(greatest)  # sums of floats
    if 0 < least <= greatest + tiny:
        period, error = (least + greatest) / 2, abs(greatest - least) / 2
    else:
        period, error = fitted_period(times, numbers)
    return (1 / period, error / period**2) if period > 0 else None


def _from_arrivals(stream: StreamInfo, live: bool) -> bool:
    return live and stream.codec == "mjpeg"  # FFmpeg invents a feed's MJPEG stamps


@measure("frame_rate", is_video)
class FrameRate:
    """Measures one stream's rate over a sliding window of pictures."""

    def __init__(self, setup: Setup) -> None:
        self.stream = setup.stream
        self.live = setup.live
        self.by_arrival = _from_arrivals(setup.stream, setup.live)
        tick = setup.stream.time_base
        self.tick_s = float(tick)
        self.quantum = 0.0 if tick > COARSE_TICK_S else 1.0
        self.ticks: deque[int] = deque(maxlen=FRAMES_LIMIT)
        self.arrivals_ns: deque[int] = deque(maxlen=FRAMES_LIMIT)
        self.last_pts: int | None = None
        self.position = 0
        self.fresh = False
        self.ended = False

    def feed(self, item: Item) -> None:
        """Take the next picture's stamp and arrival."""
        if not isinstance(item, Frame):
            return
        self.fresh = True
        self._arrived(item.t_arrival_ns)
        if item.pts is not None and not self.by_arrival:
            self._stamped(item.pts)

    def _arrived(self, t_ns: int) -> None:
        self.arrivals_ns.append(t_ns)
        while t_ns - self.arrivals_ns[0] > WINDOW_S * 1e9:
            self.arrivals_ns.popleft()

    def _stamped(self, pts: int) -> None:
        step = 0 if self.last_pts is None else unwrapped_step(pts - self.last_pts)
        if step < 0 or step * self.tick_s > BREAK_S:
            self.ticks.clear()
        self.position += max(step, 0)
        if step != 0 or not self.ticks:
            self.ticks.append(self.position)
        self.last_pts = pts
        while (self.position - self.ticks[0]) * self.tick_s > WINDOW_S:
            self.ticks.popleft()

    def _estimate(self) -> tuple[float, float] | None:
        if len(self.ticks) >= 3:
            span_s = (self.ticks[-1] - self.ticks[0]) * self.tick_s
            if span_s < ENOUGH_S and not self.ended:
                return None
            times = np.array(self.ticks, np.float64) - self.ticks[0]
            found = estimate_rate(times, self.quantum)
            return None if found is None else (found[0] / self.tick_s, found[1] / self.tick_s)
        return self._from_arrivals() if self.live else None

    def _from_arrivals(self) -> tuple[float, float] | None:
        """Network and scheduler move arrivals by whole frames: fit, and add the worst residual."""
        if len(self.arrivals_ns) < 3:
            return None
        times = (np.array(self.arrivals_ns, np.float64) - self.arrivals_ns[0]) / 1e9
        if times[-1] < ENOUGH_S:
            return None
        numbers = np.arange(len(times), dtype=np.float64)  # a hole cannot be told from a delay
        period, error = fitted_period(times, numbers)
        worst = float(np.max(np.abs(times - times.mean() - period * (numbers - numbers.mean()))))
        error = max(error, 2 * worst / len(times))
        return 1 / period, error / period**2

    def drain(self) -> dict[str, Value]:
        """Return rate, error bar and declared rate when pictures came since the last drain."""
        if not self.fresh:
            return {}
        self.fresh = False
        declared = self.stream.frame_rate
        values: dict[str, Value] = {DECLARED.key: float(declared) if declared else None}
        found = self._estimate()
        if found is not None:
            values |= {RATE.key: found[0], ERROR.key: found[1]}
        return values

    def events(self) -> list[Detection]:
        """Return nothing: a rate is judged by a rule."""
        return []

    def reset(self) -> None:
        """Nothing is integrated over more than the window."""

    def finish(self) -> None:
        """Give what there is, even under two seconds."""
        self.ended = True
        self.fresh = self.fresh or len(self.ticks) >= 3
