"""Measurements: one kernel a file; importing this package registers them all.

To add one: write ``monitor/measure/x.py`` with ``@measure("x", ...)`` and add it to this list.
"""

from monitor.measure import (
    audio_bit_rate,
    bit_depth,
    bit_rate,
    black,
    clipping,
    frame_rate,
    frames,
    meters,
    not_a_number,
    picture_damaged,
    picture_format,
    silence,
    stillness,
)

__all__ = [
    "audio_bit_rate",
    "bit_depth",
    "bit_rate",
    "black",
    "clipping",
    "frame_rate",
    "frames",
    "meters",
    "not_a_number",
    "picture_damaged",
    "picture_format",
    "silence",
    "stillness",
]
