"""Detectors of faults in sound, one a file."""

from monitor.measure.sound_faults import (
    beep,
    clap,
    clicks,
    clipping,
    dropout,
    flat_tops,
    floor_moved,
    level_low,
    low_band,
    not_a_number,
    pairs,
    repeated_buffer,
    rounded_tops,
    silence,
    stuck,
    swapped,
)

__all__ = [
    "beep",
    "clap",
    "clicks",
    "clipping",
    "dropout",
    "flat_tops",
    "floor_moved",
    "level_low",
    "low_band",
    "not_a_number",
    "pairs",
    "repeated_buffer",
    "rounded_tops",
    "silence",
    "stuck",
    "swapped",
]
