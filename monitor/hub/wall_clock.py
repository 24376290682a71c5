"""UTC mapped from the monotonic axis: rules run on the axis, people read UTC.

A pair (monotonic, UTC, error bound) arrives every second. The offset is taken from the pair with
the least error among the recent ones; a pair that contradicts it by more than both error bounds is
a jump of the wall clock (an operator or NTP set it), and the mapping restarts from that pair.
"""

from collections import deque
from dataclasses import dataclass, field

KEPT_PAIRS = 30  # half a minute: clocks drift about 1 ms in that time at 30 ppm
DRIFT_PPM = 100  # a crystal's worst: two old pairs may differ by this much honestly
JUMP_NS = 100_000_000  # below 0.1 s nobody reading a slate can see the difference


@dataclass(slots=True)
class WallClock:
    """The mapping; all times in nanoseconds."""

    _pairs: deque[tuple[int, int, int]] = field(default_factory=lambda: deque(maxlen=KEPT_PAIRS))

    def observe(self, t_ns: int, utc_ns: int, error_ns: int) -> int:
        """Take one pair; return by how much the wall clock jumped, usually 0."""
        offset = utc_ns - t_ns
        if not self._pairs:
            self._pairs.append((t_ns, offset, error_ns))
            return 0
        t_best, best, error_best = self._best()
        allowed = error_ns + error_best + abs(t_ns - t_best) * DRIFT_PPM // 1_000_000 + JUMP_NS
        jump = offset - best
        if abs(jump) > allowed:
            self._pairs.clear()
        self._pairs.append((t_ns, offset, error_ns))
        return jump if abs(jump) > allowed else 0

    def _best(self) -> tuple[int, int, int]:
        return min(self._pairs, key=lambda pair: (pair[2], -pair[0]))

    @property
    def offset_ns(self) -> int:
        """UTC minus the axis; 0 before the first pair."""
        return self._best()[1] if self._pairs else 0

    @property
    def error_ns(self) -> int | None:
        """The error bound of the mapping, None before the first pair."""
        return self._best()[2] if self._pairs else None

    def utc(self, t_ns: int) -> int:
        """Return the UTC of a point on the axis."""
        return t_ns + self.offset_ns
