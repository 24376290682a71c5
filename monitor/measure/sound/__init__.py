"""Meters of sound, and what listeners share."""

from monitor.measure.sound import (
    audio_bit_rate,
    bit_depth,
    clock_drift,
    listening,
    meters,
    tone,
)

__all__ = [
    "audio_bit_rate",
    "bit_depth",
    "clock_drift",
    "listening",
    "meters",
    "tone",
]
