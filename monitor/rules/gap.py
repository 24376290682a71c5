"""The kind ``gap``: samples, packets, frames or seconds that are known to be lost."""

from collections.abc import Iterator

from config.spec import Limit, Rule
from monitor.lines import Gap, OutLine
from monitor.rules.kinds import Evidence, View, Where, Worst, kind
from monitor.rules.model import Place


def total(limit: Limit | None, old: Worst, new: Worst) -> Worst:
    """Return the sum of two amounts: gaps of one alert add up."""
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old + new
    return old if new is None else new


@kind("gap", ("gap",), total)
def gap(rule: Rule, line: OutLine, t_ns: int, view: View) -> Iterator[Evidence]:
    """Draw evidence from one gap: it began and ended where the line says."""
    assert isinstance(line, Gap)
    place = None
    from_ns = t_ns
    if line.start is not None:
        place = Place(ticks=line.start, time_base=line.time_base, epoch=line.epoch)
        from_ns = min(view.at_ns(line.source, line.stream, line.epoch, line.start) or t_ns, t_ns)
    yield Evidence(
        where=Where(source=line.source, stream=line.stream),
        true=True,
        from_ns=from_ns,
        to_ns=from_ns,
        key=f"gap-{line.epoch}-{line.start}-{line.t_arrival_ns}",
        worst=line.amount,
        unit=line.unit,
        detail=line.reason,
        start=place,
        end=place,
    )
