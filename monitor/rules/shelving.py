"""Shelves: somebody has looked and does not want to hear of it, for a while and for a reason."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.rules.kinds import Where
from monitor.rules.model import UNTIL_CUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One rule shelved at one source, on one channel or all, until a time or the cut."""

    rule: str
    source: str
    channel: int | None
    until_ns: int | None
    reason: str

    def covers(self, rule: str, where: Where) -> bool:
        """Say whether this shelf holds an alert of this rule at this place."""
        same = self.rule == rule and self.source == where.source
        return same and self.channel in (None, where.channel)


def shelved_until_ns(shelves: Iterable[Shelf], rule: str, where: Where) -> int | None:
    """Return until when alerts of a rule are shelved at a place, or None; the cut is -1."""
    held = [shelf for shelf in shelves if shelf.covers(rule, where)]
    if not held:
        return None
    timed = [shelf.until_ns for shelf in held if shelf.until_ns is not None]
    return UNTIL_CUT if len(timed) < len(held) else max(timed)
