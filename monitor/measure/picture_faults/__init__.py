"""Detectors of faults in pictures, one a file."""

from monitor.measure.picture_faults import (
    black,
    exposure,
    flicker,
    legal_range,
    picture_damaged,
    stillness,
    tearing,
)

__all__ = ["black", "exposure", "flicker", "legal_range", "picture_damaged", "stillness", "tearing"]
