"""Measurements of pictures, one a file, and what viewers share."""

from monitor.measure.picture import bit_rate, frame_rate, frames, picture_format, viewing

__all__ = ["bit_rate", "frame_rate", "frames", "picture_format", "viewing"]
