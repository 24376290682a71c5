"""Measurements: one kernel a file; importing this package registers them all.

Rooms: ``sound`` (meters, and what listeners share), ``sound_faults``, ``picture`` (rates, formats,
and what viewers share), ``picture_faults``; ``av_offset`` joins a sound's and a picture's. To add
one: write ``monitor/measure/ROOM/x.py`` with ``@measure("x", ...)``, for a kernel of float samples
``@listen("x", ...)``, for a detector of decoded pictures ``@viewer("x", ...)``, and name it in the
room's ``__init__``.
"""

from monitor.measure import av_offset, picture, picture_faults, sound, sound_faults

__all__ = ["av_offset", "picture", "picture_faults", "sound", "sound_faults"]
