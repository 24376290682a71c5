"""How grave an episode is: by phase, count, duration and what else is open."""

from collections.abc import Collection, Iterable, Sequence

from config.spec import Rule, Severity, Step
from monitor.rules.episode import SECOND_NS, Episode
from monitor.rules.model import RANK
from monitor.rules.phases import Span

REPLACING = frozenset({"mix", "recoverable"})
"""Traits whose steps stand instead of the others; ``alone`` only adds."""
SLATE_NS = 20 * SECOND_NS  # of a take; sound rolls first, and the slate comes within this
KNOWN_LIVE_NS = SECOND_NS * 35 // 100  # a clap is told 0.25 s after it, at the next reading
KNOWN_IN_FILE_NS = 2 * SECOND_NS  # a clap at the end of a step is told in the next, where it was
EARLY_NS = SECOND_NS // 10  # a reading that holds a clap's peak began before it


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


def _of_a_clap(
    rule: Rule, span: Span, episode: Episode, now_ns: int, live: bool, claps_ns: Sequence[int]
) -> bool:
    """Say whether an episode is the noise of a clap, or whether that is not known yet.

    Live, a slate comes soon after the roll; what comes later is told at once.
    """
    grace_ns = rule.grace_after_clap_s * SECOND_NS
    if not grace_ns or (live and episode.onset_ns >= span.from_ns + SLATE_NS):
        return False
    waiting = now_ns - episode.onset_ns < (KNOWN_LIVE_NS if live else KNOWN_IN_FILE_NS)
    return waiting or any(
        clap_ns - EARLY_NS <= episode.onset_ns and episode.seen_ns <= clap_ns + grace_ns
        for clap_ns in claps_ns
    )


def _in_span(
    rule: Rule,
    span: Span,
    episode: Episode,
    now_ns: int,
    traits: Collection[str],
    live: bool,
    claps_ns: Sequence[int],
) -> Severity | None:
    steps: list[Step] = getattr(rule, span.phase)
    lasted_ns = episode.lasted_ns(now_ns)
    reached = (s for s in _applying(steps, traits) if _reached(s, episode, lasted_ns))
    found = gravest(step.severity for step in reached)
    if span.phase != "rolling":
        return found
    grace_ns = span.from_ns + rule.grace_after_roll_s * SECOND_NS
    graceful = live and rule.grace_after_roll_s > 0 and episode.seen_ns < grace_ns
    if graceful or _of_a_clap(rule, span, episode, now_ns, live, claps_ns):
        return "NOTE" if RANK[found] > RANK["NOTE"] else None
    return found


def severity_of(
    rule: Rule,
    spans: Iterable[Span],
    episode: Episode,
    now_ns: int,
    traits: Collection[str],
    live: bool,
    claps_ns: Sequence[int] = (),
) -> Severity | None:
    """Return an episode's severity: the gravest over the phases it was true in, or None.

    ``traits``: words that hold for it now (mix, alone, recoverable). Live, for a moment after the
    roll, it is at most a NOTE, and what is only a NOTE is not told. So is what lies within a clap;
    ``claps_ns`` are the times of its source's claps.
    """
    return gravest(_in_span(rule, span, episode, now_ns, traits, live, claps_ns) for span in spans)
