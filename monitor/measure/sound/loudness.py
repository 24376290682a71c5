"""Loudness of every channel and of the programme: BS.1770-5, EBU Tech 3341 and 3342.

Everything is made of K-weighted mean squares on a 10 ms grid: a window's loudness is
L = -0.691 + 10·log10(Σ w z). Momentary (400 ms) and short-term (3 s) values exist at each cell, at
100 Hz: a meter that looks every 100 ms misses up to 0.45 LU of the standard's own live signals.
The programme is one more column beside the channels: the weighted sum of theirs.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.decibels import power_db
from monitor.measure.sound.energies import CELLS_PER_S, Cells
from monitor.measure.sound.histogram import EnergyHistogram
from monitor.metrics import Merge, Value, declare

OFFSET: Final = -0.691  # BS.1770-5 Annex 1: makes the 997 Hz calibration tone read its level
MOMENTARY_CELLS: Final = 40  # 400 ms, EBU Tech 3341 section 2.2; also the gating block
SHORT_TERM_CELLS: Final = 300  # 3 s
STRIDE_CELLS: Final = 10  # gating blocks overlap by 75 %; LRA takes a short-term value every 100 ms
HALF_CELLS: Final = MOMENTARY_CELLS // 2  # both windows are whole numbers of these
ABSOLUTE_GATE_LUFS: Final = -70.0
RELATIVE_GATE_LU: Final = -10.0
RANGE_GATE_LU: Final = -20.0  # EBU Tech 3342
RANGE_SHARES: Final = (0.10, 0.95)
INTEGRATE_STRIDES: Final = 10  # I and LRA are worked out once a second: they move slowly

_WORDS: Final[dict[str, tuple[str, Merge, str]]] = {
    "momentary_lufs": ("LUFS", "last", "Loudness of the last 400 ms"),
    "short_term_lufs": ("LUFS", "last", "Loudness of the last 3 s"),
    "integrated_lufs": ("LUFS", "last", "Gated loudness since reset, worked out once a second"),
    "loudness_range_lu": ("LU", "last", "Loudness range LRA since reset, EBU Tech 3342"),
    "momentary_max_lufs": ("LUFS", "max", "Largest momentary loudness since reset"),
    "short_term_max_lufs": ("LUFS", "max", "Largest short-term loudness since reset"),
}
for _key, (_unit, _merge, _text) in _WORDS.items():
    declare(_key, _unit, "channels", _merge, f"{_text}.")
    declare(f"programme_{_key}", _unit, "scalar", _merge, f"{_text}, of the programme's sum.")
PROGRAMME_SHORT_TERM: Final = "programme_short_term_lufs"
INTEGRATING: Final = declare(
    "integrating", "", "scalar", "last", "1 while integrated values integrate, 0 while paused."
)
INTEGRATED: Final = declare(
    "integrated_s", "s", "scalar", "last", "Sound integrated since reset, pauses left out."
)


def lufs(energies: Sequence[float | None]) -> list[float | int | None]:
    """Return the loudness of weighted mean squares, None for silence and the unknown."""
    levels = power_db([0.0 if energy is None else energy for energy in energies])
    return [None if level is None else OFFSET + level for level in levels]


def gate_level_db(loudness_lufs: float) -> float:
    """Return the mean square, in dB, that has a loudness."""
    return loudness_lufs - OFFSET


def with_programme(energies: Cells, weights: NDArray[np.float64] | None) -> Cells:
    """Append the programme's weighted sum as a last column, where there is a programme."""
    if weights is None:
        return energies
    return np.concatenate([energies, (energies @ weights)[:, None]], axis=1)


def windows_of(rows: Cells, count: int, step: int) -> Cells:
    """Return for each possible last row the sum of it and the ``count`` - 1 before, ``step`` apart.

    Each is added up anew: a running sum would remember a bang's rounding for ever.
    """
    reach = (count - 1) * step
    last = np.arange(reach, len(rows))
    sums: Cells = rows[last - np.arange(0, reach + 1, step)[:, None]].sum(axis=0)
    return sums


def whole_since(first: int, window: int) -> tuple[int, int]:
    """Return the first row whose window lies wholly after a reset, and the first on the stride.

    ``first`` is how many cells since the reset the window of row 0 ends with.
    """
    whole = max(0, window - first)
    return whole, whole + -(first + whole) % STRIDE_CELLS


