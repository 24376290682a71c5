"""Metrics: each thing that is measured, declared once, and how two intervals of it merge.

A measurement declares its metrics at import with :func:`declare`; nothing else about a metric
is written anywhere else. Unknown is ``None`` here and in JSON, a quiet NaN in the binary meters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Scalar = float | int | str | None
Value = Scalar | list[float | int | None]
"""One value: a number, a word, unknown, or a list (one number a channel, or a vector)."""

Merge = Literal["max", "min", "sum", "last"]
Shape = Literal["scalar", "channels", "vector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric: key (unit last), unit, shape, how intervals merge, and what it means.

    ``baseline``: its newest value at the end of line-up is what the day is compared with, and goes
    back to the source's measurements as ``Setup.baseline``, under its key.
    """

    key: str
    unit: str
    shape: Shape
    merge: Merge
    text: str
    baseline: bool = False


METRICS: dict[str, Metric] = {}


def declare(
    key: str, unit: str, shape: Shape, merge: Merge, text: str, *, baseline: bool = False
) -> Metric:
    """Declare a metric and return it; declaring one key twice is a programmer error."""
    assert key not in METRICS, f"metric declared twice: {key}"
    METRICS[key] = metric = Metric(
        key=key, unit=unit, shape=shape, merge=merge, text=text, baseline=baseline
    )
    return metric


def _known(value: Value) -> bool:
    return any(item is not None for item in value) if isinstance(value, list) else value is not None


def baseline_of(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return those of a source's newest values that the line-up learns, unknown ones left out."""
    learned = (key for key in values if key in METRICS and METRICS[key].baseline)
    return {key: values[key] for key in learned if _known(values[key])}


def _merge_scalar(how: Merge, old: Scalar, new: Scalar) -> Scalar:
    if how == "last" or isinstance(old, str) or isinstance(new, str):
        return new
    if old is None or new is None:
        return new if old is None else old
    if how == "max":
        return max(old, new)
    if how == "min":
        return min(old, new)
    return old + new


def merge_value(how: Merge, old: Value, new: Value) -> Value:
    """Merge two values of one metric, the older first; unknown never hides a known one.

    Lists merge element by element; a list whose length changed is replaced by the newer one.
    ``last`` keeps the newer value even where it is unknown.
    """
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return new
        merged = [_merge_scalar(how, a, b) for a, b in zip(old, new, strict=True)]
        return [None if isinstance(value, str) else value for value in merged]
    if isinstance(old, list) or isinstance(new, list):
        return new if how == "last" or new is not None else old
    return _merge_scalar(how, old, new)


def merge_values(old: Mapping[str, Value], new: Mapping[str, Value]) -> dict[str, Value]:
    """Merge two intervals' values, the older first. Undeclared keys keep the newer value."""
    merged = dict(old)
    for key, value in new.items():
        metric = METRICS.get(key)
        known = key in merged and metric is not None
        merged[key] = merge_value(metric.merge, merged[key], value) if known and metric else value
    return merged
