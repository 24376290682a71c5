"""An alert's life: pending, active, cleared; and what it is told with. Pure steps over episodes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from config.spec import Phase, Rule, Severity
from monitor.rules.episode import SECOND_NS, Episode
from monitor.rules.model import RANK, Alert

TOLD_EVERY_NS = SECOND_NS // 4  # updates are journalled with fsync; people read no faster
SETTLED_EVERY_NS = SECOND_NS // 5  # 128 channels in trouble cost 15 % of a core when always

What = Literal[
    "pending", "active", "raised", "updated", "cleared", "dropped", "acknowledged", "unlatched",
    "suppressed", "unsuppressed", "shelved", "unshelved", "muted", "unmuted",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an episode's alert is told with, now: found by the engine, used by the steps."""

    severity: Severity | None
    phase: Phase
    phases: frozenset[Phase]
    """The phase now, and those the condition was true in."""
    cause: str | None
    shelved_until_ns: int | None
    muted_ns: int | None
    fresh: Callable[[], Alert]
    """Makes the alert as this episode would begin it; costly, so only when something is told."""


def seconds_ns(seconds: float) -> int:
    """Return seconds as nanoseconds."""
    return round(seconds * SECOND_NS)


def latches(rule: Rule, alert: Alert, standing: Standing) -> bool:
    """Say whether an alert that clears now stays on the list."""
    told = alert.suppressed_by is None and alert.muted_ns is None
    if not told or not standing.phases & set(rule.latch_in):
        return False
    if rule.latch == "cut":
        return standing.phase == "rolling"
    return rule.latch == "acknowledged" and alert.acknowledged is None


def _tell(episode: Episode, **changes: object) -> Alert:
    assert episode.alert is not None
    episode.alert = episode.alert.model_copy(update=changes)
    return episode.alert


def _facts(standing: Standing) -> dict[str, object]:
    """Return what grows while an episode goes on."""
    fresh = standing.fresh()
    return {
        "worst": fresh.worst, "limit": fresh.limit, "unit": fresh.unit, "count": fresh.count,
        "count_1s": fresh.count_1s, "message": fresh.message, "start": fresh.start,
        "end": fresh.end, "end_ns": fresh.end_ns,
    }  # fmt: skip


def _begin(episode: Episode, rule: Rule, standing: Standing, now_ns: int) -> Iterator[What]:
    """Raise a pending alert once the condition has lasted; drop it when it ended too soon."""
    assert episode.alert is not None
    delay_ns = seconds_ns(rule.on_delay_s)
    if episode.lasted_ns(now_ns) >= delay_ns:
        active_ns = max(episode.onset_ns + delay_ns, episode.from_ns)
        _tell(
            episode,
            condition="active",
            active_ns=active_ns,
            severity=standing.severity or episode.alert.severity,
            suppressed_by=standing.cause,
            shelved_until_ns=standing.shelved_until_ns,
            muted_ns=standing.muted_ns,
            **_facts(standing),
        )
        episode.changed, episode.told_ns = False, now_ns
        yield "active"
    elif not episode.true:
        yield "dropped"


def _grow(episode: Episode, standing: Standing, now_ns: int) -> Iterator[What]:
    """Raise the severity at once; tell other changes at most four times a second."""
    assert episode.alert is not None
    muted = episode.alert.muted_ns is not None
    if standing.severity and not muted and RANK[standing.severity] > RANK[episode.alert.severity]:
        # an acknowledged alert that became graver asks anew (ISA-18.2: re-alarm)
        _tell(episode, severity=standing.severity, acknowledged=None, **_facts(standing))
        episode.changed, episode.told_ns = False, now_ns
        yield "raised"
    elif episode.changed and now_ns - episode.told_ns >= TOLD_EVERY_NS:
        _tell(episode, **_facts(standing))
        episode.changed, episode.told_ns = False, now_ns
        yield "updated"


def _aside(episode: Episode, standing: Standing) -> Iterator[What]:
    """Follow suppression, shelving and muting.

    What is over when its cause ends was caused by it; what is over when its channel speaks again
    was muted to its end.
    """
    assert episode.alert is not None
    orphaned = standing.cause is None and episode.off_ns is not None
    if standing.cause != episode.alert.suppressed_by and not orphaned:
        _tell(episode, suppressed_by=standing.cause)
        yield "suppressed" if standing.cause else "unsuppressed"
    if standing.shelved_until_ns != episode.alert.shelved_until_ns:
        _tell(episode, shelved_until_ns=standing.shelved_until_ns)
        yield "unshelved" if standing.shelved_until_ns is None else "shelved"
    spoken = standing.muted_ns is None and episode.off_ns is not None
    if standing.muted_ns != episode.alert.muted_ns and not spoken:
        _tell(episode, muted_ns=standing.muted_ns)
        yield "unmuted" if standing.muted_ns is None else "muted"


def clear(episode: Episode, rule: Rule, standing: Standing, cleared_ns: int) -> What:
    """Clear an active alert; it stays latched if its rule and phase say so."""
    assert episode.alert is not None
    latched = latches(rule, episode.alert, standing)
    _tell(episode, **_facts(standing))
    _tell(episode, condition="cleared", cleared_ns=cleared_ns, latched=latched)
    episode.changed = False
    return "cleared"


def settle(episode: Episode, rule: Rule, standing: Standing, now_ns: int) -> Iterator[What]:
    """Yield the steps of an episode's alert up to now; ``episode.alert`` is its state at each."""
    if episode.alert is None:
        if standing.severity is None:
            return
        episode.alert = standing.fresh()
        yield "pending"
    if episode.alert.condition == "pending":
        yield from _begin(episode, rule, standing, now_ns)
    if episode.alert.condition != "active":
        return
    yield from _grow(episode, standing, now_ns)
    yield from _aside(episode, standing)
    off_delay_ns = seconds_ns(rule.off_delay_s)
    if episode.off_ns is not None and episode.calm_for_ns(now_ns) >= off_delay_ns:
        yield clear(episode, rule, standing, episode.off_ns + off_delay_ns)


def rests(episode: Episode, now_ns: int) -> bool:
    """Say whether an active alert can wait: it is true still, and nothing of it changed.

    What time alone can change (a graver step after some seconds) is looked at five times a second.
    """
    active = episode.alert is not None and episode.alert.condition == "active"
    waits = active and episode.true and not episode.changed
    return waits and now_ns - episode.settled_ns < SETTLED_EVERY_NS


def over(episode: Episode, rule: Rule, now_ns: int) -> bool:
    """Say whether an episode has ended: false for its off-delay, or too short to be told."""
    if episode.alert is not None:
        ended = episode.alert.condition == "cleared"
        return ended or (episode.alert.condition == "pending" and not episode.true)
    return not episode.true and episode.calm_for_ns(now_ns) >= seconds_ns(rule.off_delay_s)
