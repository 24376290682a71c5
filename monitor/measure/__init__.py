"""Measurements: one kernel a file; importing this package registers them all.

To add one: write ``monitor/measure/x.py`` with ``@measure("x", ...)`` and add it to this list.
"""

from monitor.measure import clipping, meters, silence

__all__ = ["clipping", "meters", "silence"]
