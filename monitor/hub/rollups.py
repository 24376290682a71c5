"""One-second roll-ups of readings. Pure: seconds are of the monotonic axis."""

from dataclasses import dataclass, field

from monitor.lines import Reading
from monitor.metrics import Value, merge_values
from monitor.records import Rollup

SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class _Bucket:
    second: int
    intervals: int
    values: dict[str, Value]


@dataclass(slots=True)
class Rollups:
    """Merges the readings of each stream by the second they arrived in."""

    _buckets: dict[tuple[str, int], _Bucket] = field(default_factory=dict)
    _full: list[tuple[str, int, _Bucket]] = field(default_factory=list)

    def add(self, reading: Reading, t_ns: int) -> None:
        """Take a reading that arrived at ``t_ns``; a late one counts in the second that is open."""
        key, second = (reading.source, reading.stream), t_ns // SECOND_NS
        bucket = self._buckets.get(key)
        if bucket is None or second > bucket.second:
            if bucket is not None:
                self._full.append((*key, bucket))
            self._buckets[key] = _Bucket(second, reading.intervals, dict(reading.values))
            return
        bucket.values = merge_values(bucket.values, reading.values)
        bucket.intervals += reading.intervals

    def due(self, t_ns: int, offset_ns: int) -> list[Rollup]:
        """Return the seconds that are over; ``offset_ns`` is UTC minus the axis."""
        over = [key for key, b in self._buckets.items() if b.second < t_ns // SECOND_NS]
        self._full.extend((*key, self._buckets.pop(key)) for key in over)
        full, self._full = self._full, []
        return [
            Rollup(
                source=source,
                stream=stream,
                utc_s=(bucket.second * SECOND_NS + offset_ns) // SECOND_NS,
                t_ns=bucket.second * SECOND_NS,
                intervals=bucket.intervals,
                values=bucket.values,
            )
            for source, stream, bucket in full
        ]
