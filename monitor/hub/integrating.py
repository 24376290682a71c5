"""Integrated values: paused, continued and reset, all together (EBU Tech 3341). Pure."""

from collections.abc import Sequence
from typing import Literal

from monitor.hub.keeping import Keeping
from monitor.hub.watching import Watching
from monitor.lines import Integrate, Reset
from monitor.records import Take

Do = Literal["pause", "continue", "reset"]
DONE: dict[Do, str] = {"pause": "paused", "continue": "continued", "reset": "reset"}


class TakeRolls(Exception):
    """A reset was asked for while the source's take rolls: its values are that take's."""


PROGRAMME_AT_CUT = (
    "programme_integrated_lufs",
    "programme_loudness_range_lu",
    "programme_momentary_max_lufs",
    "programme_short_term_max_lufs",
)


class NoSound(Exception):
    """A source that has no sound integrates nothing."""


def integrate(hub: Keeping, source: str, do: Do, t_ns: int, who: str) -> None:
    """Pause, continue or reset a source's integrated values and maxima since reset.

    Raises ``KeyError`` where there is no such source, ``NoSound``, ``TakeRolls``.
    """
    watching = hub.watching[source]
    if watching.streams and all(stream.kind != "audio" for stream in watching.streams):
        raise NoSound(f"{watching.settings.name} has no sound: it integrates nothing")
    if do == "reset":
        if watching.group in hub.book.rolling_groups():
            raise TakeRolls(f"{watching.settings.name} is in a take, which began its values anew")
        hub.send(source, Reset())
        watching.integrated_since = None
    else:
        watching.paused = do == "pause"
        hub.send(source, Integrate(on=not watching.paused))
    hub.notice(f"{watching.settings.name}: integrated values {DONE[do]}", t_ns)
    hub.name_last(who)


def start(hub: Keeping, source: Watching, take: str) -> None:
    """Begin a take's values: from nothing, and running even if they were paused before."""
    if source.paused:
        source.paused = False
        hub.send(source.id, Integrate(on=True))
    source.integrated_since = None
    hub.send(source.id, Reset(take=take))


def greet(hub: Keeping, source: Watching) -> None:
    """Pause a worker that began anew while its source is paused: it would integrate."""
    if source.paused:
        hub.send(source.id, Integrate(on=False))


def at_cut(hub: Keeping, take: Take, sources: Sequence[str]) -> Take:
    """Put the programme's loudness into a take, of the sources cut just now; return it."""
    groups = {part.group for part in take.parts}
    found = dict(take.loudness)
    for source in sources:
        if hub.watching[source].group in groups:
            found |= _loudness(hub.watching[source])
    whole = take.model_copy(update={"loudness": found})
    takes = [whole if known.id == take.id else known for known in hub.book.takes]
    hub.book.restore(takes, hub.book.next_take)
    return whole


def _loudness(source: Watching) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for values in source.values.values():
        for key in PROGRAMME_AT_CUT:
            value = values.get(key)
            if key in values and not isinstance(value, str | list):
                found[f"{source.id}/{key}"] = value
    return found
