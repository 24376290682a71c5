"""How long from one key frame to the next, from packets: after damage a picture waits that long."""

from capture.source import Item, Packet
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.stamps import unwrapped_step
from monitor.metrics import Value, declare

BREAK_S = 10.0  # a step this long, or one back, is another timeline

INTERVAL = declare(
    "key_frame_interval_s", "s", "scalar", "max", "Time between key frames, or since the last one"
)
LONGEST = declare(
    "key_frame_interval_max_s", "s", "scalar", "max", "Longest time between key frames since reset"
)


@measure("key_frames", is_video)
class KeyFrames:
    """Measures the gaps between one stream's key packets; before the first one nothing is known."""

    def __init__(self, setup: Setup) -> None:
        self.tick_s = float(setup.stream.time_base)
        self.last: int | None = None
        self.since: int | None = None  # ticks since the last key packet
        self.interval: int | None = None
        self.longest: int | None = None
        self.fresh = False

    def feed(self, item: Item) -> None:
        """Take the next packet, in decoding order."""
        if not isinstance(item, Packet):
            return
        stamp = item.dts if item.dts is not None else item.pts
        if stamp is None:
            return
        step = 0 if self.last is None else unwrapped_step(stamp - self.last)
        self.last = stamp
        if step < 0 or step * self.tick_s > BREAK_S:
            self.since = None
        if self.since is not None:
            self.since += step
            self.interval = max(self.interval or 0, self.since) if item.key else self.interval
        if item.key:
            self.since = 0
        self.fresh = True

    def drain(self) -> dict[str, Value]:
        """Return the longest gap since the last drain; a running one counts once it is longer."""
        if not self.fresh:
            return {}
        self.fresh = False
        known = [ticks for ticks in (self.interval, self.since) if ticks]
        if not known:
            return {}
        newest = max(known)
        self.longest = max(self.longest or 0, newest)
        closed, self.interval = self.interval, None
        values: dict[str, Value] = {LONGEST.key: self.longest * self.tick_s}
        if closed is not None or newest >= self.longest:
            values[INTERVAL.key] = newest * self.tick_s
        return values

    def events(self) -> list[Detection]:
        """Return nothing: an interval is judged by a rule."""
        return []

    def reset(self) -> None:
        """Restart the longest."""
        self.longest = self.interval = None

    def finish(self) -> None:
        """Nothing is open."""
