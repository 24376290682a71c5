"""The time of a live feed: bursts spread, jumps of its stamps told, losses told in batches.

Time is an argument everywhere.
"""

from typing import TYPE_CHECKING

from capture.source import Changed, Lost

if TYPE_CHECKING:
    from capture.demux import Demuxer

BURST_SPEED = 4.0  # what waited while the feed was probed comes this much faster than live, not
BURST_FREE_S = 0.1  # at once: measuring holds a third of a second of pictures and would lose some
JUMP_S = 10.0  # a step of the stamps this long, or back by a second, is another timeline
BACK_S = 1.0
SETTLE_S = 2.0  # the other streams' stamps jump within this of the first one's
LOSS_EVERY_NS = 1_000_000_000  # losses are told at most once a second


class Losses:
    """Counts lost packets of every stream and tells them at most once a second."""

    def __init__(self) -> None:
        self.waiting: dict[int, Lost] = {}
        self.told_ns = 0

    def add(self, lost: Lost) -> None:
        """Count a loss with those of its stream that wait to be told."""
        old = self.waiting.get(lost.stream)
        amount = lost.amount + (old.amount if old else 0)
        self.waiting[lost.stream] = Lost(
            stream=lost.stream,
            epoch=lost.epoch,
            start=old.start if old else lost.start,
            amount=amount,
            unit=lost.unit,
            reason=lost.reason,
            t_arrival_ns=lost.t_arrival_ns,
        )

    def due(self, now_ns: int) -> list[Lost]:
        """Return what is to be told now: nothing within a second of the last time."""
        if not self.waiting or now_ns - self.told_ns < LOSS_EVERY_NS:
            return []
        told, self.waiting, self.told_ns = list(self.waiting.values()), {}, now_ns
        return told


class Pace:
    """Spreads bursts: one stream's media time may run ``speed`` times as fast as the clock.

    Time is an argument. The first stream that is seen sets the pace for all.
    """

    def __init__(self, speed: float = BURST_SPEED) -> None:
        self.speed = speed
        self.stream: int | None = None
        self.anchor: tuple[float, float] | None = None  # media and clock, in seconds

    def wait_s(self, stream: int, media_s: float, now_s: float) -> float:
        """Return how long to hold this packet back, at most ``BURST_FREE_S``."""
        if self.stream is None:
            self.stream = stream
        if stream != self.stream:
            return 0.0
        if self.anchor is None:
            self.anchor = media_s, now_s
        due_s = self.anchor[1] + (media_s - self.anchor[0]) / self.speed
        if abs(now_s - due_s) > BURST_FREE_S:  # live, after a pause, or another timeline
            self.anchor = media_s, now_s
            return 0.0 if now_s > due_s else BURST_FREE_S
        return max(0.0, due_s - now_s)


class Timeline:
    """Watches the stamps of all streams for a jump; a jump begins a new epoch."""

    def __init__(self, demuxer: "Demuxer") -> None:
        self.demuxer = demuxer
        self.last_s: dict[int, float] = {}
        self.jumped_ns: int | None = None

    def follow(self, stream: int, dts: int | None, now_ns: int) -> Changed | None:
        """Take a packet's stamp; return the change when its timeline is another one."""
        if dts is None:
            return None
        at_s = float(dts * self.demuxer.decoders[stream].base)
        last_s = self.last_s.get(stream)
        self.last_s[stream] = at_s
        if last_s is None or -BACK_S <= at_s - last_s <= JUMP_S:
            return None
        settling = self.jumped_ns is not None and now_ns - self.jumped_ns < SETTLE_S * 1e9
        self.demuxer.decoders[stream].next_sample = None
        if settling:
            return None
        self.jumped_ns = now_ns
        self.demuxer.next_epoch()
        return Changed(
            epoch=self.demuxer.epoch,
            streams=self.demuxer.infos(),
            reason=f"time-stamps jumped by {at_s - last_s:+.1f} s",
            t_arrival_ns=now_ns,
        )
