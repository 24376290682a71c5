"""One worker on its ladder: its own load gathered, and its source told how much to decode."""

from collections.abc import Sequence

from capture.occupation import Occupation
from capture.source import Item, Source, StreamInfo, Thins
from monitor.worker.handover import REASON
from monitor.worker.ladder import LOOK_NS, Ladder, Pressure


class Climbing:
    """The rung of a source that can decode less; of others nothing is done."""

    def __init__(self, source: Source, t_ns: int) -> None:
        self._source = source if isinstance(source, Thins) else None
        self._pressure, self._work = Pressure(), Occupation(t_ns)
        self._ladder: Ladder | None = None
        self._due_ns = 0

    def opened(self, streams: Sequence[StreamInfo], t_ns: int) -> None:
        """Begin, where there are pictures to leave out."""
        if any(info.kind == "video" for info in streams):
            self._ladder = Ladder(t_ns / 1e9)

    def waited(self, from_ns: int, to_ns: int) -> None:
        """Note that the measuring thread had nothing to do."""
        self._work.waited(from_ns, to_ns)

    def take(self, item: Item, now_ns: int) -> None:
        """Note an item as it is measured."""
        self._pressure.take(item, now_ns, REASON)

    def look(self, now_ns: int) -> None:
        """Have fewer pictures decoded where the machine is short, and more where it is not."""
        if self._ladder is None or self._source is None or now_ns < self._due_ns:
            return
        self._due_ns = now_ns + LOOK_NS
        load = self._pressure.load(max(self._source.busy, self._work.share))
        before = self._ladder.rung
        rung = self._ladder.look(load, now_ns / 1e9)
        if rung != before:
            self._source.thin(rung)
