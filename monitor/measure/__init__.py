"""Measurements: one kernel a file; importing this package registers them all.

Rooms: ``sound`` (meters, and what listeners share), ``sound_faults`` and ``picture``. To add one:
write ``monitor/measure/ROOM/x.py`` with ``@measure("x", ...)``, or for a kernel of float samples
``@listen("x", ...)``, and name it in the room's ``__init__``.
"""

from monitor.measure import picture, sound, sound_faults

__all__ = ["picture", "sound", "sound_faults"]
