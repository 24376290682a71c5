"""Pictures that come late, or out of order, by their packets' stamps and arrivals.

A packet's arrival less its decoding stamp is steady on a good link. The middle of the last
``USUAL_PACKETS`` of these is the feed's usual offset, and how far nine in ten of them lie over it
its usual spread: HLS comes in bursts of seconds and is not late for that. Late is what is over the
usual offset by ``late_frames`` pictures *and* by ``SPREADS`` times the spread. A packet whose
decoding stamp goes back, though within a second, is out of order.
"""

from bisect import bisect_left, insort
from collections import deque

from capture.source import Item, Packet
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.bursts import Bursts
from monitor.measure.picture.stamps import FrameClock, second_ticks, unwrapped_step
from monitor.metrics import Value, declare

LATE_FRAMES = 4.0  # a stall the eye sees; the arrival watchdog's figure too
USUAL_PACKETS = 255  # ten seconds at 25; odd, so that there is a middle
LEARNED_PACKETS = 50
SPREADS = 6.0  # exponential jitter reaches five of them once in 3,000 pictures
SHIFTED_PACKETS = 128  # late ones in a row are the new usual
USUAL_SHARE = 0.9
BACK_S = 1.0  # farther back is another timeline
BREAK_S = 10.0

LATE = declare("frames_late", "frames", "scalar", "sum", "Pictures that came late by their stamps")
LATE_TOTAL = declare(
    "frames_late_total", "frames", "scalar", "last", "Pictures that came late since reset"
)
LATENESS = declare(
    "lateness_ms", "ms", "scalar", "max", "Most a picture came later than usual, live"
)
DISORDERED = declare(
    "frames_out_of_order", "frames", "scalar", "sum", "Pictures whose decoding stamp goes back"
)
DISORDERED_TOTAL = declare(
    "frames_out_of_order_total", "frames", "scalar", "last", "Such pictures since reset"
)


class Offsets:
    """The newest offsets and their order."""

    def __init__(self) -> None:
        self.newest: deque[int] = deque()
        self.ordered: list[int] = []

    def add(self, offset: int) -> None:
        """Take an offset; the oldest goes."""
        self.newest.append(offset)
        insort(self.ordered, offset)
        if len(self.newest) > USUAL_PACKETS:
            del self.ordered[bisect_left(self.ordered, self.newest.popleft())]

    @property
    def usual(self) -> tuple[int, int] | None:
        """The middle offset and the spread over it; None until enough are known."""
        count = len(self.ordered)
        if count < LEARNED_PACKETS:
            return None
        middle = self.ordered[count // 2]
        return middle, self.ordered[int(USUAL_SHARE * (count - 1))] - middle


@measure("punctuality", is_video, detectors=("frames_late", "frames_out_of_order"))
class Punctuality:
    """Judges one stream's packets; lateness on a feed only, and where stamps are its own."""

    def __init__(self, setup: Setup) -> None:
        stream = setup.stream
        self.timed = setup.live and stream.codec != "mjpeg"  # FFmpeg invents a feed's MJPEG stamps
        second = second_ticks(stream)
        self.tick_ns = float(stream.time_base) * 1e9
        clock = FrameClock(stream)
        frames = setup.limit("late_frames", LATE_FRAMES)
        self.limit_ns = frames * clock.duration * self.tick_ns
        self.late = Bursts("frames_late", "frames", second, "late: frame")
        self.disorder = Bursts("frames_out_of_order", "frames", second, "out of order: frame")
        self.offsets = Offsets()
        self.late_run = 0
        self.number = -1
        self.last: int | None = None
        self.position = 0  # on the axis of the stamps, wraps taken out
        self.reached: int | None = None
        self.counts = dict.fromkeys((LATE.key, LATE_TOTAL.key), 0)
        self.counts |= dict.fromkeys((DISORDERED.key, DISORDERED_TOTAL.key), 0)
        self.lateness_ns: float | None = None
        self.fresh = False

    def feed(self, item: Item) -> None:
        """Take the next packet, in the order in which it came."""
        if not isinstance(item, Packet):
            return
        self.fresh = True
        self.number += 1
        if item.dts is None:
            return
        step = 0 if self.last is None else unwrapped_step(item.dts - self.last)
        self.last = item.dts
        step_s = step * self.tick_ns / 1e9
        if not -BACK_S <= step_s <= BREAK_S:
            self.offsets, self.reached, self.position = Offsets(), None, 0
        else:
            self.position += step
        self._order(item.dts)
        if self.timed:
            self._time(item.dts, item.t_arrival_ns)

    def _order(self, dts: int) -> None:
        if self.reached is not None and self.position < self.reached:
            self._count(DISORDERED.key, DISORDERED_TOTAL.key)
            self.disorder.fault(dts, dts + 1, 1, str(self.number))
            return
        self.reached = self.position
        self.disorder.quiet(dts)

    def _time(self, dts: int, t_ns: int) -> None:
        offset = round(t_ns - self.position * self.tick_ns)
        usual = self.offsets.usual
        if usual is None:
            self.offsets.add(offset)
            return
        middle, spread = usual
        over = offset - middle
        self.lateness_ns = max(self.lateness_ns or 0.0, float(over))
        is_late = over > max(self.limit_ns, SPREADS * spread)
        self.late_run = self.late_run + 1 if is_late else 0
        if not is_late or self.late_run > SHIFTED_PACKETS:
            self.offsets.add(offset)
        if is_late:
            self._count(LATE.key, LATE_TOTAL.key)
            self.late.fault(dts, dts + 1, 1, str(self.number))
        else:
            self.late.quiet(dts)

    def _count(self, *keys: str) -> None:
        for key in keys:
            self.counts[key] += 1

    def drain(self) -> dict[str, Value]:
        """Return the counts since the last drain and since reset."""
        if not self.fresh:
            return {}
        self.fresh = False
        values: dict[str, Value] = dict(self.counts)
        if not self.timed:
            values |= {LATE.key: None, LATE_TOTAL.key: None}
        if self.lateness_ns is not None:
            values[LATENESS.key] = self.lateness_ns / 1e6
        self.counts |= {LATE.key: 0, DISORDERED.key: 0}
        self.lateness_ns = None
        return values

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return [*self.disorder.take(), *self.late.take()]

    def reset(self) -> None:
        """Restart the totals."""
        self.counts |= {LATE_TOTAL.key: 0, DISORDERED_TOTAL.key: 0}

    def finish(self) -> None:
        """Close what is open."""
        self.late.close()
        self.disorder.close()
