"""The line-up: what each channel has shown in it, and what is learned from it for the day. Pure.

What is learned goes to the source's measurements as their baseline, now and at every later start of
its worker, and into the journal as proof. It holds for the shooting day.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.hub.keeping import Keeping
from monitor.hub.watching import Watching
from monitor.lines import Baseline, Reading, Stream
from monitor.metrics import Value, baseline_of
from monitor.records import LinedUp, LineUpBody
from monitor.rules.kinds import Where

FLOOR = "noise_floor_dbfs"
TONE = ("tone_hz", "tone_level_dbfs", "tone_thdn_db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What was learned of a source, when and at whose word."""

    body: LineUpBody
    utc_ns: int
    who: str | None


@dataclass(slots=True)
class LineUp:
    """The line-up of all sources."""

    on: bool = False
    fresh: bool = False
    """Whether it was learned since it began."""
    learned: dict[str, Learned] = field(default_factory=dict)
    """What this shooting day goes by, by source."""
    _tones: dict[tuple[str, int], tuple[float | None, ...]] = field(default_factory=dict)

    def begin(self) -> None:
        """Begin anew: no channel has shown anything yet."""
        self.on, self.fresh = True, False
        self._tones.clear()

    def note(self, line: Reading) -> None:
        """Take the tones a reading tells: a generator goes from channel to channel."""
        if not self.on:
            return
        told = [line.values.get(key) for key in TONE]
        hz = told[0]
        if isinstance(hz, list):
            for channel, known in enumerate(hz):
                if known is not None:
                    tone = tuple(_at(value, channel) for value in told)
                    self._tones[line.source, channel] = tone

    def channels(self, hub: Keeping, source: Watching) -> list[LinedUp]:
        """Return what each channel of a source's first sound has shown."""
        stream = sound_of(source)
        if stream is None:
            return []
        heard = hub.engine.heard(source.id, stream.index)
        floors = source.values.get(stream.index, {}).get(FLOOR)
        muted = {mute.where for mute in hub.engine.mutes()}
        found = []
        for channel in range(stream.channels or 0):
            where = Where(source=source.id, stream=stream.index, channel=channel)
            hz, level, thdn = self._tones.get((source.id, channel), (None, None, None))
            found.append(
                LinedUp(
                    name=hub.engine.channel_name(where) or "",
                    heard=channel < len(heard) and heard[channel],
                    muted=where in muted,
                    noise_floor_dbfs=_at(floors, channel),
                    tone_hz=hz,
                    tone_level_dbfs=level,
                    tone_thdn_db=thdn,
                )
            )
        return found

    def learn(self, hub: Keeping, t_ns: int, who: str) -> list[str]:
        """Learn every live source that has sound; return their ids."""
        names = [name for name, source in hub.watching.items() if source.state == "live"]
        done = [name for name in names if self._learn_one(hub, hub.watching[name], t_ns, who)]
        self.fresh = self.fresh or bool(done)
        return done

    def _learn_one(self, hub: Keeping, source: Watching, t_ns: int, who: str) -> bool:
        stream = sound_of(source)
        channels = self.channels(hub, source)
        if stream is None or not channels:
            return False
        baseline = baseline_of(source.values.get(stream.index, {}))
        body = LineUpBody(
            source=source.id, source_name=source.settings.name, channels=channels, baseline=baseline
        )
        self.learned[source.id] = Learned(body=body, utc_ns=hub.wall.utc(t_ns), who=who)
        hub.record(body, t_ns, who)
        hub.send(source.id, Baseline(baseline=baseline))
        return True

    def restore(self, known: Iterable[Learned]) -> None:
        """Go on with what the journal kept of this day."""
        self.learned = {one.body.source: one for one in known}

    def baselines(self) -> dict[str, Baseline]:
        """Return what each source's worker is to know."""
        return {name: Baseline(baseline=one.body.baseline) for name, one in self.learned.items()}

    def lapse(self, hub: Keeping) -> None:
        """Let go of it: another shooting day has begun, microphones are placed anew."""
        for source in self.learned:
            hub.send(source, Baseline(baseline={}))
        self.learned.clear()


def sound_of(source: Watching) -> Stream | None:
    """Return a source's first stream of sound."""
    return next((stream for stream in source.streams if stream.kind == "audio"), None)


def _at(value: Value, channel: int) -> float | None:
    if not isinstance(value, list) or channel >= len(value):
        return None
    return value[channel]