class Loudness:
    """All loudness values of a stream, fed with K-weighted energy cells."""

    def __init__(self, channels: int, weights: tuple[float, ...] | None) -> None:
        self._channels = channels
        self._weights = None if weights is None else np.array(weights)
        columns = channels + (weights is not None)
        self._columns = columns
        self._cells = np.zeros((HALF_CELLS - 1, columns))
        self._halves = np.zeros((SHORT_TERM_CELLS - HALF_CELLS, columns))
        """Sums of HALF_CELLS cells that end at each of the last cells: momentary and short-term
        windows are whole numbers of them."""
        self._seen = 0
        self._fed: Cells = np.zeros((0, columns))
        """Short-term means that ended at each of the cells fed last."""
        self._momentary = np.zeros(columns)
        self._short_term = np.zeros(columns)
        self._momentary_max = np.zeros(columns)
        self._short_term_max = np.zeros(columns)
        self._blocks = EnergyHistogram(columns, gate_level_db(ABSOLUTE_GATE_LUFS))
        self._short_terms = EnergyHistogram(columns, gate_level_db(ABSOLUTE_GATE_LUFS))
        self._new_blocks: list[Cells] = []
        self._new_short_terms: list[Cells] = []
        """Means on the stride that wait for the next second: a histogram takes many as one."""
        self._integrating = True
        self._since = 0
        """Cells since the reset or the last pause; windows count that lie wholly in this stretch.
        -1 when a cell had begun: that one is not whole."""
        self._counted = 0
        """Cells integrated since the reset."""
        self._integrated: list[float | int | None] = [None] * columns
        self._range: list[float | None] = [None] * columns
        self._worked_out_at = 0

    def feed(self, energies: Cells) -> None:
        """Take K-weighted mean squares of finished cells, shape (cells, channels)."""
        if not len(energies):
            return
        momentary, short_term = self._windows(with_programme(energies, self._weights))
        self._seen += len(energies)
        self._fed = short_term
        self._momentary, self._short_term = momentary[-1], short_term[-1]
        if self._integrating:
            self._count(momentary, short_term)

    def programme_short_term(self, cells_ago: int) -> dict[str, Value]:
        """Return the programme's loudness of the 3 s that ended some cells before the last fed.

        No further back than the last feed; nothing where there is no programme.
        """
        if self._weights is None:
            return {}
        known = self._seen - cells_ago >= SHORT_TERM_CELLS
        level = lufs([float(self._fed[-1 - cells_ago, -1])])[0] if known else None
        return {PROGRAMME_SHORT_TERM: level}

    def _count(self, momentary: Cells, short_term: Cells) -> None:
        """Integrate the windows that end at new cells."""
        cells = len(momentary)
        self._gather(momentary, self._momentary_max, self._new_blocks, MOMENTARY_CELLS)
        self._gather(short_term, self._short_term_max, self._new_short_terms, SHORT_TERM_CELLS)
        self._counted += cells + min(self._since, 0)
        self._since += cells
        if self._counted - self._worked_out_at >= STRIDE_CELLS * INTEGRATE_STRIDES:
            self.work_out()

    def _windows(self, rows: Cells) -> tuple[Cells, Cells]:
        """Return the momentary and short-term means that end at new cells, one row a cell."""
        cells = np.concatenate([self._cells, rows])
        halves = np.concatenate([self._halves, windows_of(cells, HALF_CELLS, 1)])
        self._cells, self._halves = cells[len(rows) :], halves[len(rows) :]
        momentary = halves[-len(rows) :] + halves[-len(rows) - HALF_CELLS : -HALF_CELLS]
        short_term = windows_of(halves, SHORT_TERM_CELLS // HALF_CELLS, HALF_CELLS)
        return momentary / MOMENTARY_CELLS, short_term / SHORT_TERM_CELLS

    def _gather(self, means: Cells, highest: Cells, strided: list[Cells], window: int) -> None:
        """Add windows that lie wholly after the reset to maxima, and those on the stride."""
        whole, on_stride = whole_since(self._since + 1, window)
        if whole < len(means):
            np.maximum(highest, means[whole:].max(axis=0), out=highest)
        if on_stride < len(means):
            strided.append(means[on_stride::STRIDE_CELLS])

    def _fill(self, histogram: EnergyHistogram, strided: list[Cells]) -> None:
        if strided:
            histogram.add(np.concatenate(strided))
            strided.clear()

    def integrate(self, *, on: bool, on_border: bool = True) -> None:
        """Pause or continue integrated values and maxima with the next whole cell.

        What is already on stays as it is. After a pause windows count again once they hold nothing
        of it: sound from before and after it never shares one.
        """
        if on == self._integrating:
            return
        self._integrating = on
        self._since = 0 if on_border else -1
        self.work_out()

    def work_out(self) -> None:
        """Work out integrated loudness and loudness range from all blocks so far."""
        self._worked_out_at = self._counted
        self._fill(self._blocks, self._new_blocks)
        self._fill(self._short_terms, self._new_short_terms)
        columns = range(self._columns)
        self._integrated = lufs([self._blocks.gated_mean(c, RELATIVE_GATE_LU) for c in columns])
        self._range = [self._loudness_range(column) for column in columns]

    def _loudness_range(self, column: int) -> float | None:
        ends = self._short_terms.gated_percentiles(column, RANGE_GATE_LU, RANGE_SHARES)
        return None if ends is None else 10.0 * float(np.log10(ends[1] / ends[0]))

    def reset(self, *, on_border: bool = True) -> None:
        """Restart integrated values and maxima with the next whole cell.

        ``on_border`` is False when a cell has begun: its samples before the reset must not count.
        """
        self._since = 0 if on_border else -1
        self._counted = self._worked_out_at = 0
        self._new_blocks.clear()
        self._new_short_terms.clear()
        self._blocks.clear()
        self._short_terms.clear()
        self._momentary_max[:] = 0.0
        self._short_term_max[:] = 0.0
        self._integrated = [None] * self._columns
        self._range = [None] * self._columns

    def drain(self) -> Mapping[str, Value]:
        """Return all loudness values; those whose window is not yet full are unknown."""
        unknown: list[float | None] = [None] * self._columns
        momentary = lufs(self._momentary.tolist())
        short_term = lufs(self._short_term.tolist())
        values = {
            "momentary_lufs": momentary if self._seen >= MOMENTARY_CELLS else unknown,
            "short_term_lufs": short_term if self._seen >= SHORT_TERM_CELLS else unknown,
            "integrated_lufs": self._integrated,
            "loudness_range_lu": self._range,
            "momentary_max_lufs": lufs(self._momentary_max.tolist()),
            "short_term_max_lufs": lufs(self._short_term_max.tolist()),
        }
        out: dict[str, Value] = {
            INTEGRATING.key: int(self._integrating),
            INTEGRATED.key: self._counted / CELLS_PER_S,
        }
        for key, columns in values.items():
            out[key] = list(columns[: self._channels])
            if self._weights is not None:
                out[f"programme_{key}"] = columns[-1]
        return out
