"""The scenes, one family a file. Importing this fills the registry."""

from bench.pictures.scenes import (
    camera,
    generated,
    graphics,
    nature,
    night,
    people,
    recorded,
)

__all__ = ["camera", "generated", "graphics", "nature", "night", "people", "recorded"]
