"""How long the disk of the journal still lasts, by how fast it has filled so far."""

import os
from pathlib import Path

MIN_GROWTH_BYTES_S = 2_000  # so that an idle journal does not promise years
LEARN_S = 10.0  # before that, its growth is what was written at the start


def free_bytes(folder: Path) -> int | None:
    """Return the free space on a folder's disk, None where it cannot be told."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


class Filling:
    """Estimates from the first look to the newest. Pure: times are on one monotonic axis."""

    def __init__(self) -> None:
        self._first: tuple[int, int] | None = None

    def minutes_left(self, free: int, t_ns: int) -> float:
        """Return the minutes until ``free`` bytes are full."""
        first_free, first_ns = self._first = self._first or (free, t_ns)
        seconds = max(1e-9, (t_ns - first_ns) / 1e9)
        growth = (first_free - free) / seconds if seconds > LEARN_S else 0.0
        return free / max(growth, MIN_GROWTH_BYTES_S) / 60
