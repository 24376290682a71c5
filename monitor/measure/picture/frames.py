"""Pictures counted, and those that are missing by their time-stamps.

A step of about k usual steps is k - 1 missing pictures. A stream without a steady cadence
(variable frame rate) has no missing pictures by stamps: the count is then unknown, not zero.

While fewer pictures are decoded than come, the stamps of packets stand for those of pictures: the
decoding ones, which are in order, and of which as many are missing.
"""

from capture.source import RUNGS, Frame, Item, Lost, Packet, Thinned
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.bursts import Bursts
from monitor.measure.picture.stamps import LEARNED_FRAMES, Cadence, second_ticks, unwrapped_step
from monitor.metrics import Value, declare

BREAK_S = 10  # a longer step, or one back, is another timeline; the source counts such losses

FRAMES = declare("frames", "frames", "scalar", "sum", "Pictures decoded")
TOTAL = declare("frames_total", "frames", "scalar", "last", "Pictures decoded since reset")
DROPPED = declare("frames_dropped", "frames", "scalar", "sum", "Pictures missing by time-stamps")
DROPPED_TOTAL = declare(
    "frames_dropped_total", "frames", "scalar", "last", "Pictures missing since reset"
)
SAME_STAMP = declare(
    "stamps_repeated", "frames", "scalar", "sum", "Pictures with the stamp of the one before"
)


@measure("frames", is_video, detectors=("frames_dropped",))
class Frames:
    """Counts one stream's pictures and finds the holes in their stamps."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.bursts = Bursts("frames_dropped", "frames", self.second, "missing: frame")
        self.cadence = Cadence()
        self.waiting: list[tuple[int, int, int, int]] = []  # not judged yet: no cadence was known
        self.unstamped = 0  # pictures since the last stamp: a lost header takes the stamp alone
        self.last_pts: int | None = None
        self.by_packets = False
        self.fresh = False
        self.origin = 0  # the first stamp of this timeline: pictures are numbered from it
        self.frames = self.total = self.dropped = self.dropped_total = self.same = 0

    def feed(self, item: Item) -> None:
        """Take the next picture; pictures lost on our own way here are not missing on the feed."""
        if isinstance(item, Thinned):
            self._thin(item.rung != RUNGS[0])
        elif isinstance(item, Lost) and item.unit == "frames" and not self.by_packets:
            self.last_pts = None
        elif isinstance(item, Packet) and self.by_packets:
            self.fresh = True
            stamp = item.dts if item.dts is not None else item.pts
            if stamp is not None:
                self._stamped(stamp)
        elif isinstance(item, Frame):
            self._counted(item)

    def _counted(self, frame: Frame) -> None:
        self.fresh = True
        self.frames += 1
        self.total += 1
        if self.by_packets:
            return
        if frame.pts is None:
            self.unstamped += 1
        else:
            self._stamped(frame.pts)

    def _thin(self, by_packets: bool) -> None:
        """Follow the other stamps: they are apart from these by what the decoder holds back."""
        if by_packets != self.by_packets:
            self.by_packets, self.last_pts, self.unstamped = by_packets, None, 0

    def _stamped(self, pts: int) -> None:
        last, self.last_pts = self.last_pts, pts
        unstamped, self.unstamped = self.unstamped, 0
        if last is None:
            self.origin = pts
            return
        step = unwrapped_step(pts - last)
        if step == 0:
            self.same += 1
        if step < 0 or step > BREAK_S * self.second:
            self.origin = pts
        if step <= 0 or step > BREAK_S * self.second:
            return
        self.cadence.add(step)
        self.waiting.append((last, pts, step, unstamped))
        if self.cadence.period is not None:
            self._judge_waiting()
        elif len(self.waiting) > LEARNED_FRAMES:
            self.waiting.pop(0)  # no cadence for two seconds: nothing can be said of it

    def _judge_waiting(self) -> None:
        waiting, self.waiting = self.waiting, []
        for one in waiting:
            self._judge(*one)

    def _judge(self, last: int, pts: int, step: int, unstamped: int) -> None:
        period = self.cadence.period
        if period is None:
            return
        missing = round(step / period) - 1 - unstamped if step > 1.5 * period else 0
        if missing <= 0:
            self.bursts.quiet(pts)
            return
        self.dropped += missing
        self.dropped_total += missing
        first = round((last - self.origin) / period) + 1
        name = str(first) if missing == 1 else f"{first}–{first + missing - 1}"
        self.bursts.fault(last + period, pts, missing, name)

    def drain(self) -> dict[str, Value]:
        """Return the counts since the last drain and since reset."""
        if not self.fresh:
            return {}
        self.fresh = False
        steady = self.cadence.period is not None
        values: dict[str, Value] = {
            FRAMES.key: self.frames,
            TOTAL.key: self.total,
            DROPPED.key: self.dropped if steady or self.dropped else None,
            DROPPED_TOTAL.key: self.dropped_total if steady or self.dropped_total else None,
            SAME_STAMP.key: self.same,
        }
        self.frames = self.dropped = self.same = 0
        return values

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.bursts.take()

    def reset(self) -> None:
        """Restart the totals."""
        self.total = self.dropped_total = 0

    def finish(self) -> None:
        """Judge what waits and close what is open."""
        self._judge_waiting()
        self.bursts.close()
