"""Channels marked as muted on purpose: one tap, until they speak again. Pure."""

from monitor.hub.keeping import Keeping
from monitor.rules.kinds import Where


def mute(hub: Keeping, where: Where, t_ns: int, who: str) -> None:
    """Mark a channel as muted until it speaks again.

    Raises ``KeyError`` where there is no such channel, ``ValueError`` where it carries sound.
    """
    hub.judged(hub.engine.mute(where, who, t_ns, hub.wall.utc(t_ns)), t_ns)
    hub.notice(f"{_named(hub, where)} marked as muted", t_ns)
    hub.name_last(who)


def unmute(hub: Keeping, where: Where, t_ns: int, who: str) -> None:
    """Take a mark back. Raises ``KeyError`` where there is none."""
    hub.judged(hub.engine.unmute(where, t_ns), t_ns)
    hub.notice(f"{_named(hub, where)} no longer marked as muted", t_ns)
    hub.name_last(who)


def tell_spoken(hub: Keeping, t_ns: int) -> None:
    """Write down the marks that ended by themselves."""
    for ended in hub.engine.spoken():
        hub.notice(f"{_named(hub, ended.where)} carries sound again, no longer muted", t_ns)


def _named(hub: Keeping, where: Where) -> str:
    source = hub.watching.get(where.source)
    name = source.settings.name if source else where.source
    return f"{hub.engine.channel_name(where)} ({name})"
