"""Measurements of pictures, one a file, and what looks share (``view``, ``look``, ``looking``)."""

from monitor.measure.picture import bit_rate, frame_rate, frames, looking, picture_format

__all__ = ["bit_rate", "frame_rate", "frames", "looking", "picture_format"]
