"""Linear values as decibels for readings: silence and the unknown are None, never -infinity."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

FLOOR_DB: Final = -200.0  # below the rounding noise of float32 filters: it is nothing
FEW: Final = 6  # values up to here are quicker one by one than as an array
LEAST: Final = 1e-40  # stands for 0, whose logarithm numpy warns of


def amplitude_db(values: Sequence[float]) -> list[float | int | None]:
    """Return 20·log10 of each amplitude, or None for silence."""
    return levels_db(20.0, values)


def power_db(values: Sequence[float]) -> list[float | int | None]:
    """Return 10·log10 of each power, or None for silence."""
    return levels_db(10.0, values)


def levels_db(factor: float, values: Sequence[float]) -> list[float | int | None]:
    """Return what :func:`decibels` says of each value."""
    if len(values) <= FEW:
        return [decibels(factor, value) for value in values]
    levels = (factor * np.log10(np.maximum(values, LEAST))).tolist()
    return [level if level >= FLOOR_DB else None for level in levels]


def decibels(factor: float, value: float) -> float | None:
    """Return ``factor``·log10(value), or None for zero, less than ``FLOOR_DB``, or NaN."""
    if not value > 0.0:
        return None
    level = factor * math.log10(value)
    return level if level >= FLOOR_DB else None
