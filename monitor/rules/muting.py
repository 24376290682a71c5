"""Marked as muted: a microphone that is digitally silent on purpose, until it speaks again.

Unlike a shelf the mark has no time to run out: it ends by itself once the channel has carried
sound for ``SPEAKS_NS``, so that a new silence alerts anew. A click of a transmitter being switched
is no speech.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from monitor.rules.kinds import Where

MUTABLE: Final = frozenset({"audio.silence"})
"""Rules that a mark silences: what a muted microphone is told of by nature."""
SPEAKS_NS: Final = 1_000_000_000  # a syllable is 0.2 s, a switch's click some milliseconds


@dataclass(slots=True, kw_only=True)
class Mute:
    """One channel marked as muted: by whom and when; and since when it carries sound again."""

    where: Where
    who: str
    t_ns: int
    utc_ns: int
    speaks_ns: int | None = None


@dataclass(slots=True)
class Mutes:
    """The marks that stand, and those that have ended by themselves since last asked."""

    mutes: list[Mute] = field(default_factory=list)
    ended: list[Mute] = field(default_factory=list)

    def put(self, mute: Mute) -> None:
        """Mark a channel; one that is marked keeps its first mark."""
        if self.at(mute.where) is None:
            self.mutes.append(mute)

    def drop(self, where: Where) -> bool:
        """Take a mark back; say whether there was one."""
        before = len(self.mutes)
        self.mutes = [mute for mute in self.mutes if mute.where != where]
        return len(self.mutes) < before

    def at(self, where: Where) -> Mute | None:
        """Return the mark of a channel."""
        return next((mute for mute in self.mutes if mute.where == where), None)

    def since_ns(self, rule: str, where: Where) -> int | None:
        """Return since when alerts of a rule at a place are muted, or None."""
        mute = self.at(where) if rule in MUTABLE and self.mutes else None
        return None if mute is None else mute.t_ns

    def hear(self, source: str, stream: int, t_ns: int, carries: Callable[[int], bool]) -> None:
        """Follow a stream's channels at ``t_ns``: marks of those that speak end."""
        for mute in [*self.mutes] if self.mutes else ():
            channel = mute.where.channel
            if (mute.where.source, mute.where.stream) != (source, stream) or channel is None:
                continue
            if not carries(channel):
                mute.speaks_ns = None
            elif mute.speaks_ns is None:
                mute.speaks_ns = t_ns
            elif t_ns - mute.speaks_ns >= SPEAKS_NS:
                self.mutes.remove(mute)
                self.ended.append(mute)
