"""What the rules know of the sources: the settings' facts, and what their lines told."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from config.spec import Department, Rule
from monitor.lines import Event, Hello, Reading
from monitor.rules.axis import Axis, Pin
from monitor.rules.channels import Channels, described
from monitor.rules.kinds import Where
from monitor.rules.memory import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What the rules must know of a source. Channels count from 0."""

    id: str
    name: str
    department: Department
    group: str
    practice: bool = False
    channel_names: tuple[str, ...] = ()
    programme: tuple[int, ...] | None = None
    """Channels of the mix; None: all of a mono, stereo, 5.1 or 7.1 layout."""


class Sources:
    """The sources as the rules see them. ``known`` may change; it is looked up each time.

    ``live``: a channel in use must have carried sound since line-up.
    """

    def __init__(self, known: Mapping[str, SourceFacts], *, live: bool) -> None:
        self.known = known
        self.axis = Axis()
        self._live = live
        self._channels: dict[tuple[str, int], Channels] = {}
        self._kinds: dict[tuple[str, int], str] = {}

    def facts(self, source: str) -> SourceFacts:
        """Return what the settings say of a source; of an unknown one its id."""
        known = self.known.get(source)
        return known or SourceFacts(id=source, name=source, department="both", group=source)

    def note(self, line: Reading | Event, t_ns: int) -> None:
        """Take where a stream's ticks lie on the axis, and which channels carry sound."""
        if isinstance(line, Event):
            self.axis.note_event(line, t_ns)
            return
        self.axis.note(line, t_ns)
        self._channels_at(line.source, line.stream).note(line)

    def _channels_at(self, source: str, stream: int) -> Channels:
        channels = self._channels.get((source, stream))
        if channels is None:
            channels = self._channels[source, stream] = Channels()
        return channels

    def greet(self, hello: Hello) -> None:
        """Take the streams of a worker's session or epoch; what was heard stays heard."""
        facts = self.facts(hello.source)
        self.axis.greet(hello)
        for stream in hello.streams:
            self._kinds[hello.source, stream.index] = stream.kind
            old = self._channels.get((hello.source, stream.index))
            new = described(stream, facts.channel_names, facts.programme)
            if old is not None:
                new.heard = old.heard
            self._channels[hello.source, stream.index] = new

    def elsewhere(self, rule: Rule, where: Where) -> bool:
        """Say whether a rule of sound meets a stream of pictures, or the other way round."""
        kind = self._kinds.get((where.source, where.stream)) if where.stream is not None else None
        area = rule.name.partition(".")[0]
        return kind in ("audio", "video") and area in ("audio", "video") and area != kind

    def carries(self, where: Where) -> bool | None:
        """Say whether a channel carries sound now; None where it is not known."""
        channels = self._channels.get((where.source, where.stream or 0))
        if channels is None or where.channel is None or where.channel >= len(channels.silent_s):
            return None
        return channels.carries(where.channel)

    def in_use(self, rule: Rule, where: Where) -> bool:
        """Say whether the place is in use, where the rule asks for it."""
        if not rule.in_use or where.stream is None or where.channel is None:
            return True
        channels = self._channels.get((where.source, where.stream))
        return channels is not None and channels.in_use(where.channel, self._live)

    def traits(self, where: Where, detail: str | None) -> frozenset[str]:
        """Return what a severity may depend on: recoverable, mix, alone."""
        traits = {"recoverable"} if "recoverable" in (detail or "") else set()
        if where.stream is not None and where.channel is not None:
            channels = self._channels.get((where.source, where.stream), Channels())
            if where.channel in channels.mix:
                traits.add("mix")
            elif channels.alone(where.channel):
                traits.add("alone")
        return frozenset(traits)

    def channel_name(self, where: Where) -> str | None:
        """Return the name of the channel at a place, or None where it is no channel."""
        if where.stream is None or where.channel is None:
            return None
        channels = self._channels.get((where.source, where.stream), Channels())
        return channels.name(where.channel)

    def heard(self, source: str, stream: int) -> list[bool]:
        """Return which channels of a stream have carried sound since line-up."""
        channels = self._channels.get((source, stream))
        return [] if channels is None else list(channels.heard)

    def unhear(self, source: str) -> None:
        """In use is what carried sound since line-up: begin anew."""
        for place, channels in self._channels.items():
            if place[0] == source:
                channels.heard = [channels.carries(c) for c in range(len(channels.heard))]

    def kinds_known(self) -> list[tuple[str, int, str]]:
        """Return the kind of every stream, to be kept over a restart."""
        return [(source, stream, kind) for (source, stream), kind in self._kinds.items()]

    def channels_heard(self) -> list[Heard]:
        """Return the channels of every stream, to be kept over a restart."""
        return [
            Heard(source=source, stream=stream, **asdict(channels))
            for (source, stream), channels in self._channels.items()
        ]

    def restore(
        self, pins: list[Pin], kinds: Iterable[tuple[str, int, str]], heard: Iterable[Heard]
    ) -> None:
        """Go on from what was kept."""
        self.axis = Axis(pins)
        self._kinds = {(source, stream): kind for source, stream, kind in kinds}
        self._channels = {
            (h.source, h.stream): Channels(
                names=h.names, mix=h.mix, silent_s=h.silent_s, heard=h.heard
            )
            for h in heard
        }
