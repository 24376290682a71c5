"""The measured frame rate and its error bar, from time-stamps; from arrivals where there are none.

Stamps of a constant rate, rounded to their time base, confine the frame period exactly: for any
two pictures i < j, (t_j - t_i - q) / (j - i) <= period <= (t_j - t_i + q) / (j - i), with q one
tick. The narrowest such interval over a window is the estimate and its error bar: 23.976 and 24
lie apart after 2 s even in milliseconds. Where no constant rate satisfies all of them, least
squares and three standard errors take over, so that jitter shows as a wide bar. A feed's arrivals
are measured beside its stamps, with their own, wider bar.

Where less than half of the packets are decoded, or pictures are left out because the machine is
short, the packets' own stamps stand for the pictures'.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from capture.source import RUNGS, Frame, Item, Packet, StreamInfo, Thinned
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.cadence import (
    FEED_SLACK,
    FILE_SLACK_S,
    CadenceWord,
    cadence_word,
    frame_numbers,
    off_grid,
    pulldown_fields,
)
from monitor.measure.picture.stamps import unwrapped_step
from monitor.metrics import Value, declare

WINDOW_S = 4.0  # a changed rate is alone in the window 4 s later: the off-delay of its rule
ENOUGH_S = 2.0  # of stamps before an estimate is given
BREAK_S = 10.0  # a step this long, or one back by BACK_S, is another timeline
BACK_S = 1.0  # coded order goes back by at most 16 pictures (ITU-T H.264, A.3.1: DPB size)
FRAMES_LIMIT = 1_024  # 4 s at 240 fps
COARSE_TICK_S = Fraction(1, 500)  # a tick this long counts frames (AVI, MXF): nothing was rounded
ANCHORS = 32  # pictures every other one is compared with; more narrow the bar by under 5 %

RATE = declare("frame_rate_hz", "Hz", "scalar", "last", "Measured frame rate over the last 4 s")
ERROR = declare("frame_rate_error_hz", "Hz", "scalar", "last", "Half width of the rate's error bar")
CADENCE = declare("cadence", "", "scalar", "last", "constant, pulldown 3:2 or variable, over 4 s")
JITTER = declare(
    "stamp_jitter_ms", "ms", "scalar", "max", "Farthest a stamp lies from a steady rate"
)
ARRIVING = declare(
    "frame_rate_arrival_hz", "Hz", "scalar", "last", "Frame rate of a feed by its arrivals"
)
ARRIVING_ERROR = declare(
    "frame_rate_arrival_error_hz", "Hz", "scalar", "last", "Half width of that rate's error bar"
)
DECLARED = declare("frame_rate_declared_hz", "Hz", "scalar", "last", "What the stream declares")


def period_bounds(
    times: NDArray[np.float64], numbers: NDArray[np.float64], quantum: float
) -> tuple[float, float]:
    """Return the least and greatest period that the rounded stamps allow (least > greatest: none).

    ``times`` ascending, in any unit; ``quantum`` in the same.
    """
    picks = np.arange(0, len(times), -(-len(times) // ANCHORS))
    picks[-1] = len(times) - 1
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate and its error bar in frames per unit of the stamps; the stamps' farthest from it."""

    rate: float
    error: float
    cadence: CadenceWord
    worst_off: float


def estimate_rate(times: NDArray[np.float64], quantum: float, slack: float) -> Rate | None:
    """Return what ascending stamps say; None for fewer than 3 pictures.

    ``quantum``: what stamps were rounded to; ``slack``: how far off a steady rate they may lie, at
    least the quantum. Both in the unit of ``times``. Pulldown counts film's pictures.
    """
    if len(times) < 3:
        return None
    fields = pulldown_fields(times)
    numbers = frame_numbers(times) if fields is None else fields
    least, greatest = period_bounds(times, numbers, quantum)
    tiny = 1e-9 * abs(greatest)  # sums of floats
    if 0 < least <= greatest + tiny:
        period, error = (least + greatest) / 2, abs(greatest - least) / 2
    else:
        period, error = fitted_period(times, numbers)
    if period <= 0:
        return None
    off = off_grid(times, numbers, period)
    word = cadence_word(numbers, off, max(slack, quantum), pulldown=fields is not None)
    shown = 1.0 if fields is None else 2.5  # two pictures in five fields
    return Rate(
        rate=1 / (shown * period), error=error / (shown * period**2), cadence=word, worst_off=off
    )


def _from_arrivals(stream: StreamInfo, live: bool) -> bool:
    return live and stream.codec == "mjpeg"  # FFmpeg invents a feed's MJPEG stamps


