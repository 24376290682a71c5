"""Connected but silent: when a stream's packets stop coming. Pure; time is an argument.

A stopped peer raises nothing, and a feed whose sound flows on hides that its picture stands. So
every stream's arrivals are watched by themselves: silence longer than its own pauses is told.
"""

import heapq
from collections import deque
from collections.abc import Sequence

from capture.source import Frame, Item, Packet, StreamInfo

# The aim is to tell within the longer of 4 pictures and 150 ms; the rest is for waking up.
PICTURES = 3.5
LEAST_NS = 130_000_000
# Pauses are usual where they come again: sound in MPEG-TS comes in bursts of 0.3 s, a key frame
# takes longer over a slow link. Once or twice is a fault, three times is this feed's habit.
PAUSES_KEPT = 256  # 10 s of pictures at 25 a second, longer than most encoders' key frame interval
HABIT = 3
HABIT_SLACK = 1.5
LEARNING_NS = 1_500_000_000  # from a stream's first packet: until its bursts have been seen
WORDS = {"video": "picture", "audio": "sound", "data": "data"}


class _Stream:
    """One stream's arrivals. Written by the reading thread, looked at by another: plain numbers."""

    def __init__(self, info: StreamInfo) -> None:
        self.word = WORDS[info.kind]
        rate = info.frame_rate
        self.least_ns = max(LEAST_NS, int(PICTURES * 1e9 / rate) if rate else 0)
        self.pauses: deque[int] = deque(maxlen=PAUSES_KEPT)
        self.has_packets = False
        self.first_ns: int | None = None
        self.last_ns = 0
        self.limit_ns = self.least_ns

    def arrived(self, t_ns: int) -> None:
        if self.first_ns is None:
            self.first_ns = t_ns
        else:
            self.pauses.append(t_ns - self.last_ns)
            longest = heapq.nlargest(HABIT, self.pauses)
            habit = longest[-1] if len(longest) == HABIT else 0
            self.limit_ns = max(self.least_ns, int(HABIT_SLACK * habit))
        self.last_ns = t_ns

    def due_ns(self) -> int | None:
        """Return when its silence becomes too long; None where it is not known yet."""
        if self.first_ns is None or self.last_ns - self.first_ns < LEARNING_NS:
            return None
        return self.last_ns + self.limit_ns


class Arrivals:
    """The arrivals of all streams of a source, by its packets, or pictures."""

    def __init__(self, streams: Sequence[StreamInfo] = ()) -> None:
        self._streams = {info.index: _Stream(info) for info in streams}

    def take(self, item: Item) -> None:
        """Note an item's arrival: packets; pictures of a device, which has none."""
        if not isinstance(item, Packet | Frame) or item.stream not in self._streams:
            return
        stream = self._streams[item.stream]
        stream.has_packets |= isinstance(item, Packet)
        if isinstance(item, Packet) or not stream.has_packets:
            stream.arrived(item.t_arrival_ns)

    def due_ns(self, now_ns: int) -> int | None:
        """Return when the next stream will have been silent for too long, if none comes."""
        found = (stream.due_ns() for stream in self._streams.values())
        return min((due for due in found if due is not None and due > now_ns), default=None)

    def silence(self, now_ns: int) -> str | None:
        """Say in words which streams are silent for too long, or None."""
        known = [(s.word, due) for s in self._streams.values() if (due := s.due_ns()) is not None]
        silent = list(dict.fromkeys(word for word, due in known if due <= now_ns))
        flowing = list(dict.fromkeys(word for word, due in known if due > now_ns))
        if not silent:
            return None
        if not flowing:
            return "connected, but nothing arrives"
        return f"no {' and no '.join(silent)} arrives, {' and '.join(flowing)} does"
