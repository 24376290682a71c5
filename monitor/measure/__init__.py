"""Measurements: one kernel a file; importing this package registers them all.

To add one: write ``monitor/measure/x.py`` with ``@measure("x", ...)`` and add it to this list.
"""

from monitor.measure import (
    bit_rate,
    black,
    clipping,
    frame_rate,
    frames,
    meters,
    picture_damaged,
    picture_format,
    silence,
    stillness,
)

__all__ = [
    "bit_rate",
    "black",
    "clipping",
    "frame_rate",
    "frames",
    "meters",
    "picture_damaged",
    "picture_format",
    "silence",
    "stillness",
]
