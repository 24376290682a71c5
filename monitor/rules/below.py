"""The kind ``below``: a number under its minimum; it ends ``dead_band`` above it."""

from config.spec import Limit
from monitor.metrics import Value
from monitor.rules.kinds import Worst, newest
from monitor.rules.metric import as_number, metric_kind


def smallest(limit: Limit | None, old: Worst, new: Worst) -> Worst:
    """Return the smaller of two numbers; a known one before an unknown."""
    if isinstance(old, int | float) and isinstance(new, int | float):
        return min(old, new)
    return newest(limit, old, new)


@metric_kind("below", smallest)
def below(
    limit: Limit, value: Value, error: float | None, dead_band: float, holds: bool
) -> bool | None:
    """Judge one value against ``limit.min``."""
    found = as_number(value)
    if found is None or error is None:
        return None
    assert limit.min is not None, "the kind below needs min"
    if holds:
        return found < limit.min + dead_band
    return found + error < limit.min
