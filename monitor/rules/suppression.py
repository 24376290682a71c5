"""Suppression by cause: a lost source silences its own silence, black and freeze."""

from collections.abc import Iterable

from config.spec import Rule
from monitor.rules.episode import Episode


def _silences(cause: Episode, rule: Rule, episode: Episode, silenced: Rule) -> bool:
    named = silenced.name in rule.suppresses or silenced.key in rule.suppresses
    if not named or cause is episode:
        return False
    there, here = cause.where, episode.where
    return (
        there.source == here.source
        and there.stream in (None, here.stream)
        and there.channel in (None, here.channel)
    )


def cause_of(
    episode: Episode, silenced: Rule, causes: Iterable[tuple[Episode, Rule]]
) -> str | None:
    """Return the id of the alert that causes this episode's, or None.

    ``silenced``: the episode's rule; rows are suppressed by their rule's name or their own key.
    ``causes``: the active alerts' episodes whose rules suppress others.
    """
    for cause, rule in causes:
        if cause.alert is not None and _silences(cause, rule, episode, silenced):
            return cause.alert.id
    return None
