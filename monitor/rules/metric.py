"""What the kinds that judge a metric share: a reading, or what ``hello`` declares, as evidence."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from config.rows import number
from config.spec import Limit, Rule
from monitor.lines import Hello, OutLine, Reading
from monitor.metrics import METRICS, Value
from monitor.rules.kinds import Evidence, View, Where, Worse, Worst, kind

Judge = Callable[[Limit, Value, float | None, float, bool], bool | None]
"""Judge one value: limit, value, its error bar, dead-band, whether it holds now; None: unknown."""

DECLARED = "stream."
"""Metrics with this prefix are what ``hello`` declares of a stream."""
DECLARED_KEYS = tuple(
    DECLARED + key
    for key in ("sample_rate_hz", "bit_depth", "channels", "layout", "codec", "sample_format",
                "pixel_format", "scan", "width_px", "height_px")
)  # fmt: skip
UNITS = {
    "dbfs": "dBFS", "dbtp": "dBTP", "lufs": "LUFS", "lu": "LU", "hz": "Hz", "px": "px",
    "bps": "bit/s", "s": "s",
}  # fmt: skip


def unit_of(metric: str) -> str:
    """Return a metric's unit: as declared, else by the last word of its key."""
    declared = METRICS.get(metric)
    return declared.unit if declared else UNITS.get(metric.rpartition("_")[2], "")


def known(value: Value) -> bool:
    """Say whether a value is known; NaN and None are not."""
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def as_number(value: Value) -> float | None:
    """Return a value as a number, or None where it is unknown or no number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return float(value)


def bound(value: float | str | None) -> float | None:
    """Return a bound as a number; fractions are written as text."""
    return None if value is None else number(value)


def _worst(value: Value) -> Worst:
    if isinstance(value, list):
        return [float(item) for item in value if item is not None]
    return float(value) if isinstance(value, int) else value


def _samples(value: Value, whole: bool) -> Iterable[tuple[int | None, Value]]:
    if isinstance(value, list) and not whole:
        return enumerate(value)
    return ((None, value),)


def _error(rule: Rule, values: Mapping[str, Value]) -> float | None:
    if rule.error_metric is None:
        return 0.0
    return as_number(values.get(rule.error_metric))


def _judged(
    rule: Rule, values: Mapping[str, Value], where: Where, view: View, judge: Judge, whole: bool
) -> Iterator[tuple[Where, Value, bool | None]]:
    """Yield the places worth evidence: where it is true, or where it is being followed."""
    assert rule.metric is not None
    assert rule.limit is not None
    error = _error(rule, values)
    for channel, value in _samples(values[rule.metric], whole):
        at = replace(where, channel=channel)
        true = judge(rule.limit, value, error, rule.dead_band, view.holds(rule, at))
        if true or rule.at_end or view.followed(rule, at):
            yield at, value, true


def _from_reading(
    rule: Rule, line: Reading, t_ns: int, view: View, judge: Judge, stands: bool
) -> Iterator[Evidence]:
    assert rule.metric is not None
    if rule.metric not in line.values:
        return
    here = Where(source=line.source, stream=line.stream)
    found = list(_judged(rule, line.values, here, view, judge, stands))
    if not found:
        return
    place = (line.source, line.stream, line.epoch)
    start, end = view.place(*place, line.start), view.place(*place, line.end)
    begun_ns = view.at_ns(*place, line.start)
    from_ns = t_ns if begun_ns is None else min(begun_ns, t_ns)
    unit = unit_of(rule.metric)
    for where, value, true in found:
        yield Evidence(
            where=where,
            true=true,
            from_ns=from_ns,
            to_ns=t_ns,
            lasting=stands,
            worst=_worst(value),
            unit=unit,
            start=start,
            end=end,
        )


def _from_hello(
    rule: Rule, line: Hello, t_ns: int, view: View, judge: Judge, stands: bool
) -> Iterator[Evidence]:
    assert rule.metric is not None
    key = rule.metric.removeprefix(DECLARED)
    for stream in line.streams:
        value: Value = getattr(stream, key)
        if value is None:
            continue
        here = Where(source=line.source, stream=stream.index)
        for where, found, true in _judged(rule, {rule.metric: value}, here, view, judge, stands):
            yield Evidence(
                where=where,
                true=true,
                from_ns=t_ns,
                to_ns=t_ns,
                lasting=True,
                worst=_worst(found),
                unit=unit_of(rule.metric),
                start=view.place(line.source, stream.index, line.epoch, 0),
            )


def metric_kind(name: str, worse: Worse, stands: bool = False) -> Callable[[Judge], Judge]:
    """Register a judge of values as a kind of rule.

    ``stands``: its values are properties, told when they change and true until then; lists are
    vectors, not channels.
    """

    def register(judge: Judge) -> Judge:
        @kind(name, ("reading", "hello"), worse, needs_limit=True)
        def draw(rule: Rule, line: OutLine, t_ns: int, view: View) -> Iterable[Evidence]:
            declared = rule.metric is not None and rule.metric.startswith(DECLARED)
            if isinstance(line, Reading) and not declared:
                return _from_reading(rule, line, t_ns, view, judge, stands)
            if isinstance(line, Hello) and declared:
                return _from_hello(rule, line, t_ns, view, judge, stands)
            return ()

        return judge

    return register
