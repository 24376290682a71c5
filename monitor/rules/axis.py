"""Media time on the engine's axis: readings pin a stream's ticks to capture times."""

from dataclasses import dataclass, field
from fractions import Fraction

from monitor.lines import Event, Hello, Reading
from monitor.rules.episode import SECOND_NS
from monitor.rules.model import Place

EPOCHS_KEPT = 4  # a late event belongs to the epoch before, rarely to an older one


@dataclass(slots=True, kw_only=True)
class Pin:
    """A stream's time base, and one tick whose capture time is known."""

    source: str
    stream: int
    epoch: int
    time_base: str
    tick: int | None = None
    t_ns: int = 0


@dataclass(slots=True)
class Axis:
    """The pins of every stream, newest epoch last."""

    pins: list[Pin] = field(default_factory=list)
    _by_place: dict[tuple[str, int, int], Pin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_place = {(p.source, p.stream, p.epoch): p for p in self.pins}

    def greet(self, hello: Hello) -> None:
        """Take the time bases of a new epoch."""
        for stream in hello.streams:
            pin = Pin(
                source=hello.source,
                stream=stream.index,
                epoch=hello.epoch,
                time_base=stream.time_base,
            )
            self._drop_stale(pin)
            self.pins.append(pin)
        self.__post_init__()

    def _drop_stale(self, new: Pin) -> None:
        same = [p for p in self.pins if (p.source, p.stream) == (new.source, new.stream)]
        kept = [p for p in same if p.epoch != new.epoch][-EPOCHS_KEPT + 1 :]
        self.pins = [p for p in self.pins if p not in same or p in kept]

    def note(self, reading: Reading, t_ns: int) -> None:
        """Pin a reading's end to its capture time."""
        pin = self._by_place.get((reading.source, reading.stream, reading.epoch))
        if pin is not None:
            pin.tick, pin.t_ns = reading.end, t_ns

    def note_event(self, event: Event, t_ns: int) -> None:
        """Pin an event's newest tick, where no reading has pinned its stream yet."""
        pin = self._by_place.get((event.source, event.stream, event.epoch))
        if pin is not None and pin.tick is None:
            pin.tick = max(event.start, event.end or event.start, event.worst_tick or event.start)
            pin.t_ns = t_ns

    def at_ns(self, source: str, stream: int, epoch: int, ticks: int) -> int | None:
        """Return the time of a media place, or None where nothing is pinned yet."""
        pin = self._by_place.get((source, stream, epoch))
        if pin is None or pin.tick is None:
            return None
        base = Fraction(pin.time_base)
        away = (ticks - pin.tick) * base.numerator * SECOND_NS
        return pin.t_ns + away // base.denominator

    def place(self, source: str, stream: int, epoch: int, ticks: int) -> Place | None:
        """Return a media place with its time base, or None before the stream's ``hello``."""
        pin = self._by_place.get((source, stream, epoch))
        return Place(ticks=ticks, time_base=pin.time_base, epoch=epoch) if pin else None
