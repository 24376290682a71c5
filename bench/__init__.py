"""Benchmarks: one a kernel and one end to end, as ratios to a named peer of the same run."""
