"""The hub: where lines meet rules, takes and the journal. Pure: time is an argument.

Lines go in with their arrival; out come :class:`Effects`: records to journal, lines to send to
workers, stills to keep. Whoever owns the sockets, threads and clocks (``api/session.py``) carries
them out. Everything runs on one monotonic axis; UTC is only attached.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from config.settings import SourceSettings
from config.spec import Phase, Rule
from monitor.hub import integrating, ourselves
from monitor.hub.glance import Verdict, departments, glance
from monitor.hub.line_up import LineUp
from monitor.hub.muting import tell_spoken
from monitor.hub.rollups import Rollups
from monitor.hub.wall_clock import WallClock
from monitor.hub.watching import Watching
from monitor.lines import (
    Clock,
    Event,
    Gap,
    Hello,
    InLine,
    IntegrateDone,
    Keep,
    OutLine,
    Reading,
    ResetDone,
    State,
    Still,
)
from monitor.measure import pipeline  # noqa: F401  # declares the metrics, so that they merge
from monitor.measure.av_offset import AvOffsets
from monitor.records import (
    AlertBody,
    Body,
    GapBody,
    GapRecord,
    NoticeBody,
    PhaseBody,
    Rollup,
    SourceBody,
    SourceRecord,
    Take,
    TakeBody,
)
from monitor.rules.engine import Engine
from monitor.rules.model import Alert, Transition
from monitor.rules.sources import SourceFacts
from monitor.takes.assign import SERVICE, take_of
from monitor.takes.book import TakeBook

ALERTS_KEPT = 2000  # a bad day has a few hundred; older ones are in the journal
TAKES_KEPT = 1000  # a long day has 200
KEEPS_WAITING = 64
DOWN_NS = 3_000_000_000  # no tick for this long: the process was stopped, nothing was judged


def _facts(source: Watching) -> SourceFacts:
    chosen = source.settings.programme
    return SourceFacts(
        id=source.id,
        name=source.settings.name,
        department=source.department,
        group=source.group,
        practice=source.practice,
        channel_names=tuple(source.settings.channel_names),
        programme=None if chosen is None else tuple(channel - 1 for channel in chosen),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record to journal."""

    body: Body
    t_ns: int
    who: str | None = None


@dataclass(slots=True)
class Effects:
    """What is to be done now."""

    entries: list[Entry] = field(default_factory=list)
    sends: list[tuple[str, InLine]] = field(default_factory=list)
    stills: list[tuple[str, bytes]] = field(default_factory=list)
    """Stills to keep: the alert's id and the JPEG."""


