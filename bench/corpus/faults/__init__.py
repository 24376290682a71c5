"""Faults to spoil takes with: one file a family; importing this package registers them all.

To add one: write ``bench/corpus/faults/x.py`` with ``@fault("x", ...)`` and add it to this list.
"""

from bench.corpus.faults import (
    clicks,
    clipping,
    dropout,
    hum,
    levels,
    pairs,
    transport,
    wind,
)

__all__ = ["clicks", "clipping", "dropout", "hum", "levels", "pairs", "transport", "wind"]
