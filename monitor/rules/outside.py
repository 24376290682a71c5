"""The kind ``outside``: a number outside a range, or off a value by more than its tolerance.

Where the metric comes with an error bar the rule fires only when the whole bar lies outside, and
ends only on a bar short enough to tell: one as long as 0.05 % of the value (half the step from
24 to 23.976) says nothing either way.
"""

from config.spec import Limit
from monitor.metrics import Value
from monitor.rules.kinds import Worst, newest
from monitor.rules.metric import as_number, bound, metric_kind

TELLING = 0.0005  # half of 1/1001: a longer error bar cannot tell a rate from its 1001 sibling


def edges(limit: Limit) -> tuple[float, float]:
    """Return the lowest and the highest value that conform."""
    low, high = bound(limit.min), bound(limit.max)
    if limit.value is not None:
        assert isinstance(limit.value, int | float | str), "the kind outside needs a number"
        middle = bound(limit.value)
        assert middle is not None
        return middle - limit.tolerance, middle + limit.tolerance
    return (-float("inf") if low is None else low), (float("inf") if high is None else high)


def excess(limit: Limit, value: float) -> float:
    """Return how far outside a value lies; negative inside."""
    low, high = edges(limit)
    return max(low - value, value - high)


def farthest(limit: Limit | None, old: Worst, new: Worst) -> Worst:
    """Return the value that lies farther outside."""
    if limit and isinstance(old, int | float) and isinstance(new, int | float):
        return old if excess(limit, old) >= excess(limit, new) else new
    return newest(limit, old, new)


@metric_kind("outside", farthest)
def outside(
    limit: Limit, value: Value, error: float | None, dead_band: float, holds: bool
) -> bool | None:
    """Judge one value against ``value`` ± ``tolerance``, or ``min`` and ``max``."""
    found = as_number(value)
    if found is None or error is None:
        return None
    over = excess(limit, found)
    if not holds:
        return over > error
    if error > max(TELLING * abs(found), limit.tolerance):
        return None
    return over > error - dead_band
