"""Rules: which measurements make which alerts; pure, time is an argument.

Importing this package registers every kind of rule, one module each. To add one: write
``monitor/rules/x.py`` with ``@kind("x", ...)`` or ``@metric_kind("x", ...)`` and add it here.
"""

from monitor.rules import above, below, differs, event, gap, outside, state

__all__ = ["above", "below", "differs", "event", "gap", "outside", "state"]
