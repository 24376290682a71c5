"""Put decoded pictures back where one thread would have given them.

FFmpeg's frame threads give what a packet decodes into only when so many more packets of its
stream have come. Items then wait until everything before them is there: their order is that of one
thread, item by item, and nothing measured depends on the number of threads. Pure.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from capture.source import Item


@dataclass(slots=True)
class _Place:
    """What one packet gives, and whether all of it is there."""

    items: list[Item]
    whole: bool = False

    def fill(self, decoded: Iterable[Sequence[Item]]) -> None:
        """Take the items of each picture; nothing more is to come."""
        for items in decoded:
            self.items += items
        self.whole = True


class InStep:
    """Items in the order of their packets. ``behind``: packets a stream's pictures come late by."""

    def __init__(self, behind: Mapping[int, int]) -> None:
        self._behind = behind
        self._places: deque[_Place] = deque()
        self._late: dict[int, deque[_Place]] = {stream: deque() for stream in behind}
        self._waited: set[int] = set(behind)  # streams of which no picture came yet

    def put(self, stream: int, packet: Sequence[Item], decoded: Sequence[Sequence[Item]]) -> None:
        """Take the items of a packet itself, and those of each picture that came out with it."""
        place = self._place(packet)
        late = self._late.get(stream)
        if late is None:
            place.fill(decoded)
            return
        late.append(place)
        if len(late) > self._behind[stream]:
            late.popleft().fill(decoded)
            self._waited -= {stream} if decoded else set()
        else:
            assert not decoded, "a picture came before its turn"

    def end(self, stream: int, decoded: Sequence[Sequence[Item]]) -> None:
        """Take all that is left of a stream: a picture a late packet, the others behind them."""
        late = self._late.get(stream, deque())
        left = deque(decoded)
        while late:
            late.popleft().fill([left.popleft()] if left else [])
        self._place(()).fill(left)

    def take(self) -> list[Item]:
        """Return what waits for nothing before it."""
        items: list[Item] = []
        while self._places and self._places[0].whole:
            items += self._places.popleft().items
        return items

    def begun(self, stream: int) -> bool:
        """Say whether a stream is in its stride: each further packet gives a picture."""
        return stream not in self._waited

    @property
    def waiting(self) -> bool:
        """Whether a packet waits for what it decodes into."""
        return any(self._late.values())

    def _place(self, items: Sequence[Item]) -> _Place:
        place = _Place(list(items))
        self._places.append(place)
        return place
