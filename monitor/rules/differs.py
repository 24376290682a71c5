"""The kind ``differs``: a word, a number or a vector that is none of those asked for."""

from config.rows import is_number, number
from config.spec import Limit
from monitor.metrics import Value
from monitor.rules.kinds import newest
from monitor.rules.metric import known, metric_kind


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int | float | str) and is_number(value):
        return number(value)
    return value


@metric_kind("differs", newest, stands=True)
def differs(
    limit: Limit, value: Value, error: float | None, dead_band: float, holds: bool
) -> bool | None:
    """Judge one value against ``value`` or ``one_of``; a vector with an unknown part is unknown."""
    if not known(value) or (isinstance(value, list) and not all(map(known, value))):
        return None
    accepted = [limit.value] if limit.one_of is None else limit.one_of
    return _plain(value) not in [_plain(one) for one in accepted]
