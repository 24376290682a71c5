"""The encoded bit rate over 1 s and 10 s of stream time, from packets before decoding.

A packet's bytes are spread evenly from its decoding stamp to the next one's, so that a constant
rate measures constant whatever its packets' size. A window ends at each packet; the extremes are
those of all full 1 s windows. Stamps, not arrivals: a burst on the network is no burst of bits.
"""

from bisect import bisect_left

from capture.source import Item, Packet
from monitor.measure.measurement import Detection, Setup, measure
from monitor.measure.picture.stamps import second_ticks, unwrapped_step
from monitor.metrics import Value, declare

SHORT_S, LONG_S = 1, 10
BREAK_S = 10  # a longer step, or one back by more than reordering, is another timeline
KNOTS_LIMIT = 8_192  # 10 s of 500 packets a second with room; beyond it the long window shrinks

RATE_1S = declare("bit_rate_1s_bps", "bit/s", "scalar", "last", "Encoded bit rate of the last 1 s")
RATE_10S = declare(
    "bit_rate_10s_bps", "bit/s", "scalar", "last", "Encoded bit rate of the last 10 s"
)
LEAST = declare(
    "bit_rate_min_1s_bps", "bit/s", "scalar", "min", "Least bit rate of any 1 s window since reset"
)
MOST = declare(
    "bit_rate_max_1s_bps", "bit/s", "scalar", "max", "Greatest bit rate of any 1 s since reset"
)
MEAN = declare("bit_rate_mean_bps", "bit/s", "scalar", "last", "Mean bit rate since reset")
PER_PICTURE = declare(
    "picture_bits_mean", "bit", "scalar", "last", "Mean bits of a coded picture since reset"
)


def bytes_at(ticks: list[int], sums: list[int], at: int) -> float:
    """Return the bytes before a tick: ``sums[i]`` lie before ``ticks[i]``, linear between them."""
    i = bisect_left(ticks, at)
    if i < len(ticks) and ticks[i] == at:
        return float(sums[i])
    if i == 0:
        return float(sums[0])
    span = ticks[i] - ticks[i - 1]
    return sums[i - 1] + (sums[i] - sums[i - 1]) * (at - ticks[i - 1]) / span


@measure("bit_rate", lambda stream: stream.kind in ("audio", "video"))
class BitRate:
    """Measures one stream's packets."""

    def __init__(self, setup: Setup) -> None:
        stream = setup.stream
        self.second = second_ticks(stream)
        self.tick_s = float(stream.time_base)
        self.ticks: list[int] = []
        self.sums: list[int] = []  # bytes before each tick
        self.pending = 0  # bytes of packets at the newest tick
        self.last_stamp: int | None = None
        self.last_duration = 0
        self.mean_from: tuple[int, int] | None = None
        self.least: float | None = None
        self.most: float | None = None
        self.fresh = False
        self.pictures = stream.kind == "video"
        self.packets = self.packet_bytes = 0  # since reset

    def feed(self, item: Item) -> None:
        """Take the next packet."""
        if not isinstance(item, Packet):
            return
        self.packets += 1
        self.packet_bytes += item.size_bytes
        stamp = item.dts if item.dts is not None else item.pts
        if stamp is None:
            self.pending += item.size_bytes
            return
        step = 0 if self.last_stamp is None else unwrapped_step(stamp - self.last_stamp)
        self.last_stamp = stamp
        if step < 0 or step > BREAK_S * self.second:
            self._advance(self.last_duration or 1)
            self.ticks, self.sums = self.ticks[-1:], self.sums[-1:]
        elif step > 0:
            self._advance(step)
        if not self.ticks:
            self.ticks, self.sums, self.mean_from = [0], [0], (0, 0)
        self.pending += item.size_bytes
        self.last_duration = item.duration or step or self.last_duration

    def _advance(self, step: int) -> None:
        """Spread what is pending over the step that has passed, and judge the window."""
        if not self.ticks:
            return
        self.ticks.append(self.ticks[-1] + step)
        self.sums.append(self.sums[-1] + self.pending)
        self.pending, self.fresh = 0, True
        rate = self._window(SHORT_S)
        if rate is not None:
            self.least = rate if self.least is None else min(self.least, rate)
            self.most = rate if self.most is None else max(self.most, rate)
        if len(self.ticks) > 2 * KNOTS_LIMIT or (
            len(self.ticks) % 256 == 0 and self.ticks[0] < self.ticks[-1] - LONG_S * self.second
        ):
            self._forget()

    def _forget(self) -> None:
        keep = max(
            bisect_left(self.ticks, self.ticks[-1] - LONG_S * self.second) - 1,
            len(self.ticks) - KNOTS_LIMIT,
            0,
        )
        self.ticks, self.sums = self.ticks[keep:], self.sums[keep:]

    def _window(self, length_s: int) -> float | None:
        begin = self.ticks[-1] - length_s * self.second
        if begin < self.ticks[0]:
            return None
        return (self.sums[-1] - bytes_at(self.ticks, self.sums, begin)) * 8 / length_s

    def drain(self) -> dict[str, Value]:
        """Return the rates, when packets came since the last drain; whole bits a second."""
        if not self.fresh or self.mean_from is None:
            return {}
        self.fresh = False
        span_s = (self.ticks[-1] - self.mean_from[0]) * self.tick_s
        mean = (self.sums[-1] - self.mean_from[1]) * 8 / span_s if span_s > 0 else None
        values: dict[str, float | None] = {
            RATE_1S.key: self._window(SHORT_S),
            RATE_10S.key: self._window(LONG_S),
            LEAST.key: self.least,
            MOST.key: self.most,
            MEAN.key: mean,
        }
        if self.pictures and self.packets:
            values[PER_PICTURE.key] = self.packet_bytes * 8 / self.packets
        return {key: None if value is None else round(value) for key, value in values.items()}

    def events(self) -> list[Detection]:
        """Return nothing: a rate is judged by a rule."""
        return []

    def reset(self) -> None:
        """Restart the mean and the extremes at the newest packet."""
        self.least = self.most = None
        self.packets = self.packet_bytes = 0
        if self.ticks:
            self.mean_from = (self.ticks[-1], self.sums[-1])

    def finish(self) -> None:
        """Count the last packet over its own duration."""
        if self.pending and self.ticks:
            self._advance(max(1, self.last_duration))
