"""Linear values as decibels for readings: silence and the unknown are None, never -infinity."""

import math
from collections.abc import Iterable

FLOOR_DB = -200.0  # below the rounding noise of float32 filters: it is nothing


def amplitude_db(values: Iterable[float]) -> list[float | int | None]:
    """Return 20·log10 of each amplitude, or None for silence."""
    return [decibels(20.0, value) for value in values]


def power_db(values: Iterable[float]) -> list[float | int | None]:
    """Return 10·log10 of each power, or None for silence."""
    return [decibels(10.0, value) for value in values]


def decibels(factor: float, value: float) -> float | None:
    """Return ``factor``·log10(value), or None for zero, less than ``FLOOR_DB``, or NaN."""
    if not value > 0.0:
        return None
    level = factor * math.log10(value)
    return level if level >= FLOOR_DB else None