class Hub:
    """The state of one session. Not thread-safe: one loop owns it."""

    def __init__(
        self,
        sources: Sequence[SourceSettings],
        rules: Sequence[Rule],
        *,
        production: str,
        unit: str,
        boot_id: str,
        day: Callable[[int], str],
        new_id: Callable[[], str],
    ) -> None:
        self.watching = {settings.id: Watching(settings=settings) for settings in sources}
        self.boot_id = boot_id
        self._facts = {SERVICE: ourselves.OURSELVES} | {
            k: _facts(w) for k, w in self.watching.items()
        }
        self.engine = Engine(rules, self._facts, live=True, new_id=new_id)
        self.book = TakeBook(production, unit, self.groups(), new_id)
        self.wall = WallClock()
        self.line_up = LineUp()
        self.alerts: dict[str, Alert] = {}
        """Every alert of late in its newest state, with its take, by id."""
        self._day = day
        self._today = ""
        self._ticked_ns: int | None = None
        self._effects = Effects()
        self._rollups = Rollups()
        self._offsets = AvOffsets()
        self._gaps: dict[tuple[str, int, str, str], GapRecord] = {}
        self._keeps: dict[tuple[str, int, int], str] = {}
        self._told_coarser: dict[str, int] = {}
        self.engine.line(ourselves.hello(boot_id), 0)

    def drain(self) -> Effects:
        """Return what is to be done since the last call."""
        effects, self._effects = self._effects, Effects()
        return effects

    def record(self, body: Body, t_ns: int, who: str | None = None) -> None:
        """Have a record written."""
        self._effects.entries.append(Entry(body=body, t_ns=t_ns, who=who))

    def send(self, source: str, line: InLine) -> None:
        """Have a line sent to a source's worker."""
        self._effects.sends.append((source, line))

    def notice(self, text: str, t_ns: int, *, warning: bool = False) -> None:
        """Write down something about the monitor itself."""
        level = "warning" if warning else "info"
        self.record(NoticeBody.model_validate({"text": text, "level": level}), t_ns)

    # -- lines ----------------------------------------------------------------------------------

    def line(self, line: OutLine, t_arrival_ns: int) -> None:
        """Take one line of a worker; ``t_arrival_ns`` is when the service got it."""
        source = self.watching.get(line.source)
        if source is None:
            return  # a source that was removed a moment ago
        match line:
            case Hello():
                self._hello(source, line, t_arrival_ns)
            case Clock():
                self._clock(source, line)
            case State():
                self._state(source, line)
            case Reading() | Event() | Gap():
                self._measured(source, line, t_arrival_ns)
            case Still():
                self._still(source, line)
            case ResetDone():
                source.integrated_since = None
            case IntegrateDone():
                pass  # the readings that follow say whether they integrate

    def _hello(self, source: Watching, line: Hello, t_ns: int) -> None:
        again = source.hello is not None and source.hello.pid == line.pid
        source.take_hello(line)
        self._facts[source.id] = _facts(source)
        self.book.set_groups(self.groups())
        if line.boot_id == self.boot_id:
            source.axis_shift_ns = 0
        self.judged(self.engine.line(line, t_ns), t_ns)
        if not again:
            integrating.greet(self, source)
        if source.group in self.book.rolling_groups():
            since = datetime.fromtimestamp(self.wall.utc(t_ns) / 1e9, UTC).astimezone()
            source.integrated_since = since.strftime("%H:%M:%S")
            lost_ns = 0 if again or source.last_seen_ns is None else t_ns - source.last_seen_ns
            reason = f"{line.source} began anew in the take: integrated since "
            gap = GapRecord(
                source=line.source,
                stream=None,
                amount=round(lost_ns / 1e9, 3),
                unit="s",
                reason=reason + source.integrated_since,
                t_ns=t_ns,
            )
            self.record(GapBody(gap=gap), t_ns)

    def _clock(self, source: Watching, line: Clock) -> None:
        """On this machine: one more pair. On another: where its axis lies on ours."""
        if source.hello is None or source.hello.boot_id == self.boot_id:
            self.clock(line.t_mono_ns, line.utc_ns, line.error_ns)
        else:
            source.axis_shift_ns = line.utc_ns - self.wall.offset_ns - line.t_mono_ns

    def clock(self, t_ns: int, utc_ns: int, error_ns: int) -> None:
        """Take a pair of this machine's clocks; a jump of the wall clock is written down."""
        jump_ns = self.wall.observe(t_ns, utc_ns, error_ns)
        if jump_ns:
            self.notice(f"the wall clock was set by {jump_ns / 1e9:+.3f} s", t_ns, warning=True)

    def _state(self, source: Watching, line: State) -> None:
        t_ns = line.t_mono_ns + source.axis_shift_ns
        if line.state == "live":
            source.last_seen_ns = t_ns
        before = source.state
        changed = source.take_state(line, t_ns)
        self.judged(self.engine.line(line, t_ns), t_ns)
        if changed and (before != line.state or line.state != "live"):
            self._record_state(source, t_ns)

    def _record_state(self, source: Watching, t_ns: int) -> None:
        body = SourceRecord(source=source.id, state=source.state, why=source.why, t_ns=t_ns)
        self.record(SourceBody(source=body), t_ns)

    def _measured(self, source: Watching, line: Reading | Event | Gap, t_arrival_ns: int) -> None:
        arrived_ns = line.t_arrival_ns + source.axis_shift_ns
        capture_ns = arrived_ns - source.latency_ns
        source.last_seen_ns = arrived_ns
        match line:
            case Reading():
                source.take_reading(line)
                self.line_up.note(line)
                self._rollups.add(line, t_arrival_ns)
            case Gap():
                self._gap(line, capture_ns)
            case Event():
                self._offset(source, line, capture_ns)
        self.judged(self.engine.line(line, capture_ns), max(capture_ns, t_arrival_ns))
        tell_spoken(self, capture_ns)

    def _offset(self, source: Watching, line: Event, t_ns: int) -> None:
        """Take a flash or a beep: with enough of them the audio-video offset is known."""
        known = self._offsets.take(line)
        if known is not None:
            source.take_reading(known)
            at_ns = self.engine.at_ns(known.source, known.stream, known.epoch, known.end)
            self.judged(self.engine.line(known, t_ns if at_ns is None else min(at_ns, t_ns)), t_ns)

    def _gap(self, line: Gap, t_ns: int) -> None:
        """Hold a gap until the next tick; gaps of one reason add up."""
        key = (line.source, line.stream, line.unit, line.reason)
        held = self._gaps.get(key)
        self._gaps[key] = GapRecord(
            source=line.source,
            stream=line.stream,
            amount=line.amount + (held.amount if held else 0),
            unit=line.unit,
            reason=line.reason,
            t_ns=held.t_ns if held else t_ns,
        )

    def _still(self, source: Watching, line: Still) -> None:
        source.take_still(line)
        alert = self._keeps.pop((line.source, line.stream, line.tick or 0), None)
        if alert is not None:
            self._effects.stills.append((alert, source.stills[line.stream]))

    # -- alerts ---------------------------------------------------------------------------------

    def group_of(self, source: str) -> str:
        """Return the group of a source; the service itself belongs to every group."""
        watching = self.watching.get(source)
        return watching.group if watching else SERVICE

    def judged(self, transitions: Sequence[Transition], now_ns: int) -> None:
        """Write down what the rules told."""
        for transition in transitions:
            if transition.what in ("pending", "dropped"):
                continue
            alert = self._with_take(transition.alert, now_ns)
            self._remember(alert)
            if transition.what == "active":
                self._ask_still(alert)
            self.record(AlertBody(what=transition.what, alert=alert), transition.t_ns)

    def _with_take(self, alert: Alert, now_ns: int) -> Alert:
        take = take_of(alert, self.book.takes, self.group_of(alert.source), now_ns)
        known = self.alerts.get(alert.id)
        trace = alert.trace or (known and known.trace)  # the engine forgets it at a restart
        return alert.model_copy(update={"take": take, "trace": trace})

    def _remember(self, alert: Alert) -> None:
        self.alerts.pop(alert.id, None)
        self.alerts[alert.id] = alert
        if len(self.alerts) > ALERTS_KEPT:
            del self.alerts[next(iter(self.alerts))]

    def _ask_still(self, alert: Alert) -> None:
        if not alert.rule.startswith("video.") or alert.start is None or alert.stream is None:
            return
        if len(self._keeps) >= KEEPS_WAITING:
            del self._keeps[next(iter(self._keeps))]
        self._keeps[alert.source, alert.stream, alert.start.ticks] = alert.id
        keep = Keep(stream=alert.stream, tick=alert.start.ticks)
        self._effects.sends.append((alert.source, keep))

    def standing(self) -> list[Alert]:
        """Return the alerts not yet cleared or still latched, with their takes."""
        known = (self.alerts.get(alert.id, alert) for alert in self.engine.alerts())
        return [alert for alert in known if alert.condition != "pending"]

    def told(self, takes: Collection[str]) -> list[Alert]:
        """Return the standing alerts and the ended ones of these takes, oldest first."""
        standing = {alert.id: alert for alert in self.standing()}
        ended = {alert.id: alert for alert in self.alerts.values() if alert.take in takes}
        return sorted((ended | standing).values(), key=lambda alert: alert.onset_ns)

    def acknowledge(self, alert_id: str, who: str, t_ns: int) -> Alert:
        """Take note of an alert. Raises ``KeyError`` when there is none of that id."""
        self.judged(self.engine.acknowledge(alert_id, who, t_ns, self.wall.utc(t_ns)), t_ns)
        self.name_last(who)
        return self.alerts[alert_id]

    def name_last(self, who: str) -> None:
        """Put a name to the entries of now that a person caused."""
        entries = self._effects.entries
        entries[:] = [
            Entry(body=e.body, t_ns=e.t_ns, who=who)
            if e.who is None and e.body.kind in ("alert", "take", "phase", "notice")
            else e
            for e in entries
        ]

    def shelve(
        self,
        rule: str,
        source: str,
        channel: int | None,
        until_ns: int | None,
        reason: str,
        t_ns: int,
        who: str,
    ) -> None:
        """Shelve a rule at a source's channel until a time, or the cut where it is None."""
        self.judged(self.engine.shelve(rule, source, channel, until_ns, reason, t_ns), t_ns)
        self.notice(f"shelved {_place(rule, source, channel)}: {reason}", t_ns)
        self.name_last(who)

    def unshelve(self, rule: str, source: str, channel: int | None, t_ns: int, who: str) -> None:
        """End a shelving. Raises ``KeyError`` when there is none."""
        self.judged(self.engine.unshelve(rule, source, channel, t_ns), t_ns)
        self.notice(f"unshelved {_place(rule, source, channel)}", t_ns)
        self.name_last(who)

    # -- takes and phases -----------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """What goes on: rolling as soon as one group rolls."""
        if self.book.rolling_groups():
            return "rolling"
        return "line_up" if self.line_up.on else "idle"

    def groups(self) -> list[str]:
        """Return the groups of all sources, in the order of the settings."""
        return list(dict.fromkeys(source.group for source in self.watching.values()))

    def _sources_of(self, groups: Collection[str]) -> list[str]:
        return [source.id for source in self.watching.values() if source.group in groups]

    def _phase_follows(self, before: Phase, t_ns: int) -> None:
        if self.phase != before:
            self.record(PhaseBody(phase=self.phase), t_ns)

    def roll(
        self,
        t_ns: int,
        who: str,
        *,
        groups: Collection[str] | None = None,
        scene: str | None = None,
        slate: str | None = None,
        take: int | None = None,
        back_s: float = 0.0,
    ) -> Take:
        """Roll; integrated values of the groups' sources restart. Raises ``TakeError``."""
        before, rolling = self.phase, self.book.rolling_groups()
        if self.line_up.on and not self.line_up.fresh:  # nobody said it was over: the roll says so
            self.line_up.learn(self, t_ns, who)
        utc_ns = self.wall.utc(t_ns)
        rolled = self.book.roll(
            t_ns,
            utc_ns,
            self._day(utc_ns),
            groups=groups,
            scene=scene,
            slate=slate,
            take=take,
            back_s=back_s,
        )
        now_rolling = self.book.rolling_groups() - rolling
        sources = self._sources_of(now_rolling)
        self.record(TakeBody(what="rolled", take=rolled), t_ns)
        for source in sources:
            integrating.start(self, self.watching[source], rolled.id)
        judged = [*sources, SERVICE]
        self.judged(self.engine.set_phase("rolling", t_ns, judged), t_ns)
        if back_s:
            roll_ns = min(part.roll_ns for part in rolled.parts if part.group in now_rolling)
            self.judged(self.engine.moved(roll_ns, t_ns, judged), t_ns)
        self._reassign(t_ns)
        self._phase_follows(before, t_ns)
        self.name_last(who)
        return rolled

    def cut(self, t_ns: int, who: str, groups: Collection[str] | None = None) -> Take:
        """Cut; the programme's loudness goes into the take. Raises ``TakeError``."""
        before, rolling = self.phase, self.book.rolling_groups()
        takes = {take.id: take for take in self.book.takes}
        newest = self.book.cut(t_ns, self.wall.utc(t_ns), groups)
        sources = self._sources_of(rolling - self.book.rolling_groups())
        for take in self.book.takes:
            if take != takes[take.id]:
                self.record(
                    TakeBody(what="cut", take=integrating.at_cut(self, take, sources)), t_ns
                )
        after: Phase = "line_up" if self.line_up.on else "idle"
        judged = sources if self.book.rolling_groups() else [*sources, SERVICE]
        self.judged(self.engine.set_phase(after, t_ns, judged), t_ns)
        self._reassign(t_ns)
        self._phase_follows(before, t_ns)
        self._tell_coarser(t_ns)
        self.name_last(who)
        return next(take for take in self.book.takes if take.id == newest.id)

    def edit(self, take_id: str, fields: Mapping[str, object], t_ns: int, who: str) -> Take:
        """Edit a take or, with id ``next``, the next slate. Raises ``TakeError``."""
        before = {take.id: take for take in self.book.takes}.get(take_id)
        take = self.book.edit(take_id, **fields)
        if before is not None:
            self.record(
                TakeBody.model_validate({"what": _edited(before, take), "take": take}), t_ns
            )
            self._moved(before, take, t_ns)
        self.name_last(who)
        return take

    def _moved(self, before: Take, take: Take, t_ns: int) -> None:
        rolls = {part.group: part.roll_ns for part in before.parts}
        moved = {p.group: p.roll_ns for p in take.parts if p.roll_ns != rolls.get(p.group)}
        for group, roll_ns in moved.items():
            sources = [*self._sources_of({group}), SERVICE]
            self.judged(self.engine.moved(roll_ns, t_ns, sources), t_ns)
        if moved or before.deleted != take.deleted:
            self._reassign(t_ns)

    def _reassign(self, now_ns: int) -> None:
        """Write down every alert whose take is another one now."""
        for alert in list(self.alerts.values()):
            now = self._with_take(alert, now_ns)
            if now.take != alert.take:
                self.alerts[alert.id] = now
                self.record(AlertBody(what="updated", alert=now), now_ns)

    def set_line_up(self, on: bool, t_ns: int, who: str) -> None:
        """Start or end the line-up of every group that does not roll; its end learns it."""
        before = self.phase
        if on:
            self.line_up.begin()
        elif self.line_up.on:
            self.line_up.learn(self, t_ns, who)
            self.line_up.on = False
        rolling = self._sources_of(self.book.rolling_groups())
        sources = [source for source in self.watching if source not in rolling]
        self.judged(self.engine.set_phase("line_up" if on else "idle", t_ns, sources), t_ns)
        self._phase_follows(before, t_ns)
        self.name_last(who)

    # -- time -----------------------------------------------------------------------------------

    def tick(self, t_ns: int) -> list[Rollup]:
        """Let time pass; return the roll-ups of the seconds that are over."""
        if self._ticked_ns is not None and t_ns - self._ticked_ns > DOWN_NS:
            ourselves.down(self, self._ticked_ns, t_ns, "takewatch itself was stopped")
        self._ticked_ns = t_ns
        self.judged(self.engine.tick(t_ns), t_ns)
        self._follow_day(t_ns)
        for gap in self._gaps.values():
            self.record(GapBody(gap=gap), gap.t_ns)
        self._gaps.clear()
        return self._rollups.due(t_ns, self.wall.offset_ns)

    def _follow_day(self, t_ns: int) -> None:
        """Begin each shooting day with the state of every source, so that its records stand alone.

        A state that began before midnight would otherwise be known only to yesterday's report.
        """
        today = self._day(self.wall.utc(t_ns))
        if self._today and today != self._today:
            self.line_up.lapse(self)
            for source in self.watching.values():
                self._record_state(source, t_ns)
        self._today = today

    def _tell_coarser(self, t_ns: int) -> None:
        for source in self.watching.values():
            lost = source.coarser + sum(source.dropped.values())
            if lost > self._told_coarser.get(source.id, 0):
                dropped = ", ".join(f"{count} {name}" for name, count in source.dropped.items())
                text = f"{source.id}: {source.coarser} readings merged"
                self.notice(f"{text}{', dropped ' + dropped if dropped else ''} so far", t_ns)
            self._told_coarser[source.id] = lost

    # -- reading --------------------------------------------------------------------------------

    def glances(self) -> list[Verdict]:
        """Return the verdict of every department that has a source."""
        watched = [source.watched() for source in self.watching.values()]
        alerts, groups = self.standing(), self.book.rolling_groups()
        takes = {take.id for take in self.book.takes if take.rolling and not take.deleted}
        return [glance(name, watched, alerts, groups, takes) for name in departments(watched)]

    def restore(
        self,
        state: str | None,
        shift_ns: int,
        takes: Sequence[Take],
        next_take: Take | None,
        alerts: Sequence[Alert],
        t_ns: int,
    ) -> None:
        """Continue where another process stopped.

        ``takes`` and ``alerts`` lie on our axis already; ``shift_ns`` moves the engine's state.
        """
        self.book.restore(list(takes)[-TAKES_KEPT:], next_take)
        for alert in alerts:
            self._remember(alert)
        if state is not None:
            self.engine.restore(state, shift_ns)
            for alert in self.engine.alerts():
                self._remember(self._with_take(alert, t_ns))

    def resume_rolling(self, t_ns: int) -> None:
        """Tell the rules that groups roll, after a restart in a take."""
        rolling = self.book.rolling_groups()
        if rolling:
            sources = [*self._sources_of(rolling), SERVICE]
            self.judged(self.engine.set_phase("rolling", t_ns, sources), t_ns)


def _edited(before: Take, after: Take) -> str:
    if before.deleted != after.deleted:
        return "deleted" if after.deleted else "restored"
    return "moved" if before.parts != after.parts else "edited"


def _place(rule: str, source: str, channel: int | None) -> str:
    where = source if channel is None else f"{source} channel {channel + 1}"
    return f"{rule} at {where}"
