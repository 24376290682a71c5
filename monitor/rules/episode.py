"""One episode of one condition at one place: what is true, since when, and how bad.

An episode is what is true; its alert is what somebody is told. An episode without an alert is
followed all the same, so that a phase change or a roll moved back can still raise it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from config.spec import Limit, Rule
from monitor.rules.kinds import KINDS, Evidence, Levels, Where, Worst
from monitor.rules.model import Alert, Place

SECOND_NS = 1_000_000_000
KEYS_LIMIT = 64  # event ids one episode remembers, so that a late step is not counted twice


@dataclass(slots=True, kw_only=True)
class Count:
    """The faults one detector episode counted, in all and within any one second."""

    count: int
    count_1s: int
    open: bool


@dataclass(slots=True, kw_only=True)
class Episode:
    """One episode. ``rule`` is the row's key; ``off_ns`` is when the condition became false.

    ``seen_ns`` is the newest evidence that it is true, ``calm_ns`` the newest that it is not.
    ``from_ns`` is where judging begins: its onset, or the phase change that began a new alert.
    """

    rule: str
    where: Where
    onset_ns: int
    from_ns: int
    seen_ns: int
    calm_ns: int = 0
    off_ns: int | None = None
    lasting: bool = False
    runs: dict[str, Count] = field(default_factory=dict)
    earlier: int = 0
    """Faults of detector episodes that are no longer remembered one by one."""
    excursions: int = 1
    worst: Worst = None
    unit: str = ""
    detail: str | None = None
    start: Place | None = None
    end: Place | None = None
    channels: tuple[int, ...] = ()
    """All it is about, where they are more than the place's own."""
    alert: Alert | None = None
    levels: Annotated[Levels | None, Field(exclude=True)] = None
    """Of its worst run. Not kept over a restart: the state is written every second."""
    levels_key: str | None = None
    changed: bool = False
    told_ns: int = 0
    settled_ns: int = 0
    """When it was last looked at as a whole."""

    @property
    def true(self) -> bool:
        """Whether the condition is true now, as far as is known."""
        return self.off_ns is None

    @property
    def count(self) -> int:
        """How many faults: runs and frames of a detector, else excursions over the limit."""
        if self.runs:
            return self.earlier + sum(run.count for run in self.runs.values())
        return self.excursions

    @property
    def count_1s(self) -> int:
        """The most faults within one second."""
        return max((run.count_1s for run in self.runs.values()), default=1)

    def lasted_ns(self, now_ns: int) -> int:
        """Return how long the condition has been true, on evidence."""
        return max(0, self.newest_ns(now_ns) - self.onset_ns)

    def newest_ns(self, now_ns: int) -> int:
        """Return the newest time at which the condition is known to be true."""
        if not self.lasting:
            return self.seen_ns
        return max(self.seen_ns, now_ns) if self.off_ns is None else self.off_ns

    def calm_for_ns(self, now_ns: int) -> int:
        """Return how long it has been false, on evidence: silence of a metric proves nothing."""
        if self.off_ns is None:
            return 0
        return (max(now_ns, self.calm_ns) if self.runs or self.lasting else self.calm_ns) - (
            self.off_ns
        )


def begun(rule: Rule, evidence: Evidence, excursions: int) -> Episode:
    """Return a new episode from the first true evidence."""
    return Episode(
        rule=rule.key,
        where=evidence.where,
        onset_ns=evidence.from_ns,
        from_ns=evidence.from_ns,
        seen_ns=evidence.from_ns,
        excursions=excursions,
    )


def _worst(rule: Rule, old: Worst, new: Worst) -> Worst:
    limit: Limit | None = rule.limit
    return KINDS[rule.kind].worse(limit, old, new)


def _remember(episode: Episode, evidence: Evidence) -> None:
    assert evidence.key is not None
    episode.runs[evidence.key] = Count(
        count=evidence.count, count_1s=evidence.count_1s, open=evidence.lasting
    )
    while len(episode.runs) > KEYS_LIMIT:
        oldest = next(iter(episode.runs))
        episode.earlier += episode.runs.pop(oldest).count


def _shows_the_worst(episode: Episode, rule: Rule, evidence: Evidence) -> bool:
    """Say whether a run's levels are to stand for the episode: the worst run's, told last."""
    if episode.levels is None or evidence.key == episode.levels_key:
        return True
    return _worst(rule, episode.worst, evidence.worst) != episode.worst


def _take_true(episode: Episode, rule: Rule, evidence: Evidence) -> None:
    if episode.off_ns is not None and evidence.key not in episode.runs:
        episode.excursions += 1
    adds = evidence.key is None or evidence.key not in episode.runs or rule.kind != "gap"
    if evidence.key is not None:
        _remember(episode, evidence)
    if evidence.levels is not None and _shows_the_worst(episode, rule, evidence):
        episode.levels, episode.levels_key = evidence.levels, evidence.key
    if adds:
        episode.worst = _worst(rule, episode.worst, evidence.worst)
    episode.onset_ns = min(episode.onset_ns, evidence.from_ns)
    episode.seen_ns = max(episode.seen_ns, evidence.to_ns)
    episode.unit = evidence.unit or episode.unit
    episode.detail = evidence.detail or episode.detail
    episode.channels = evidence.channels or episode.channels
    episode.start = episode.start or evidence.start
    episode.lasting = evidence.lasting or any(run.open for run in episode.runs.values())
    ended = evidence.key is not None and not episode.lasting
    episode.off_ns = episode.seen_ns if ended else None
    episode.end = evidence.end or (None if episode.lasting else episode.end)


def _take_false(episode: Episode, evidence: Evidence) -> None:
    if episode.off_ns is None:
        episode.off_ns = max(evidence.from_ns, episode.seen_ns)
        episode.end = evidence.start
        episode.lasting = evidence.lasting
    episode.calm_ns = max(episode.calm_ns, evidence.to_ns)


def _take_unknown(episode: Episode) -> None:
    """Stop the off-delay: unknown neither fires nor clears, so calm must begin anew."""
    if episode.off_ns is not None and not episode.runs:
        episode.off_ns = None
        episode.lasting = False


def take(episode: Episode, rule: Rule, evidence: Evidence) -> None:
    """Let an episode take one piece of evidence."""
    before = (episode.count, episode.count_1s, episode.worst)
    if evidence.true is None:
        _take_unknown(episode)
    elif evidence.true:
        _take_true(episode, rule, evidence)
    else:
        _take_false(episode, evidence)
    episode.changed |= before != (episode.count, episode.count_1s, episode.worst)


def end_runs(episodes: Iterable[Episode], t_ns: int) -> None:
    """End the open detector episodes: whoever watched them is gone, or the file has ended."""
    for episode in episodes:
        if not any(run.open for run in episode.runs.values()):
            continue
        for run in episode.runs.values():
            run.open = False
        episode.lasting = False
        episode.seen_ns = max(episode.seen_ns, t_ns)
        episode.off_ns = episode.seen_ns
