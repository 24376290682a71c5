"""Detectors of faults in pictures, one a file."""

from monitor.measure.picture_faults import black, exposure, picture_damaged, stillness

__all__ = ["black", "exposure", "picture_damaged", "stillness"]
