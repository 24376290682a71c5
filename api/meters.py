"""The binary meters: which number lies where, and the snapshot itself. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from api.messages import MeterSlot
from monitor.hub.watching import Watching

WORDS_BEFORE = 2  # layout number, age of the oldest value
METERS_LIMIT = 65_536  # 256 KiB a snapshot: 32 sources of 64 channels with 30 metrics

Key = tuple[str, int, str, int]


def keys(sources: Iterable[Watching]) -> list[Key]:
    """Return source, stream, metric and count of every number there is."""
    return [
        (source.id, stream, metric, len(value) if isinstance(value, list) else 1)
        for source in sources
        for stream, values in sorted(source.values.items())
        for metric, value in values.items()
        if not isinstance(value, str)
    ]


@dataclass(slots=True)
class Meters:
    """The layout in force; a new one whenever a number appears or changes its count.

    Numbers that vanish (a lost source) keep their place and become unknown.
    """

    layout: int = 0
    slots: list[MeterSlot] = field(default_factory=list)
    _places: dict[tuple[str, int, str], MeterSlot] = field(default_factory=dict)

    def follow(self, sources: Iterable[Watching]) -> bool:
        """Bring the layout up to date; say whether it changed."""
        counts = {(s.source, s.stream, s.metric): s.count for s in self.slots}
        seen = {(source, stream, metric): n for source, stream, metric, n in keys(sources)}
        if all(counts.get(key) == count for key, count in seen.items()):
            return False
        offset, slots = 0, list[MeterSlot]()
        for (source, stream, metric), count in (counts | seen).items():
            if offset + count > METERS_LIMIT:
                break
            slots.append(
                MeterSlot(source=source, stream=stream, metric=metric, offset=offset, count=count)
            )
            offset += count
        self.slots, self.layout = slots, self.layout + 1
        self._places = {(s.source, s.stream, s.metric): s for s in slots}
        return True

    def snapshot(self, sources: Iterable[Watching], age_s: float) -> bytes:
        """Return the numbers as little-endian float32; unknown is a quiet NaN."""
        last = self.slots[-1] if self.slots else None
        size = last.offset + last.count if last else 0
        numbers = np.full(WORDS_BEFORE + size, np.nan, "<f4")
        numbers[0], numbers[1] = self.layout, age_s
        for source in sources:
            for stream, values in source.values.items():
                for metric, value in values.items():
                    slot = self._places.get((source.id, stream, metric))
                    if slot is not None and not isinstance(value, str):
                        row = value if isinstance(value, list) else [value]
                        at = WORDS_BEFORE + slot.offset
                        numbers[at : at + slot.count] = np.array(row, "<f4")
        return numbers.tobytes()
