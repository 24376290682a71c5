"""The glance: one word a department, readable from two metres. Pure.

FAULT before NOT MONITORED before CHECK before OK or STANDBY: a known fault says more than a lost
eye, and a lost eye says more than a warning. Nobody rolling is never OK; only a FAULT is red.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from config.spec import Department
from monitor.rules.model import RANK, Alert

Word = Literal["OK", "STANDBY", "CHECK", "FAULT", "NOT MONITORED"]
SEEN = ("live", "ended")  # a file that came to its end has been watched…
SEEN_ROLLING = ("live",)  # …but in a take that rolls on, nobody watches any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One source as the glance sees it."""

    id: str
    name: str
    department: Department
    group: str
    state: str
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A department's word, whom it is about, what it is, and what to say at the cut."""

    department: Department
    word: Word
    subject: str = ""
    detail: str = ""
    say: str = ""


def counts(alert: Alert) -> bool:
    """Say whether an alert stands: active or latched; not suppressed, shelved or muted."""
    standing = alert.condition == "active" or alert.latched
    aside = alert.shelved_until_ns is not None or alert.muted_ns is not None
    return standing and alert.suppressed_by is None and not aside


def departments(sources: Sequence[Watched]) -> list[Department]:
    """Return the departments that have a source, sound first."""
    both = any(source.department == "both" for source in sources)
    present = {source.department for source in sources}
    order: tuple[Department, ...] = ("sound", "camera")
    return [department for department in order if both or department in present]


def glance(
    department: Department,
    sources: Sequence[Watched],
    alerts: Sequence[Alert],
    rolling_groups: Collection[str],
    rolling_takes: Collection[str] = (),
) -> Verdict:
    """Return one department's verdict.

    While it rolls the word is this take's: what an earlier take left unacknowledged is counted in
    the detail, for a red word over a healthy take would be a false red.
    """
    mine = [source for source in sources if source.department in (department, "both")]
    rolling = any(source.group in rolling_groups for source in mine)
    seen = SEEN_ROLLING if rolling else SEEN
    unseen = [source for source in mine if source.state not in seen]
    known = [a for a in alerts if a.department in (department, "both") and counts(a)]
    standing = [a for a in known if not rolling or _is_of_now(a, rolling_takes)]
    worst = max(standing, key=lambda a: (RANK[a.severity], a.onset_ns), default=None)
    if worst is not None and worst.severity == "FAULT":
        return _about(department, "FAULT", worst)
    if unseen and (rolling or len(unseen) == len(mine)):
        return _not_monitored(department, unseen, rolling)
    if worst is not None and worst.severity == "CHECK":
        return _about(department, "CHECK", worst)
    detail = ", ".join(source.name for source in unseen)
    if detail:
        detail = f"not monitored: {detail}"
    elif len(known) > len(standing):
        detail = f"of earlier takes, not acknowledged: {len(known) - len(standing)}"
    return Verdict(department=department, word="OK" if rolling else "STANDBY", detail=detail)


def _is_of_now(alert: Alert, rolling_takes: Collection[str]) -> bool:
    """Say whether an alert is about what is being shot: still so, or of this very take."""
    return alert.condition == "active" or alert.take in rolling_takes


def _about(department: Department, word: Word, alert: Alert) -> Verdict:
    subject = alert.channel_name or alert.source_name
    say = f"{subject}: {alert.message}"
    return Verdict(department=department, word=word, subject=subject, detail=alert.message, say=say)


def _not_monitored(department: Department, unseen: Sequence[Watched], rolling: bool) -> Verdict:
    names = ", ".join(source.name for source in unseen)
    first = unseen[0]
    detail = first.why or first.state
    return Verdict(
        department=department,
        word="NOT MONITORED",
        subject=names,
        detail=detail,
        say=f"Part of this take was not monitored: {names}" if rolling else "",
    )
