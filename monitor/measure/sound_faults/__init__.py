"""Detectors of faults in sound, one a file."""

from monitor.measure.sound_faults import (
    clipping,
    dropout,
    low_band,
    not_a_number,
    silence,
    stuck,
)

__all__ = [
    "clipping",
    "dropout",
    "low_band",
    "not_a_number",
    "silence",
    "stuck",
]
