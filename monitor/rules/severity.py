"""How grave an episode is: by phase, count, duration and what else is open."""

from collections.abc import Collection, Iterable

from config.spec import Rule, Severity, Step
from monitor.rules.episode import SECOND_NS, Episode
from monitor.rules.model import RANK
from monitor.rules.phases import Span

REPLACING = frozenset({"mix", "recoverable"})
"""Traits whose steps stand instead of the others; ``alone`` only adds."""


def _applying(steps: Iterable[Step], traits: Collection[str]) -> list[Step]:
    listed = list(steps)
    for trait in sorted(REPLACING & set(traits)):
        own = [step for step in listed if step.only == trait]
        if own:
            return own
    return [step for step in listed if step.only is None or step.only in traits]


def _reached(step: Step, episode: Episode, lasted_ns: int) -> bool:
    count = episode.count if step.within_s is None else episode.count_1s
    return count >= step.count and lasted_ns >= step.after_s * SECOND_NS


def gravest(severities: Iterable[Severity | None]) -> Severity | None:
    """Return the gravest of some severities, or None."""
    return max(severities, key=lambda severity: RANK[severity], default=None)


def _in_span(
    rule: Rule, span: Span, episode: Episode, now_ns: int, traits: Collection[str], live: bool
) -> Severity | None:
    steps: list[Step] = getattr(rule, span.phase)
    lasted_ns = episode.lasted_ns(now_ns)
    reached = (s for s in _applying(steps, traits) if _reached(s, episode, lasted_ns))
    found = gravest(step.severity for step in reached)
    grace_ns = span.from_ns + rule.grace_after_roll_s * SECOND_NS
    graceful = live and rule.grace_after_roll_s > 0 and episode.seen_ns < grace_ns
    if graceful and span.phase == "rolling":
        return "NOTE" if RANK[found] > RANK["NOTE"] else None
    return found


def severity_of(
    rule: Rule,
    spans: Iterable[Span],
    episode: Episode,
    now_ns: int,
    traits: Collection[str],
    live: bool,
) -> Severity | None:
    """Return an episode's severity: the gravest over the phases it was true in, or None.

    ``traits``: words that hold for it now (mix, alone, recoverable). Live, for a moment after the
    roll, it is at most a NOTE, and what is only a NOTE is not told.
    """
    return gravest(_in_span(rule, span, episode, now_ns, traits, live) for span in spans)
