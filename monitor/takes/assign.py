"""Which take an alert belongs to: the one whose part covers its onset's capture time. Pure.

An alert that began before the roll and still stands in the take damages that take, so where no
part covers the onset the first part it reaches into counts.
"""

from collections.abc import Iterable

from monitor.records import Part, Take
from monitor.rules.model import Alert

SERVICE = "service"  # the monitor itself: belongs to every group


def _reaches(part: Part, start_ns: int, end_ns: int) -> bool:
    return part.roll_ns <= end_ns and (part.cut_ns is None or part.cut_ns > start_ns)


def take_of(alert: Alert, takes: Iterable[Take], group: str, now_ns: int) -> str | None:
    """Return the id of the alert's take, or None: it happened while nobody rolled."""
    end_ns = now_ns if alert.cleared_ns is None else (alert.end_ns or alert.cleared_ns)
    first: tuple[int, str] | None = None
    for take in takes:
        if take.deleted:
            continue
        for part in take.parts:
            if group not in (part.group, SERVICE) or not _reaches(part, alert.onset_ns, end_ns):
                continue
            if part.roll_ns <= alert.onset_ns:
                return take.id
            first = min(first or (part.roll_ns, take.id), (part.roll_ns, take.id))
    return first[1] if first else None
