"""Measure how accurate the meters and detectors are, and write ``docs/accuracy.md`` anew.

``python -m bench.accuracy``; a run that was broken off goes on where it was. ``--quick`` measures a
little of everything in under a minute and writes nothing into ``docs``.
"""
