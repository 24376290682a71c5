"""The faults, one family a file. Importing this fills the registry."""

from bench.pictures.faults import held, lens, light, starving, transport

__all__ = ["held", "lens", "light", "starving", "transport"]
