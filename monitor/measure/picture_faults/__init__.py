"""Detectors of faults in pictures, one a file."""

from monitor.measure.picture_faults import black, picture_damaged, stillness

__all__ = ["black", "picture_damaged", "stillness"]
