"""Stuck samples: a channel that repeats one code that is not zero for 2 ms or more, sample-exact.

A live microphone has noise: its code changes nearly every sample. A converter, a digital link or a
driver that stalls repeats the last one. What else stands still is none of this detector's business:

* zeros are a mute or a dead link, ``silence``;
* end codes are ``clipping``; the flat top of a low note, ``flat_tops``: at least as far out as
  anything of the last 3 s;
* quiet signals of few bits stand still by themselves: fewer than half of the samples before the run
  differ from their neighbour.

Speed: a run of ``hold`` samples covers four frames of a coarse grid; only channels where four such
neighbours are equal are read whole.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.measure.sound_faults.clipping import end_codes
from monitor.measure.sound_faults.episodes import Episodes, advance_all, take_steps
from monitor.measure.sound_faults.recall import Look, Recall
from monitor.metrics import Value

Ints = NDArray[np.intp]
STUCK_S: Final = 0.002  # 96 samples at 48 kHz; with noise in half of them chance has 2^-96
BEFORE_S: Final = 0.02  # how much before a run must have been alive: longer than a low note's crest
LEAST_S: Final = 0.01  # gathered before a look
CELLS: Final = 30  # tenths of a second; of the extremes that a flat top reaches: as flat_tops' 3 s
PROBES: Final = 4  # grid frames a run covers
FURTHER: Final = 1.02  # noise of an analogue stage behind the clipping one; a live signal goes far
LIVELY: Final = 0.5  # share of neighbours that differ in a channel that is alive


def equal_stretches(differs: NDArray[np.bool_], least: int) -> tuple[Ints, Ints]:
    """Return starts and ends (exclusive) of the stretches of one value of ``least`` or more.

    ``differs``: whether each sample but the first differs from the one before it.
    """
    edges = np.flatnonzero(differs) + 1
    starts = np.concatenate([[0], edges])
    ends = np.concatenate([edges, [len(differs) + 1]])
    long = ends - starts >= least
    return starts[long], ends[long]


def are_lively(differs: NDArray[np.bool_], starts: Ints, before: int) -> NDArray[np.bool_]:
    """Say of which samples the ``before`` ahead of them change as a live signal does."""
    first = np.maximum(starts - before, 0)
    changes = np.concatenate([[0], np.cumsum(differs)])
    share = changes[np.maximum(starts - 1, 0)] - changes[first]
    pairs = starts - 1 - first
    lively: NDArray[np.bool_] = (pairs > 0) & (share >= LIVELY * pairs)
    return lively


class _Extremes:
    """Lowest and highest code of every channel on a coarse grid, kept by tenths of a second."""

    def __init__(self, cell: int) -> None:
        self._cell = cell
        self._kept: dict[int, tuple[NDArray[Any], NDArray[Any]]] = {}

    def add(self, grid: NDArray[Any], start: int, step: int) -> None:
        """Take grid frames, the first at tick ``start``, one every ``step``."""
        at = 0
        while at < len(grid):
            index = (start + at * step) // self._cell
            end = -(-((index + 1) * self._cell - start) // step)
            part = grid[at:end]
            low, high = part.min(axis=0), part.max(axis=0)
            if index in self._kept:
                before = self._kept[index]
                low, high = np.minimum(low, before[0]), np.maximum(high, before[1])
            self._kept[index] = low, high
            at = end
        for old in [index for index in self._kept if index < start // self._cell - CELLS - 1]:
            del self._kept[old]

    def reached(self, value: float, channel: int, tick: int) -> bool:
        """Say whether nothing before ``tick`` went further than ``value``, on its side of zero."""
        index = tick // self._cell
        kept = [self._kept[i] for i in range(index - CELLS, index) if i in self._kept]
        if value > 0:
            return all(high[channel] <= value for _, high in kept)
        return all(low[channel] >= value for low, _ in kept)


@measure("stuck", is_audio, detectors=("stuck",))
class Stuck:
    """Runs of one code of every channel, as episodes."""

    def __init__(self, setup: Setup) -> None:
        rate = setup.stream.sample_rate_hz or 48000
        self._depth, self._rate = setup.stream.bit_depth, rate
        self._hold = max(2 * PROBES, round(setup.limit("stuck_s", STUCK_S) * rate))
        self._step = (self._hold - 1) // PROBES
        self._before = round(BEFORE_S * rate)
        self._recall = Recall(self._before + 2 * self._hold, round(LEAST_S * rate))
        self._extremes = _Extremes(max(1, rate // 10))
        self._episodes: list[Episodes] = []
        self._open: list[int | None] = []
        """Where the run that is stuck now began, a channel."""
        self._next: int | None = None

    def feed(self, item: Item) -> None:
        """Take a block; a hole before it ends every run there."""
        if not isinstance(item, Block) or not item.samples.size:
            return
        if not self._episodes:
            channels = item.samples.shape[1]
            self._episodes = [Episodes("stuck", c, self._rate, None) for c in range(channels)]
            self._open = [None] * channels
        if item.start != self._next:
            self._work(self._recall.rest())
            self._open = [None] * len(self._open)
        self._next = item.start + len(item.samples)
        self._work(self._recall.put(item))

    def _work(self, looks: Iterable[Look]) -> None:
        for look in looks:
            for channel in self._suspects(look):
                self._read(look, channel)
            # A run that may yet be one began there.
            advance_all(self._episodes, look.end - self._hold)

    def _suspects(self, look: Look) -> list[int]:
        """Return the channels that may hold a run; note the extremes on the way."""
        ahead = -look.start % self._step
        grid = look.rows[ahead :: self._step]
        new = max(0, -(-(look.new - ahead) // self._step))
        self._extremes.add(grid[new:], look.start + ahead + new * self._step, self._step)
        grid = grid[max(0, new - PROBES) :]
        same = (grid[1:] == grid[:-1]) & (grid[1:] != 0)
        flat = np.logical_and.reduce([same[i : len(same) - 2 + i] for i in range(PROBES - 1)])
        found = flat.any(axis=0)
        return [c for c, start in enumerate(self._open) if start is not None or found[c]]

    def _read(self, look: Look, channel: int) -> None:
        """Read one channel of a look whole."""
        column = np.ascontiguousarray(look.rows[:, channel])
        opened = self._open[channel]
        self._open[channel] = None
        differs = column[1:] != column[:-1]
        starts, ends = equal_stretches(differs, self._hold)
        likely = self._may_be_stuck(look, column, differs, starts, ends)
        for start, end, maybe in zip(starts.tolist(), ends.tolist(), likely.tolist(), strict=True):
            tick = look.start + start
            if opened is not None and tick <= max(opened, look.start) < look.start + end:
                self._episodes[channel].extend(opened, look.start + end)
                tick = opened
            elif maybe and self._is_within(look, column, start, channel):
                self._episodes[channel].detail = self._detail(column[start])
                self._episodes[channel].fault(tick, look.start + end)
            else:
                continue
            if end == len(column):
                self._open[channel] = tick

    def _may_be_stuck(
        self, look: Look, column: NDArray[Any], differs: NDArray[np.bool_], starts: Ints, ends: Ints
    ) -> NDArray[np.bool_]:
        """Judge runs that may reach on into what comes by their own; once, when long enough."""
        values = column[starts]
        low, high = end_codes(column.dtype, self._depth)
        inside = (values != 0) & (low < values) & (values < high)
        is_new = np.minimum(look.new, ends) - starts < self._hold
        known = np.minimum(starts, self._before) >= self._hold
        likely: NDArray[np.bool_] = inside & is_new & known
        return likely & are_lively(differs, starts, self._before) if likely.any() else likely

    def _is_within(self, look: Look, column: NDArray[Any], start: int, channel: int) -> bool:
        """Say whether the sound goes further than a run, before it or in the last seconds."""
        value = column[start]
        before = column[max(0, start - self._before) : start]
        bound = float(value) * FURTHER
        further = before.max() > bound if value > 0 else before.min() < bound
        return bool(further) or not self._extremes.reached(bound, channel, look.start + start)

    def _detail(self, value: Any) -> str:  # noqa: ANN401  any sample type
        is_int = isinstance(value, np.integer)
        full_scale = 2.0 ** (value.dtype.itemsize * 8 - 1) if is_int else 1.0
        return f"at {float(value) / full_scale:.6f} of full scale"

    def drain(self) -> Mapping[str, Value]:
        """Nothing is metered here."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps, in order of channel."""
        return take_steps(self._episodes)

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Look at what waits and close open episodes."""
        self._work(self._recall.rest())
        for episodes in self._episodes:
            episodes.close()
