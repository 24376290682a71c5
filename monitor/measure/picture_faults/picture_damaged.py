"""Damaged pictures: what the link or the decoder flagged, until the picture is whole again.

Damage spreads from picture to picture until a key frame redraws everything, so an episode closes
at the first key packet that is at least two packets after the last corrupt one: one packet less
gave about five false frames a run.

It opens at the first picture shown that the decoder flags, or that was *coded after* the flagged
packet. FFmpeg reads a transport stream through a parser that sees a picture's end in the next
one's beginning, so the flag of a loss comes out with the picture before it: in 99 of 99 losses,
of four codecs, the flagged packet's own picture was whole. With B pictures what is damaged may be
shown before it, which its stamp would not tell.

While only packets are followed, or key frames alone are decoded, packets count as the pictures they
hold, and the episode closes at that key packet itself.
"""

from collections import deque

from capture.source import Frame, Item, Packet, Rung, Thinned
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import FrameClock
from monitor.metrics import Value, declare

CLEAN_PACKETS = 2
REORDERED_PACKETS = 32  # twice the most that a decoder may hold back (ITU-T H.264, A.3.1: 16)
FEW: frozenset[Rung] = frozenset({"key frames", "packets only"})  # too few to see damage in

CORRUPT = declare(
    "packets_corrupt", "packets", "scalar", "sum", "Packets that came damaged or do not decode"
)
DAMAGED = declare(
    "frames_damaged", "frames", "scalar", "sum", "Pictures shown while damage had not healed"
)


@measure("picture_damaged", is_video, detectors=("picture_damaged",))
class PictureDamaged:
    """Latches damage until a clean key frame."""

    def __init__(self, setup: Setup) -> None:
        self.clock = FrameClock(setup.stream)
        self.span = Span("picture_damaged", "frames")
        self.clean_packets = 0
        self.heals_at: int | None = None
        self.position = 0
        self.coded: deque[int] = deque(maxlen=REORDERED_PACKETS)  # stamps in coded order
        self.flagged: int | None = None  # stamp of a corrupt packet whose damage was not seen yet
        self.before: frozenset[int] = frozenset()  # coded up to it: whole
        self.waited = 0  # packets since
        self.frames = 0  # of the open episode
        self.corrupt = self.damaged = 0
        self.few = False
        self.fresh = False

    def feed(self, item: Item) -> None:
        """Take the next packet or picture; a ``Lost`` repeats what its packet said."""
        if isinstance(item, Packet):
            self._packet(item)
            if self.few:
                self._picture(self.position)
        elif isinstance(item, Thinned):
            self.few = item.rung in FEW
        elif isinstance(item, Frame) and not self.few:
            self._frame(item)

    def _open(self, tick: int) -> None:
        self.flagged = None
        if not self.span.is_open:
            self.frames = 0
            self.span.open(tick, 1, "damaged on the link or by the encoder")

    def _packet(self, packet: Packet) -> None:
        self.fresh = True
        stamp = packet.pts if packet.pts is not None else packet.dts
        self.position = self.position if stamp is None else stamp
        if stamp is not None:
            self.coded.append(stamp)
        if packet.corrupt:
            self._flag()
            return
        self.clean_packets += 1
        waits = (self.span.is_open or self.flagged is not None) and self.heals_at is None
        if waits and packet.key and self.clean_packets >= CLEAN_PACKETS:
            self.heals_at = self.position
        self._wait()

    def _flag(self) -> None:
        self.corrupt += 1
        self.clean_packets, self.heals_at = 0, None
        if self.flagged is None and not self.span.is_open:
            self.flagged, self.before = self.position, frozenset(self.coded)
            self.waited = 0
        self._wait()

    def _wait(self) -> None:
        """Open after all where the decoder shows nothing any more."""
        self.waited += 1
        if self.flagged is not None and self.waited > REORDERED_PACKETS:
            self._open(self.flagged)

    def _frame(self, frame: Frame) -> None:
        tick = self.clock.tick(frame)
        self.waited = 0
        if frame.corrupt and (self.heals_at is None or tick >= self.heals_at):
            self.clean_packets, self.heals_at = 0, None
            self._open(tick)
        self._picture(tick)

    def _picture(self, tick: int) -> None:
        """Count a picture of the open episode; open or close it where it begins or ends."""
        if self.heals_at is not None and tick >= self.heals_at:
            self.span.close(max(tick, self.span.start), max(1, self.frames), count=self.frames)
            self.heals_at = self.flagged = None
        elif self.flagged is not None and (self.few or tick not in self.before):
            self._open(tick)
        if self.span.is_open:
            self.frames += 1
            self.damaged += 1

    def drain(self) -> dict[str, Value]:
        """Return the counts since the last drain."""
        if not self.fresh:
            return {}
        values: dict[str, Value] = {CORRUPT.key: self.corrupt, DAMAGED.key: self.damaged}
        self.corrupt, self.damaged, self.fresh = 0, 0, False
        return values

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated since reset."""

    def finish(self) -> None:
        """Close an open episode at the end of the last picture."""
        if self.flagged is not None:  # the end cut the packet off, or what came after it
            self._open(self.flagged)
        end = max(self.clock.end, self.span.start + 1)
        self.span.close(end, max(1, self.frames), count=max(1, self.frames))