class Window:
    """Stamps and arrivals of the last ``WINDOW_S``; stamps ascend and a wrap is taken out."""

    def __init__(self, tick_s: float) -> None:
        self.tick_s = tick_s
        self.ticks: deque[int] = deque(maxlen=FRAMES_LIMIT)
        self.arrivals_ns: deque[int] = deque(maxlen=FRAMES_LIMIT)
        self.last: int | None = None
        self.position = 0

    def arrive(self, t_ns: int) -> None:
        """Take the next arrival."""
        self.arrivals_ns.append(t_ns)
        while t_ns - self.arrivals_ns[0] > WINDOW_S * 1e9:
            self.arrivals_ns.popleft()

    def stamp(self, stamp: int) -> None:
        """Take the next stamp; coded order goes back a little, and it finds its place."""
        step = 0 if self.last is None else unwrapped_step(stamp - self.last)
        self.last = stamp
        if not -BACK_S <= step * self.tick_s <= BREAK_S:
            self.ticks.clear()
        self.position += step
        if not self.ticks or self.position > self.ticks[-1]:
            self.ticks.append(self.position)
        elif self.position not in self.ticks:
            self._insert()
        while (self.ticks[-1] - self.ticks[0]) * self.tick_s > WINDOW_S:
            self.ticks.popleft()

    def _insert(self) -> None:
        later: list[int] = []
        while self.ticks and self.ticks[-1] > self.position:
            later.append(self.ticks.pop())
        self.ticks.append(self.position)
        self.ticks.extend(reversed(later))


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
        self.frames, self.packets = Window(self.tick_s), Window(self.tick_s)
        self.thinned = False
        self.fresh = False
        self.ended = False

    def feed(self, item: Item) -> None:
        """Take the next packet's or picture's stamp and arrival."""
        if isinstance(item, Thinned):
            self.thinned = item.rung != RUNGS[0]
            self.frames = Window(self.tick_s)  # some of its steps are those of pictures left out
            return
        if isinstance(item, Frame):
            window, stamp = self.frames, item.pts
        elif isinstance(item, Packet):
            window, stamp = self.packets, item.dts if item.pts is None else item.pts
        else:
            return
        self.fresh = True
        if self.live:
            window.arrive(item.t_arrival_ns)
        if stamp is not None and not self.by_arrival:
            window.stamp(stamp)

    def _window(self) -> Window:
        """Return the pictures, or the packets where few of them are decoded."""
        frames, packets = self.frames, self.packets
        if self.thinned:
            return packets
        if self.live:
            few = 2 * len(frames.arrivals_ns) < len(packets.arrivals_ns)
        else:
            few = 2 * len(frames.ticks) < len(packets.ticks)
        return packets if few else frames

    def _by_stamps(self, window: Window) -> Rate | None:
        if len(window.ticks) < 3:
            return None
        span_s = (window.ticks[-1] - window.ticks[0]) * self.tick_s
        if span_s < ENOUGH_S and not self.ended:
            return None
        times = np.array(window.ticks, np.float64) - window.ticks[0]
        usual = float(np.median(np.diff(times)))
        slack = FEED_SLACK * usual if self.live else FILE_SLACK_S / self.tick_s
        return estimate_rate(times, self.quantum, slack)

    def _by_arrivals(self, window: Window) -> tuple[float, float] | None:
        """Network and scheduler move arrivals by whole frames: fit, and add the worst residual."""
        if len(window.arrivals_ns) < 3:
            return None
        times = (np.array(window.arrivals_ns, np.float64) - window.arrivals_ns[0]) / 1e9
        if times[-1] < ENOUGH_S:
            return None
        numbers = np.arange(len(times), dtype=np.float64)  # a hole cannot be told from a delay
        period, error = fitted_period(times, numbers)
        if period <= 0:
            return None
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
        window = self._window()
        arriving = self._by_arrivals(window)
        if arriving is not None:
            values |= {ARRIVING.key: arriving[0], ARRIVING_ERROR.key: arriving[1]}
        found = self._by_stamps(window)
        if found is not None:
            values |= {
                RATE.key: found.rate / self.tick_s,
                ERROR.key: found.error / self.tick_s,
                CADENCE.key: found.cadence,
                JITTER.key: found.worst_off * self.tick_s * 1e3,
            }
        elif arriving is not None and len(window.ticks) < 3:
            values |= {RATE.key: arriving[0], ERROR.key: arriving[1]}
        return values

    def events(self) -> list[Detection]:
        """Return nothing: a rate is judged by a rule."""
        return []

    def reset(self) -> None:
        """Nothing is integrated over more than the window."""

    def finish(self) -> None:
        """Give what there is, even under two seconds."""
        self.ended = True
        self.fresh = self.fresh or len(self._window().ticks) >= 3
