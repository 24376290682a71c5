"""Detectors of faults in sound, one a file."""

from monitor.measure.sound_faults import (
    clap,
    clipping,
    dropout,
    floor_moved,
    low_band,
    flat_tops,
    not_a_number,
    pairs,
    repeated_buffer,
    silence,
    stuck,
)

__all__ = [
    "clap",
    "clipping",
    "dropout",
    "floor_moved",
    "low_band",
    "flat_tops",
    "not_a_number",
    "pairs",
    "repeated_buffer",
    "silence",
    "stuck",
]
