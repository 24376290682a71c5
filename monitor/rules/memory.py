"""The engine's state as JSON: what survives kill −9 and continues after a restart."""

from dataclasses import dataclass, field
from functools import cache

from pydantic import TypeAdapter

from monitor.rules.axis import Pin
from monitor.rules.episode import Episode
from monitor.rules.grouping import Group
from monitor.rules.kinds import Evidence, Where
from monitor.rules.model import Alert
from monitor.rules.muting import Mute
from monitor.rules.phases import History
from monitor.rules.shelving import Shelf

ALERT_TIMES = ("onset_ns", "active_ns", "cleared_ns", "end_ns", "muted_ns")
EPISODE_TIMES = ("onset_ns", "from_ns", "seen_ns", "calm_ns", "told_ns", "settled_ns")


@dataclass(slots=True, kw_only=True)
class Counted:
    """How many excursions over its limit a rule counted at a place since the roll."""

    rule: str
    where: Where
    count: int


@dataclass(slots=True, kw_only=True)
class Last:
    """The newest evidence of a rule that is judged at the end."""

    rule: str
    evidence: Evidence


@dataclass(slots=True, kw_only=True)
class Heard:
    """Which channels of a stream have carried sound since line-up."""

    source: str
    stream: int
    heard: list[bool]
    silent_s: list[float | None]
    names: list[str]
    mix: list[int]


@dataclass(slots=True, kw_only=True)
class Memory:
    """Everything the engine knows beside its rules and sources."""

    t_ns: int = 0
    now: list[Episode] = field(default_factory=list)
    past: list[Episode] = field(default_factory=list)
    phases: dict[str, History] = field(default_factory=dict)
    shelves: list[Shelf] = field(default_factory=list)
    mutes: list[Mute] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    excursions: list[Counted] = field(default_factory=list)
    at_end: list[Last] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    channels: list[Heard] = field(default_factory=list)
    kinds: list[tuple[str, int, str]] = field(default_factory=list)
    claps: dict[str, list[int]] = field(default_factory=dict)
    """When each source heard claps."""


@cache
def _memory() -> TypeAdapter[Memory]:
    """Return what reads and writes it: 30 ms to build, and checking a file needs none."""
    return TypeAdapter(Memory)


def dumped(memory: Memory) -> str:
    """Return the state as JSON."""
    return _memory().dump_json(memory).decode()


def _moved(t_ns: int | None, shift_ns: int) -> int | None:
    return None if t_ns is None else t_ns + shift_ns


def _shift_alert(alert: Alert, shift_ns: int) -> Alert:
    times: dict[str, object] = {
        name: _moved(getattr(alert, name), shift_ns) for name in ALERT_TIMES
    }
    until = alert.shelved_until_ns
    times["shelved_until_ns"] = until if until is None or until < 0 else until + shift_ns
    seen = alert.acknowledged
    times["acknowledged"] = seen and seen.model_copy(update={"t_ns": seen.t_ns + shift_ns})
    return alert.model_copy(update=times)


def _shift_episode(episode: Episode, shift_ns: int) -> None:
    for name in EPISODE_TIMES:
        setattr(episode, name, getattr(episode, name) + shift_ns)
    episode.off_ns = _moved(episode.off_ns, shift_ns)
    if episode.alert is not None:
        episode.alert = _shift_alert(episode.alert, shift_ns)


def loaded(text: str, shift_ns: int) -> Memory:
    """Read a state; every time moves by ``shift_ns``: the axis may have begun anew with a boot.

    Raises ``ValueError`` on anything that is not one.
    """
    memory = _memory().validate_json(text)
    memory.t_ns += shift_ns
    for episode in memory.now + memory.past:
        _shift_episode(episode, shift_ns)
    for history in memory.phases.values():
        for span in history.spans:
            span.from_ns += shift_ns
    for pin in memory.pins:
        pin.t_ns += shift_ns
    for mute in memory.mutes:
        mute.t_ns += shift_ns
        mute.speaks_ns = _moved(mute.speaks_ns, shift_ns)
    for group in memory.groups:
        group.newest_ns += shift_ns
    memory.claps = {k: [t_ns + shift_ns for t_ns in times] for k, times in memory.claps.items()}
    memory.shelves = [
        Shelf(
            rule=shelf.rule,
            source=shelf.source,
            channel=shelf.channel,
            until_ns=_moved(shelf.until_ns, shift_ns),
            reason=shelf.reason,
        )
        for shelf in memory.shelves
    ]
    return memory
