"""The bounded hand-over inside a worker: from the reader's thread to the measuring one.

Devices cannot be paused, so the reader never waits: what does not fit is counted and handed over
as ``Lost`` (reason ``compute``) where it would have been. Where sound or packets have filled half
of their bound, the pictures that wait among them give way. Commands from standard input come in
by the same door, so that the measuring thread has one thing to wait for.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from capture.source import Block, Changed, Frame, Item, Lost, Packet, StreamInfo
from monitor.lines import InLine

HELD_S = 2.0  # sound held between reading and measuring: DESIGN.md's bound
HELD_FRAMES = 16  # pictures are large: 16 of 1080p are 50 MB, two thirds of a second at 25
HELD_PACKETS = 2048  # small; 2 s of any stream we know
BATCH = 16  # items taken at once: a few blocks, so that commands never wait long
COMMANDS_LIMIT = 256  # the service sends a credit a reading; more than this is a fault in it
REASON = "compute"

Unit = Literal["samples", "packets", "frames"]


@dataclass(slots=True)
class Outcome:
    """How reading ended: by the source's own end, by its loss, or not opened at all."""

    state: Literal["ended", "lost", "failed"]
    why: str


@dataclass(slots=True)
class Taken:
    """What the measuring thread found at the door."""

    commands: list[InLine] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    opened: tuple[StreamInfo, ...] | None = None
    outcome: Outcome | None = None
    """Set once everything read before the end has been taken."""
    end_of_input: bool = False


def amount(item: Block | Packet | Frame) -> tuple[float, Unit]:
    """Return how much an item is, for counting its loss."""
    if isinstance(item, Block):
        return float(len(item.samples)), "samples"
    return 1.0, "packets" if isinstance(item, Packet) else "frames"


def _start(item: Block | Packet | Frame) -> int | None:
    return item.start if isinstance(item, Block) else item.pts


class HandOver:
    """Items and commands waiting for the measuring thread; all methods may be called anywhere."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._items: deque[Item] = deque()
        self._commands: deque[InLine] = deque()
        self._held: dict[tuple[int, str], float] = {}
        self._limits: dict[tuple[int, str], float] = {}
        self._lost: dict[tuple[int, str], Lost] = {}
        self._taken = Taken()
        self._outcome: Outcome | None = None

    def opened(self, streams: Sequence[StreamInfo]) -> None:
        """Tell what the source opened, and size the bounds by it."""
        with self._condition:
            self._size(streams)
            self._taken.opened = tuple(streams)
            self._condition.notify()

    def _size(self, streams: Sequence[StreamInfo]) -> None:
        self._limits = {
            (info.index, "samples"): HELD_S * (info.sample_rate_hz or 48_000) for info in streams
        }

    def _limit(self, key: tuple[int, str]) -> float:
        if key[1] == "frames":
            return HELD_FRAMES
        return HELD_PACKETS if key[1] == "packets" else self._limits.get(key, HELD_S * 48_000)

    def has_room(self, item: Item) -> bool:
        """Say whether the item would fit now: worth asking before copying a picture."""
        if not isinstance(item, (Block, Packet, Frame)):
            return True
        count, unit = amount(item)
        key = (item.stream, unit)
        with self._condition:
            return self._held.get(key, 0.0) + count <= self._limit(key)

    def put(self, item: Item) -> None:
        """Hand an item over, or count it as lost; never waits."""
        with self._condition:
            if isinstance(item, (Block, Packet, Frame)):
                self._put_bounded(item)
            else:
                self._flush_lost()
                if isinstance(item, Changed):
                    self._size(item.streams)
                self._items.append(item)
            self._condition.notify()

    def _put_bounded(self, item: Block | Packet | Frame) -> None:
        count, unit = amount(item)
        key = (item.stream, unit)
        if self._held.get(key, 0.0) + count > self._limit(key):
            self._lose(key, item, count, unit)
            return
        if unit != "frames" and 2 * self._held.get(key, 0.0) > self._limit(key):
            self._make_way()
        if key in self._lost:
            self._items.append(self._lost.pop(key))
        self._held[key] = self._held.get(key, 0.0) + count
        self._items.append(item)

    def _make_way(self) -> None:
        """Let go of the pictures that wait: one can take longer than seconds of sound."""
        frames = [item for item in self._items if isinstance(item, Frame)]
        if not frames:
            return
        self._items = deque(item for item in self._items if not isinstance(item, Frame))
        for frame in frames:
            self._held[frame.stream, "frames"] -= 1
            self._lose((frame.stream, "frames"), frame, 1.0, "frames")

    def lose(self, item: Block | Packet | Frame) -> None:
        """Count an item that was not handed over."""
        with self._condition:
            count, unit = amount(item)
            self._lose((item.stream, unit), item, count, unit)

    def _lose(
        self, key: tuple[int, str], item: Block | Packet | Frame, count: float, unit: Unit
    ) -> None:
        old = self._lost.get(key)
        if old is not None:
            self._lost[key] = replace(old, amount=old.amount + count)
            return
        self._lost[key] = Lost(
            stream=item.stream,
            epoch=item.epoch,
            start=_start(item),
            amount=count,
            unit=unit,
            reason=REASON,
            t_arrival_ns=item.t_arrival_ns,
        )

    def _flush_lost(self) -> None:
        self._items.extend(self._lost.values())
        self._lost.clear()

    def finish(self, outcome: Outcome) -> None:
        """Tell that nothing more will be read, and why."""
        with self._condition:
            self._flush_lost()
            self._outcome = outcome
            self._condition.notify()

    def command(self, line: InLine) -> bool:
        """Hand a command over; False when there are too many."""
        with self._condition:
            if len(self._commands) >= COMMANDS_LIMIT:
                return False
            self._commands.append(line)
            self._condition.notify()
            return True

    def end_of_input(self) -> None:
        """Tell that standard input has ended."""
        with self._condition:
            self._taken.end_of_input = True
            self._condition.notify()

    def _waiting(self) -> bool:
        taken = self._taken
        at_door = self._items or self._commands or self._outcome or taken.opened
        return bool(at_door) or taken.end_of_input

    def take(self, timeout_s: float) -> Taken:
        """Wait for something, at most ``timeout_s``, and take what is there (a batch of items)."""
        with self._condition:
            if not self._waiting():
                self._condition.wait(max(0.0, timeout_s))
            taken, self._taken = self._taken, Taken(end_of_input=self._taken.end_of_input)
            taken.commands = list(self._commands)
            self._commands.clear()
            taken.items = self._batch()
            if not self._items:
                taken.outcome = self._outcome
            return taken

    def _batch(self) -> list[Item]:
        """Take a few items, up to the next picture: one can take longer than all the others."""
        items: list[Item] = []
        while self._items and len(items) < BATCH:
            items.append(self._pop())
            if isinstance(items[-1], Frame):
                break
        return items

    def _pop(self) -> Item:
        item = self._items.popleft()
        if isinstance(item, (Block, Packet, Frame)):
            count, unit = amount(item)
            self._held[(item.stream, unit)] -= count
        return item
