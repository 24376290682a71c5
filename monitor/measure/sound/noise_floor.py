"""Noise floor: the level a channel falls to between the words.

The 10th percentile of the RMS of 100 ms windows: live over the last 10 s, so that a dying
microphone shows; in a file over all of it. Windows of digital silence are not noise and are left
out. Definition of our own; no standard defines one for production sound.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from monitor.measure.sound.decibels import power_db
from monitor.measure.sound.energies import Cells, Recent
from monitor.measure.sound.histogram import EnergyHistogram
from monitor.metrics import Value, declare

WINDOW_CELLS: Final = 10  # 100 ms: shorter than the pauses between words
LIVE_WINDOWS: Final = 100  # 10 s: holds a pause of nearly any speech
FIRST_WINDOWS: Final = 10  # unknown before one second
SHARE: Final = 0.10
FLOOR_DB: Final = -160.0  # below 24 bits' and float32 filters' own noise

NOISE_FLOOR = declare(
    "noise_floor_dbfs",
    "dBFS",
    "channels",
    "last",
    "10th percentile of 100 ms RMS, over the last 10 s live, over all of a file.",
    baseline=True,
)


def low_quantile(windows: Cells) -> list[float]:
    """Return the 10th percentile of each column's non-zero energies; 0 where there are none."""
    known = np.sort(np.where(windows > 0.0, windows, np.inf), axis=0)
    count = (windows > 0.0).sum(axis=0)
    rank = (np.maximum(count - 1, 0) * SHARE + 0.5).astype(np.intp)
    found = known[rank, np.arange(windows.shape[1])]
    return [value if enough else 0.0 for value, enough in zip(found.tolist(), count, strict=True)]


class NoiseFloor:
    """The noise floor of every channel, fed with energy cells."""

    def __init__(self, channels: int, *, live: bool) -> None:
        self._channels = channels
        self._cells: Cells = np.empty((0, channels))
        self._recent = Recent(LIVE_WINDOWS, channels)
        self._all = None if live else EnergyHistogram(channels, FLOOR_DB)
        self._windows = 0
        self._floor: list[float] | None = None
        """The live floor, until the next window changes it."""

    def feed(self, energies: Cells) -> None:
        """Take mean squares of finished cells."""
        cells = np.concatenate([self._cells, energies])
        whole = len(cells) // WINDOW_CELLS
        self._cells = cells[whole * WINDOW_CELLS :]
        if not whole:
            return
        shape = (whole, WINDOW_CELLS, self._channels)
        windows = cells[: whole * WINDOW_CELLS].reshape(shape).mean(axis=1)
        self._windows += whole
        if self._all is not None:
            self._all.add(windows)
        else:
            self._recent.add(windows)
            self._floor = None

    def reset(self) -> None:
        """Begin anew where the floor is one of the whole file; live it never is."""
        if self._all is not None:
            self._all.clear()

    def drain(self) -> Mapping[str, Value]:
        """Return the floors, unknown in the first second and for digital silence."""
        if self._windows < FIRST_WINDOWS:
            return {NOISE_FLOOR.key: [None] * self._channels}
        return {NOISE_FLOOR.key: power_db(self._levels())}

    def _levels(self) -> list[float]:
        if self._all is None:
            if self._floor is None:
                self._floor = low_quantile(self._recent.rows)
            return self._floor
        found = [self._all.gated_percentiles(c, -np.inf, (SHARE,)) for c in range(self._channels)]
        return [0.0 if ends is None else ends[0] for ends in found]
