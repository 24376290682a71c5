"""Detectors of faults in pictures, one a file."""

from monitor.measure.picture_faults import (
    black,
    centre,
    colour_bars,
    colour_shift,
    exposure,
    flash,
    flicker,
    focus,
    freeze,
    hot_pixels,
    legal_range,
    no_signal,
    picture_damaged,
    pixellation,
    stillness,
    tearing,
)

__all__ = [
    "black",
    "centre",
    "colour_bars",
    "colour_shift",
    "exposure",
    "flash",
    "flicker",
    "focus",
    "freeze",
    "hot_pixels",
    "legal_range",
    "no_signal",
    "picture_damaged",
    "pixellation",
    "stillness",
    "tearing",
]
