"""Shelves: somebody has looked and does not want to hear of it, for a while and for a reason."""

from dataclasses import dataclass, field

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


@dataclass(slots=True)
class Shelves:
    """What is shelved now: at most one shelf a rule, source and channel."""

    shelves: list[Shelf] = field(default_factory=list)

    def put(self, shelf: Shelf) -> None:
        """Shelve, in place of what was shelved there."""
        self.drop(shelf.rule, shelf.source, shelf.channel)
        self.shelves.append(shelf)

    def drop(self, rule: str, source: str, channel: int | None) -> bool:
        """Take a rule off its shelf; say whether it was shelved."""
        before, wanted = len(self.shelves), (rule, source, channel)
        self.shelves = [s for s in self.shelves if (s.rule, s.source, s.channel) != wanted]
        return len(self.shelves) < before

    def expire(self, t_ns: int) -> None:
        """Let go of shelves whose time is over."""
        self.shelves = [s for s in self.shelves if s.until_ns is None or s.until_ns > t_ns]

    def cut(self, source: str) -> None:
        """Let go of a source's shelves until the cut."""
        self.shelves = [s for s in self.shelves if s.source != source or s.until_ns is not None]

    def until_ns(self, rule: str, where: Where) -> int | None:
        """Return until when alerts of a rule are shelved at a place, or None; the cut is -1."""
        held = [shelf for shelf in self.shelves if shelf.covers(rule, where)]
        if not held:
            return None
        timed = [shelf.until_ns for shelf in held if shelf.until_ns is not None]
        return UNTIL_CUT if len(timed) < len(held) else max(timed)
