"""Groups: alerts of one row at one place that follow each other. Pure.

Each alert stays as it is; the group is what people read as one line (decision 0141).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from config.spec import Phase
from monitor.rules.episode import SECOND_NS
from monitor.rules.kinds import Where
from monitor.rules.model import Alert

FLOOD_NS = 600 * SECOND_NS  # ISA-18.2 counts floods in 10 minutes; apart, they are two matters


@dataclass(slots=True, kw_only=True)
class Group:
    """The group that a row's alerts at a place belong to now."""

    rule: str
    where: Where
    first: str
    """The id of its first alert, which names it."""
    newest_ns: int


def covers(named: Alert, alert: Alert) -> bool:
    """Say whether taking note of one alert is taking note of another: earlier ones that stand."""
    stands = alert.condition == "active" or alert.latched
    grouped = stands and alert.group == named.group and alert.onset_ns <= named.onset_ns
    return alert.id == named.id or grouped


class Groups:
    """The groups of now, one a row and place."""

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        self._groups = {(group.rule, group.where): group for group in groups}

    @property
    def groups(self) -> list[Group]:
        """All groups, for the state that survives a restart."""
        return list(self._groups.values())

    def join(self, rule: str, where: Where, phase: Phase, alert_id: str, onset_ns: int) -> str:
        """Return the group of an alert that begins: the one there is, or a new one.

        In a take it goes on to the cut; outside, while alerts follow within ``FLOOD_NS``.
        """
        group = self._groups.get((rule, where))
        if group is None or (phase != "rolling" and onset_ns - group.newest_ns > FLOOD_NS):
            group = Group(rule=rule, where=where, first=alert_id, newest_ns=onset_ns)
            self._groups[rule, where] = group
        group.newest_ns = max(group.newest_ns, onset_ns)
        return group.first

    def end(self, source: str) -> None:
        """End the groups of a source: its phase changed."""
        self._groups = {k: group for k, group in self._groups.items() if k[1].source != source}
