"""The alert engine: lines and time in, transitions out. Pure; time is an argument.

Every row is always evaluated; the phase sets only the severity. An episode is followed from its
first true evidence; it has an alert while its severity in the phases it was true in is not None.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from config.spec import Phase, Rule
from monitor.lines import Event, Hello, OutLine, Reading, State
from monitor.rules import lifecycle, memory
from monitor.rules.episode import SECOND_NS, Episode, begun, end_runs, take
from monitor.rules.grouping import Groups, covers
from monitor.rules.kinds import KINDS, Evidence, Where
from monitor.rules.levels import LevelsHeard, told_with
from monitor.rules.lifecycle import Standing, What
from monitor.rules.memory import Counted, Last, Memory
from monitor.rules.model import RANK, Acknowledgement, Alert, Place, Transition
from monitor.rules.muting import MUTABLE, Mute, Mutes
from monitor.rules.phases import History
from monitor.rules.severity import severity_of
from monitor.rules.shelving import Shelf, Shelves
from monitor.rules.sources import SourceFacts, Sources
from monitor.rules.suppression import cause_of
from monitor.rules.telling import alert_of

PAST_NS = 70 * SECOND_NS  # a roll moves back up to 60 s; what it may cover is kept a little longer
PAST_LIMIT = 512  # episodes kept after their end; beyond it the oldest are let go
CLAP = "clap"  # the detector whose events are no fault but known to the rules
CLAPS_LIMIT = 32  # of a source; those of the last takes are enough
Key = tuple[str, Where]
Causes = Sequence[tuple[Episode, Rule]]


class Engine:
    """Judges lines by rules. ``sources`` may change while it runs; it is looked up each time.

    ``live``: as seen on a feed while it happens; False for a recorded file.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        sources: Mapping[str, SourceFacts],
        *,
        live: bool = True,
        new_id: Callable[[], str],
    ) -> None:
        self.live = live
        self._rules = {rule.key: rule for rule in rules}
        assert len(self._rules) == len(rules), "two rows of one name and part"
        self._sources = Sources(sources, live=live)
        self._new_id = new_id
        self._by_line: dict[str, list[Rule]] = {}
        self._by_metric: dict[str, list[Rule]] = {}
        for rule in rules:
            self._index(rule)
        self._phases: dict[str, History] = {}
        self._now: dict[Key, Episode] = {}
        self._past: list[Episode] = []
        self._shelves = Shelves()
        self._mutes = Mutes()
        self._groups = Groups()
        self._excursions: dict[Key, int] = {}
        self._at_end: dict[Key, Evidence] = {}
        self._levels = LevelsHeard()
        self._claps: dict[str, list[int]] = {}
        self._t_ns = 0

    def _index(self, rule: Rule) -> None:
        for name in KINDS[rule.kind].lines:
            if name == "reading" and rule.metric is not None:
                self._by_metric.setdefault(rule.metric, []).append(rule)
            else:
                self._by_line.setdefault(name, []).append(rule)

    # ---- what kinds may ask (kinds.View) ---------------------------------------------------------

    def at_ns(self, source: str, stream: int, epoch: int, ticks: int) -> int | None:
        """Return the engine-axis time of a media place, or None where it is not known yet."""
        return self._sources.axis.at_ns(source, stream, epoch, ticks)

    def place(self, source: str, stream: int, epoch: int, ticks: int) -> Place | None:
        """Return a media place with its stream's time base, or None before its ``hello``."""
        return self._sources.axis.place(source, stream, epoch, ticks)

    def followed(self, rule: Rule, where: Where) -> bool:
        """Say whether the condition is being followed at this place."""
        return (rule.key, where) in self._now

    def holds(self, rule: Rule, where: Where) -> bool:
        """Say whether the condition is true at this place now."""
        episode = self._now.get((rule.key, where))
        return episode is not None and episode.true

    # ---- lines and time --------------------------------------------------------------------------

    def line(self, line: OutLine, t_ns: int) -> list[Transition]:
        """Take one line of a worker; ``t_ns`` is its capture time (a reading's end)."""
        self._t_ns = max(self._t_ns, t_ns)
        self._note(line, t_ns)
        for rule in self._concerned(line):
            for evidence in KINDS[rule.kind].draw(rule, line, t_ns, self):
                self._take(rule, evidence)
        return self._settle(t_ns, {line.source}, resting=True)

    def tick(self, t_ns: int) -> list[Transition]:
        """Let time pass: delays end, shelves run out, what is over is forgotten."""
        self._t_ns = max(self._t_ns, t_ns)
        self._shelves.expire(t_ns)
        return self._settle(t_ns, None) + self._reshelve(t_ns)

    def _concerned(self, line: OutLine) -> Iterable[Rule]:
        if isinstance(line, Reading):
            known = self._by_metric
            return [rule for key in line.values if key in known for rule in known[key]]
        return self._by_line.get(line.line, ())

    def _note(self, line: OutLine, t_ns: int) -> None:
        if isinstance(line, Reading | Event):
            self._sources.note(line, t_ns)
            if isinstance(line, Event) and line.detector == CLAP and line.phase == "open":
                self._note_clap(line, t_ns)
            if isinstance(line, Reading):
                self._levels.note(line, t_ns, self)
                self._hear(line, t_ns)
        elif isinstance(line, Hello):
            end_runs(self._of({line.source}), t_ns)  # the detectors that watched are gone
            self._sources.greet(line)
        elif isinstance(line, State) and line.state == "ended":
            end_runs(self._of({line.source}), t_ns)

    def _hear(self, line: Reading, t_ns: int) -> None:
        def carries(channel: int) -> bool:
            where = Where(source=line.source, stream=line.stream, channel=channel)
            return self._sources.carries(where) is True

        self._mutes.hear(line.source, line.stream, t_ns, carries)

    def _note_clap(self, line: Event, t_ns: int) -> None:
        """Keep when it was: what a clap does to a microphone is no fault of it."""
        at_ns = self.at_ns(line.source, line.stream, line.epoch, line.start)
        claps = self._claps.setdefault(line.source, [])
        claps.append(t_ns if at_ns is None else at_ns)
        del claps[:-CLAPS_LIMIT]

    def _take(self, rule: Rule, evidence: Evidence) -> None:
        key = (rule.key, evidence.where)
        if self._sources.elsewhere(rule, evidence.where):
            return
        if rule.at_end:
            self._at_end[key] = evidence
            return
        episode = self._now.get(key)
        if episode is None:
            if not evidence.true or not self._sources.in_use(rule, evidence.where):
                return
            self._excursions[key] = self._excursions.get(key, 0) + 1
            episode = self._now[key] = begun(rule, evidence, self._excursions[key])
        before = episode.excursions
        take(episode, rule, evidence)
        self._excursions[key] = self._excursions.get(key, 0) + episode.excursions - before

    # ---- judging ---------------------------------------------------------------------------------

    def _of(self, sources: Collection[str] | None) -> list[Episode]:
        every = self._now.values()
        return [e for e in every if sources is None or e.where.source in sources]

    def _settle(
        self, t_ns: int, sources: Collection[str] | None, *, resting: bool = False
    ) -> list[Transition]:
        """Settle causes first, so that what they cause is silenced in the same step.

        ``resting``: leave out active alerts of which nothing new was heard, for a moment.
        """
        told: list[Transition] = []
        for suppressing in (True, False):
            causes = self._causes()
            for episode in self._of(sources):
                if bool(self._rules[episode.rule].suppresses) is not suppressing:
                    continue
                if not (resting and lifecycle.rests(episode, t_ns)):
                    told += self._settle_one(episode, t_ns, causes)
        self._forget(t_ns)
        return told

    def _causes(self) -> list[tuple[Episode, Rule]]:
        return [
            (episode, self._rules[episode.rule])
            for episode in self._now.values()
            if self._rules[episode.rule].suppresses
            and episode.alert is not None
            and episode.alert.condition == "active"
        ]

    def _settle_one(
        self, episode: Episode, t_ns: int, causes: Causes, told_ns: int | None = None
    ) -> list[Transition]:
        rule = self._rules[episode.rule]
        standing = self._standing(rule, episode, t_ns, causes)
        episode.settled_ns = t_ns
        steps = lifecycle.settle(episode, rule, standing, t_ns)
        told = self._told(episode, steps, t_ns if told_ns is None else told_ns)
        if lifecycle.over(episode, rule, t_ns):
            self._end(episode)
        return told

    def _told(self, episode: Episode, steps: Iterable[What], t_ns: int) -> list[Transition]:
        told = []
        for what in steps:
            assert episode.alert is not None
            if what == "active":
                self._group(episode)
            # a detector's episode brought its own; of others: as it begins, and around its end
            if what in ("active", "cleared") and episode.levels_key is None:
                episode.levels = self._levels.cut(episode.where) or episode.levels
            alert = told_with(episode.alert, episode.levels)
            told.append(Transition(t_ns=t_ns, what=what, alert=alert))
        return told

    def _group(self, episode: Episode) -> None:
        assert episode.alert is not None
        history = self._phases.get(episode.where.source) or History()
        alert = episode.alert
        group = self._groups.join(
            episode.rule, episode.where, history.phase, alert.id, alert.onset_ns
        )
        episode.alert = alert.model_copy(update={"group": group})

    def _end(self, episode: Episode) -> None:
        del self._now[episode.rule, episode.where]
        if episode.alert is not None and episode.alert.condition == "pending":
            episode.alert = None
        self._past.append(episode)

    def _forget(self, t_ns: int) -> None:
        """Let go of what is over: neither latched nor within reach of a roll moved back."""

        def kept(episode: Episode) -> bool:
            latched = episode.alert is not None and episode.alert.latched
            return latched or t_ns - episode.newest_ns(t_ns) < PAST_NS

        if self._past and (len(self._past) > PAST_LIMIT or not kept(self._past[0])):
            self._past = [episode for episode in self._past if kept(episode)][-PAST_LIMIT:]

    def _standing(self, rule: Rule, episode: Episode, t_ns: int, causes: Causes) -> Standing:
        history = self._phases.get(episode.where.source) or History()
        newest_ns = episode.newest_ns(t_ns)
        spans = history.over(max(episode.onset_ns, episode.from_ns), newest_ns)
        traits = self._sources.traits(episode.where, episode.detail)
        severity = severity_of(
            rule, spans, episode, t_ns, traits, self.live, self._claps.get(episode.where.source, ())
        )
        return Standing(
            severity=severity,
            phase=history.phase,
            phases=frozenset(span.phase for span in spans),
            cause=cause_of(episode, rule, causes) if causes else None,
            shelved_until_ns=self._shelves.until_ns(rule.name, episode.where),
            muted_ns=self._mutes.since_ns(rule.name, episode.where),
            fresh=lambda: alert_of(
                rule, episode, t_ns, severity or "NOTE", self._sources, self._new_id
            ),
        )

    # ---- phases ----------------------------------------------------------------------------------

    def set_phase(
        self, phase: Phase, t_ns: int, sources: Collection[str] | None = None
    ) -> list[Transition]:
        """Change the phase of some sources, or of all; what is true is judged anew.

        Leaving rolling judges the rules that wait for the end, and lets latches and shelves "until
        the cut" go.
        """
        told: list[Transition] = []
        for source in sorted(self._sources.known if sources is None else sources):
            history = self._phases.setdefault(source, History())
            if history.phase != phase:
                told += self._change(source, history, phase, t_ns)
        self._t_ns = max(self._t_ns, t_ns)
        return told

    def _change(self, source: str, history: History, phase: Phase, t_ns: int) -> list[Transition]:
        left = history.phase
        told = self._settle(t_ns, {source})
        if left == "rolling":
            told += self._judge_ends(source, t_ns)
        history.change(phase, t_ns)
        self._groups.end(source)
        for episode in self._of({source}):
            told += self._turn(episode, phase, t_ns)
        if left == "rolling":
            told += self._cut(source, t_ns)
        if phase == "rolling":
            self._excursions = {k: n for k, n in self._excursions.items() if k[1].source != source}
        if phase == "line_up":
            self._sources.unhear(source)
        return told + self._settle(t_ns, {source}) + self._reshelve(t_ns)

    def _turn(self, episode: Episode, phase: Phase, t_ns: int) -> list[Transition]:
        """End the alert of a condition that this phase does not tell; it is followed on."""
        rule = self._rules[episode.rule]
        if getattr(rule, phase) or not episode.true or episode.alert is None:
            return []
        told = []
        if episode.alert.condition == "active":
            standing = self._standing(rule, episode, t_ns, ())
            told = self._told(episode, [lifecycle.clear(episode, rule, standing, t_ns)], t_ns)
            self._past.append(replace(episode, off_ns=t_ns, lasting=False))
        else:
            told = self._told(episode, ["dropped"], t_ns)
        episode.alert, episode.from_ns = None, t_ns
        return told

    def _cut(self, source: str, t_ns: int) -> list[Transition]:
        self._shelves.cut(source)
        told = []
        for episode in self._past:
            rule = self._rules[episode.rule]
            if episode.where.source == source and rule.latch == "cut":
                told += self._unlatch(episode, t_ns)
        return told

    def _unlatch(self, episode: Episode, t_ns: int) -> list[Transition]:
        if episode.alert is None or not episode.alert.latched:
            return []
        episode.alert = episode.alert.model_copy(update={"latched": False})
        return self._told(episode, ["unlatched"], t_ns)

    def _judge_ends(self, source: str | None, t_ns: int) -> list[Transition]:
        """Judge the rules that wait for the end of a take or file, by the newest values."""
        told = []
        for key in [k for k in self._at_end if source in (None, k[1].source)]:
            evidence, rule = self._at_end.pop(key), self._rules[key[0]]
            if evidence.true:
                episode = begun(rule, evidence, 1)
                take(episode, rule, replace(evidence, lasting=False))
                episode.off_ns, episode.calm_ns = episode.seen_ns, t_ns
                told += self._retell(episode, t_ns)
                self._past.append(episode)
        return told

    def _retell(self, episode: Episode, t_ns: int) -> list[Transition]:
        """Tell of an episode that is over: raise and clear its alert, or make it graver."""
        rule = self._rules[episode.rule]
        standing = self._standing(rule, episode, t_ns, ())
        if episode.alert is None:
            late_ns = t_ns + lifecycle.seconds_ns(rule.off_delay_s)
            return self._told(episode, lifecycle.settle(episode, rule, standing, late_ns), t_ns)
        if RANK[standing.severity] <= RANK[episode.alert.severity]:
            return []
        graver = {"severity": standing.severity, "acknowledged": None}
        episode.alert = episode.alert.model_copy(update=graver)
        latched = lifecycle.latches(rule, episode.alert, standing)
        episode.alert = episode.alert.model_copy(update={"latched": latched})
        return self._told(episode, ["raised"], t_ns)

    def moved(
        self, roll_ns: int, t_ns: int, sources: Collection[str] | None = None
    ) -> list[Transition]:
        """Take a roll that was moved back: judge anew what is rolling now."""
        told: list[Transition] = []
        for source in sorted(self._sources.known if sources is None else sources):
            history = self._phases.get(source)
            if history is None or not history.move_roll(roll_ns):
                continue
            for episode in [e for e in self._past if e.where.source == source]:
                if episode.off_ns is not None and episode.off_ns >= roll_ns:
                    told += self._retell(episode, t_ns)
            told += self._settle(t_ns, {source})
        return told

    def finish(self, t_ns: int) -> list[Transition]:
        """End everything, as a file ends: delays are not waited for, ends are judged."""
        self._t_ns = max(self._t_ns, t_ns)
        end_runs(self._now.values(), t_ns)
        told = self._settle(t_ns, None)
        for episode in self._of(None):
            if episode.off_ns is None:
                episode.off_ns = episode.newest_ns(t_ns)
            rule = self._rules[episode.rule]
            late_ns = t_ns + lifecycle.seconds_ns(rule.off_delay_s)
            episode.calm_ns = max(episode.calm_ns, late_ns)
            told += self._settle_one(episode, late_ns, (), t_ns)
        return told + self._judge_ends(None, t_ns)

    # ---- what people do --------------------------------------------------------------------------

    def acknowledge(self, alert_id: str, who: str, t_ns: int, utc_ns: int) -> list[Transition]:
        """Note that somebody has seen an alert, and those of its group that led up to it.

        Raises ``KeyError`` where there is none; one that is still pending was told to nobody.
        """
        known = [*self._now.values(), *self._past]
        told_of = [(e, e.alert) for e in known if e.alert and e.alert.condition != "pending"]
        named = next((alert for _, alert in told_of if alert.id == alert_id), None)
        if named is None:
            raise KeyError(alert_id)
        seen = Acknowledgement(who=who, t_ns=t_ns, utc_ns=utc_ns)
        told = []
        for episode, alert in told_of:
            if alert.acknowledged is None and covers(named, alert):
                told += self._seen(episode, alert, seen)
        return told

    def _seen(self, episode: Episode, alert: Alert, seen: Acknowledgement) -> list[Transition]:
        episode.alert = alert.model_copy(update={"acknowledged": seen})
        told = self._told(episode, ["acknowledged"], seen.t_ns)
        if self._rules[episode.rule].latch == "acknowledged":
            told += self._unlatch(episode, seen.t_ns)
        return told

    def shelve(
        self, rule: str, source: str, channel: int | None, until_ns: int | None, reason: str,
        t_ns: int,
    ) -> list[Transition]:  # fmt: skip
        """Shelve a rule at a source and channel (None: all) until a time, or None: the cut.

        Raises ``KeyError`` where there is no such rule.
        """
        if all(rule != row.name for row in self._rules.values()):
            raise KeyError(rule)
        self._shelves.put(
            Shelf(rule=rule, source=source, channel=channel, until_ns=until_ns, reason=reason)
        )
        return self._settle(t_ns, {source}) + self._reshelve(t_ns)

    def unshelve(self, rule: str, source: str, channel: int | None, t_ns: int) -> list[Transition]:
        """Take a rule off its shelf. Raises ``KeyError`` where it is not shelved."""
        if not self._shelves.drop(rule, source, channel):
            raise KeyError(rule)
        return self._settle(t_ns, {source}) + self._reshelve(t_ns)

    def shelves(self) -> list[Shelf]:
        """Return what is shelved."""
        return list(self._shelves.shelves)

    def mute(self, where: Where, who: str, t_ns: int, utc_ns: int) -> list[Transition]:
        """Mark a channel as muted until it speaks again.

        Raises ``KeyError`` where no channel is known, ``ValueError`` where it carries sound.
        """
        carries = self._sources.carries(where)
        if carries is None:
            raise KeyError(where.channel)
        if carries:
            raise ValueError(f"{self._sources.channel_name(where)} carries sound")
        self._mutes.put(Mute(where=where, who=who, t_ns=t_ns, utc_ns=utc_ns))
        return self._settle(t_ns, {where.source}) + self._mute_past(where, t_ns)

    def unmute(self, where: Where, t_ns: int) -> list[Transition]:
        """Take a mark back. Raises ``KeyError`` where there is none."""
        if not self._mutes.drop(where):
            raise KeyError(where.channel)
        return self._settle(t_ns, {where.source})

    def mutes(self) -> list[Mute]:
        """Return the channels marked as muted."""
        return list(self._mutes.mutes)

    def spoken(self) -> list[Mute]:
        """Return the marks that ended by themselves since the last call."""
        ended, self._mutes.ended = self._mutes.ended, []
        return ended

    def heard(self, source: str, stream: int) -> list[bool]:
        """Return which channels have carried sound since the line-up began."""
        return self._sources.heard(source, stream)

    def channel_name(self, where: Where) -> str | None:
        """Return the name of a channel, for sentences about it."""
        return self._sources.channel_name(where)

    def _mute_past(self, where: Where, t_ns: int) -> list[Transition]:
        """Let go of what the same silence left latched, as when a take was cut in it."""
        told: list[Transition] = []
        for episode in self._past:
            alert, name = episode.alert, self._rules[episode.rule].name
            cut = episode.end is None  # by a phase: where the silence ended is not known
            if (
                cut
                and alert is not None
                and alert.latched
                and (episode.where == where and name in MUTABLE)
            ):
                episode.alert = alert.model_copy(update={"muted_ns": t_ns, "latched": False})
                told += self._told(episode, ["muted"], t_ns)
        return told

    def _reshelve(self, t_ns: int) -> list[Transition]:
        """Follow the shelves with alerts that are cleared but latched."""
        told = []
        for episode in self._past:
            if episode.alert is None or not episode.alert.latched:
                continue
            until = self._shelves.until_ns(episode.alert.rule, episode.where)
            if until != episode.alert.shelved_until_ns:
                episode.alert = episode.alert.model_copy(update={"shelved_until_ns": until})
                what: What = "unshelved" if until is None else "shelved"
                told += self._told(episode, [what], t_ns)
        return told

    def alerts(self) -> list[Alert]:
        """Return the alerts that are not yet cleared, or latched; oldest onset first."""
        known = [*self._now.values(), *self._past]
        every = [told_with(e.alert, e.levels) for e in known if e.alert is not None]
        listed = [a for a in every if a.condition != "cleared" or a.latched]
        return sorted(listed, key=lambda alert: alert.onset_ns)

    # ---- restart ---------------------------------------------------------------------------------

    def state(self) -> str:
        """Return everything needed to go on after a restart, as JSON."""
        return memory.dumped(
            Memory(
                t_ns=self._t_ns,
                now=list(self._now.values()),
                past=self._past,
                phases=self._phases,
                shelves=self._shelves.shelves,
                mutes=self._mutes.mutes,
                groups=self._groups.groups,
                excursions=[
                    Counted(rule=rule, where=where, count=count)
                    for (rule, where), count in self._excursions.items()
                ],
                at_end=[Last(rule=k[0], evidence=e) for k, e in self._at_end.items()],
                pins=self._sources.axis.pins,
                kinds=self._sources.kinds_known(),
                channels=self._sources.channels_heard(),
                claps=self._claps,
            )
        )

    def restore(self, state: str, shift_ns: int = 0) -> None:
        """Go on from a state; times move by ``shift_ns``. Rules that are gone take theirs along.

        Raises ``ValueError`` on anything that is not a state.
        """
        found = memory.loaded(state, shift_ns)
        self._t_ns = found.t_ns
        self._now = {(e.rule, e.where): e for e in found.now if e.rule in self._rules}
        self._past = [e for e in found.past if e.rule in self._rules]
        self._phases, self._shelves = found.phases, Shelves(found.shelves)
        self._mutes = Mutes(found.mutes)
        self._groups = Groups(found.groups)
        self._excursions = {(c.rule, c.where): c.count for c in found.excursions}
        self._at_end = {
            (last.rule, last.evidence.where): last.evidence
            for last in found.at_end
            if last.rule in self._rules
        }
        self._claps = found.claps
        self._sources.restore(found.pins, found.kinds, found.channels)
