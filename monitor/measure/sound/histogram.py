"""Histograms of block energies: gated means and percentiles in bounded memory.

A bin is 0.01 dB wide and keeps count *and* energy, so that a mean over whole bins is exact and a
percentile is the mean of one bin. Only the bin a gate falls into is taken or left whole, by its own
mean: with a single member, as in most takes, that is exact too. Half a day of blocks in one bin
width of a gate 10 dB down moves the result by less than 0.001 dB.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

STEP_DB: Final = 0.01
TOP_DB: Final = 20.0  # louder blocks are kept in the last bin, with their true energy


class EnergyHistogram:
    """One histogram a column, of energies at or above ``floor_db``."""

    def __init__(self, columns: int, floor_db: float) -> None:
        bins = round((TOP_DB - floor_db) / STEP_DB)
        self._floor_db = floor_db
        self._floor = 10.0 ** (floor_db / 10.0)
        self._counts = np.zeros((columns, bins), np.int32)
        self._sums = np.zeros((columns, bins))
        self._total_count = np.zeros(columns, np.int64)
        self._total = np.zeros(columns)

    def clear(self) -> None:
        """Forget everything."""
        for array in (self._counts, self._sums, self._total_count, self._total):
            array[:] = 0

    def add(self, rows: NDArray[np.float64]) -> None:
        """Add energies, shape (rows, columns); those not above the floor are left out."""
        above = rows > self._floor
        at, columns = np.nonzero(above)
        energy = rows[at, columns]
        place = (10.0 * np.log10(energy) - self._floor_db) / STEP_DB
        index = np.minimum(place.astype(np.intp), self._counts.shape[1] - 1)
        np.add.at(self._counts, (columns, index), 1)
        np.add.at(self._sums, (columns, index), energy)
        self._total_count += above.sum(axis=0)
        self._total += np.where(above, rows, 0.0).sum(axis=0)

    def _above(self, column: int, gate: float) -> int:
        """Return the first bin whose mean energy is above the gate; it may be an empty one."""
        if gate <= self._floor:
            return 0
        place = int((10.0 * np.log10(gate) - self._floor_db) / STEP_DB)
        index = min(place, self._counts.shape[1] - 1)
        count = self._counts[column, index]
        return index if count and self._sums[column, index] > gate * count else index + 1

    def _gated(self, column: int, relative: float) -> slice:
        gate = relative * self._total[column] / self._total_count[column]
        return slice(self._above(column, gate), None)

    def gated_mean(self, column: int, relative_db: float) -> float | None:
        """Return the mean of what lies above ``relative_db`` re the mean of all; None if empty."""
        if not self._total_count[column]:
            return None
        above = self._gated(column, 10.0 ** (relative_db / 10.0))
        count = int(self._counts[column, above].sum())
        return float(self._sums[column, above].sum()) / count if count else None

    def gated_percentiles(
        self, column: int, relative_db: float, shares: tuple[float, ...]
    ) -> tuple[float, ...] | None:
        """Return energies at those shares of what lies above the relative gate; None if empty.

        The rank is round((n - 1)·share), as in EBU Tech 3342's reference code.
        """
        if not self._total_count[column]:
            return None
        above = self._gated(column, 10.0 ** (relative_db / 10.0))
        cumulated = np.cumsum(self._counts[column, above])
        count = int(cumulated[-1]) if len(cumulated) else 0
        if not count:
            return None
        ranks = [int((count - 1) * share + 0.5) for share in shares]
        found = np.searchsorted(cumulated, ranks, side="right")
        means = self._sums[column, above][found] / self._counts[column, above][found]
        return tuple(means.tolist())
