"""The kind ``above``: a number over its maximum; it ends ``dead_band`` below it."""

from config.spec import Limit
from monitor.metrics import Value
from monitor.rules.kinds import largest
from monitor.rules.metric import as_number, metric_kind


@metric_kind("above", largest)
def above(
    limit: Limit, value: Value, error: float | None, dead_band: float, holds: bool
) -> bool | None:
    """Judge one value against ``limit.max``."""
    found = as_number(value)
    if found is None or error is None:
        return None
    assert limit.max is not None, "the kind above needs max"
    if holds:
        return found > limit.max - dead_band
    return found - error > limit.max
