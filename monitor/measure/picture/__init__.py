"""Measurements and detectors of pictures, one a file."""

from monitor.measure.picture import (
    bit_rate,
    black,
    frame_rate,
    frames,
    picture_damaged,
    picture_format,
    stillness,
)

__all__ = [
    "bit_rate",
    "black",
    "frame_rate",
    "frames",
    "picture_damaged",
    "picture_format",
    "stillness",
]
