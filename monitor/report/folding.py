"""Alerts that repeat at one place, folded into one row a group, as the page does. Pure.

Formats for people fold; formats for programs list every alert (decision 0164).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.report.document import DayAlert
from monitor.rules.model import RANK


@dataclass(frozen=True, slots=True)
class Fold:
    """The alerts of one group in one take, or between takes: oldest first, never empty."""

    members: tuple[DayAlert, ...]

    @property
    def first(self) -> DayAlert:
        """The alert that began first."""
        return self.members[0]

    @property
    def last(self) -> DayAlert:
        """The alert that began last."""
        return self.members[-1]

    @property
    def worst(self) -> DayAlert:
        """The gravest; of equals the one farthest from its limit, the first of those."""
        return max(self.members, key=lambda alert: (RANK[alert.severity], _distance(alert)))

    @property
    def count(self) -> int:
        """Faults of all members together."""
        return sum(alert.count for alert in self.members)

    @property
    def active(self) -> bool:
        """Whether one of them goes on."""
        return any(alert.active for alert in self.members)

    @property
    def longest_s(self) -> float | None:
        """The longest known length of one of them."""
        return max((a.length_s for a in self.members if a.length_s is not None), default=None)

    @property
    def noted(self) -> list[DayAlert]:
        """The members somebody took note of."""
        return [alert for alert in self.members if alert.acknowledged]


def folded(alerts: Iterable[DayAlert]) -> list[Fold]:
    """Return one fold a group, in the order in which each group is first met."""
    groups: dict[str, list[DayAlert]] = {}
    for alert in alerts:
        groups.setdefault(alert.group or alert.id, []).append(alert)
    return [
        Fold(tuple(sorted(members, key=lambda alert: alert.start.utc_ns)))
        for members in groups.values()
    ]


def _distance(alert: DayAlert) -> float:
    """Return how far an alert's value lies from its limit, in its unit."""
    if not isinstance(alert.worst, int | float):
        return 0.0
    return abs(alert.worst - (alert.limit if isinstance(alert.limit, int | float) else 0.0))
