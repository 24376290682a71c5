"""An episode told: the alert as it begins, in words. What becomes of it is ``lifecycle``'s."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from config.spec import Rule, Severity
from monitor.rules import words
from monitor.rules.episode import Episode
from monitor.rules.kinds import Where
from monitor.rules.model import Alert
from monitor.rules.sources import Sources


def _names(sources: Sources, where: Where, channels: Sequence[int]) -> str | None:
    """Return the names of channels, ``Left and Right``; None where it is about none."""
    names = [sources.channel_name(replace(where, channel=channel)) for channel in channels]
    return " and ".join(name for name in names if name) or None


def alert_of(
    rule: Rule,
    episode: Episode,
    t_ns: int,
    severity: Severity,
    sources: Sources,
    new_id: Callable[[], str],
) -> Alert:
    """Return an episode's alert, pending, as things are at ``t_ns``; it keeps the id it has."""
    where, facts = episode.where, sources.facts(episode.where.source)
    channels = list(episode.channels) or ([] if where.channel is None else [where.channel])
    channel_name = _names(sources, where, channels)
    name = channel_name or facts.name
    texts = words.fields(rule, episode, t_ns, name, facts.name)
    return Alert(
        id=episode.alert.id if episode.alert else new_id(),
        group=episode.alert.group if episode.alert else "",
        rule=rule.name,
        department=facts.department if rule.department == "both" else rule.department,
        source=where.source,
        source_name=facts.name,
        stream=where.stream,
        channel=where.channel,
        channel_name=channel_name,
        channels=channels,
        severity=severity,
        condition="pending",
        onset_ns=max(episode.onset_ns, episode.from_ns),
        start=episode.start,
        end=episode.end,
        end_ns=episode.off_ns,
        worst=episode.worst,
        limit=words.limit_value(rule, episode.worst),
        unit=episode.unit,
        count=episode.count,
        count_1s=episode.count_1s,
        message=words.message(rule, texts),
        advice=rule.advice,
        ebu_qc=rule.ebu_qc,
        cause=rule.cause,
    )
