"""Measurements of pictures, one a file, and what viewers share."""

from monitor.measure.picture import (
    bit_rate,
    decoding,
    frame_rate,
    frames,
    key_frames,
    picture_format,
    punctuality,
    viewing,
)

__all__ = [
    "bit_rate",
    "decoding",
    "frame_rate",
    "frames",
    "key_frames",
    "picture_format",
    "punctuality",
    "viewing",
]
