"""Flat tops: clipping below full scale, in a preamplifier, a radio link or a limiter upstream.

What clips upstream and is then turned down never touches an end code, but its tops are still flat,
all at one level, and nothing goes beyond. A flat excursion is three samples or more at the largest
level of its polarity in 80 ms that

* lie within 0.2 % of each other, and
* are entered and left so steeply that a wave as smooth as sound is would have risen at least four
  times further than they differ: a parabola with these slopes rises by slope x length / 4.

Three of them at one level, up or down, within 3 s open the episode, if nothing went beyond since
the first and no more excursions contradict: as high, as long, but round. Round are the tops of
tones and of limiters that keep the wave's form. What is flat at an end code is ``clipping``.

Speed: two reductions a cell of 10 ms. Only cells that hold the largest sample of 80 ms, or one
within 0.4 % of it, are looked at, all at once; those with three such in a row are read. What can be
read of a cell, and remembered, is bounded: a clipped tone has thousands of flat tops a second on
every channel, and 200 a second tell as much. So an episode's count is at most that of those read.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from math import log10
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.energies import cell_frames
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.episodes import Episodes, take_steps
from monitor.metrics import Value

NEAR: Final = 0.996  # of the ceiling: room for noise of the stages behind the clipping one
FLOOR: Final = 0.003  # -50 dBFS: below, codes of 16 bits are steps of 1 % and tops flat by nature
LOOK_BACK: Final = (
    8  # cells, 80 ms: a few periods of a voice, so that turning the gain down hides little
)
WINDOW_S: Final = 3.0
FLAT_SAMPLES: Final = 3  # two can be the top of a sine
FLAT_RANGE: Final = 0.002
SHOULDER: Final = 3  # samples either side over which slopes are taken: noise makes one useless
STEEP: Final = 4.0  # a parabola has at most 2, at three samples
STEP: Final = 2.0**-15  # codes as coarse as 16 bits, whatever was delivered: it may have been less
SAME: Final = 0.001  # levels this close, or within their noise, are one
EXCURSIONS: Final = 3
READ_LIMIT: Final = 8  # excursions read of a cell and side: 800 a second
READ_OPEN_LIMIT: Final = 1  # the same once they are known to be flat: only their going on matters
REMEMBERED: Final = 32  # flat excursions compared with a new one; 3 are enough where none is round
LONGEST_CELLS: Final = 2  # 20 ms: half a wave of 25 Hz


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """One flat excursion: ticks [start, end), its level of full scale, and how far it wavers.

    ``side``: 0 upwards, 1 downwards; levels are magnitudes.
    """

    start: int
    end: int
    side: int
    level: float
    range: float

    def same_as(self, other: "Flat") -> bool:
        """Say whether both lie at one level."""
        noise = max(SAME * self.level, 2 * self.range, 2 * other.range, STEP / 2)
        return abs(self.level - other.level) <= noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A cell of one channel, what was before it and a shoulder after it; upside down on side 1.

    ``threshold``: what an excursion reaches. ``tick``: of the first one. ``peaks``: of both sides,
    (2, cells) of the last 3 s with this one.
    """

    samples: NDArray[np.float32]
    threshold: float
    tick: int
    channel: int
    side: int
    peaks: NDArray[np.float32]


def runs_in(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return [start, end) of each stretch of True that ends before the last element."""
    edges = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    found = edges.tolist()
    if mask[0]:
        found = [0, *found]
    return list(zip(found[::2], found[1::2], strict=False))


def flat_part(top: NDArray[np.float32]) -> tuple[int, int]:
    """Return [start, end) of the samples of an excursion's top that lie at its middle level."""
    level = float(np.median(top))
    waver = float(np.median(np.abs(top - level)))
    there = np.abs(top - level) <= max(4 * waver, SAME / 2 * level)
    middle = int(np.argmin(np.abs(top - level)))
    before, after = np.flatnonzero(~there[:middle]), np.flatnonzero(~there[middle:])
    start = int(before[-1]) + 1 if len(before) else 0
    return start, middle + int(after[0]) if len(after) else len(top)


def measure_top(
    samples: NDArray[np.float32], start: int, end: int
) -> tuple[int, int, float, float] | None:
    """Return [start, end), level and range of an excursion's flat part; None where it is round.

    SHOULDER samples either side of that part must be there.
    """
    first, last = flat_part(samples[start:end])
    first, last = start + first, start + last
    if last - first < FLAT_SAMPLES or first < SHOULDER or last + SHOULDER > len(samples):
        return None
    top = samples[first:last]
    lowest, highest = float(top.min()), float(top.max())
    level = float(np.median(top))
    entry = max(0.0, level - float(samples[first - SHOULDER])) / SHOULDER
    leave = max(0.0, level - float(samples[last + SHOULDER - 1])) / SHOULDER
    rise = (entry + leave) / 2 * (last - first) / 4
    if highest - lowest > FLAT_RANGE * highest or rise < STEEP * (highest - lowest + STEP / 2):
        return None
    return first, last, level, highest - lowest


def largest_lately(peaks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest of each value and the LOOK_BACK before it, along the last axis.

    The first LOOK_BACK values have none of their own: the result is that much shorter.
    """
    out = peaks
    for step in (1, 2, 4, 1):  # windows of 2, 4, 8 and 9 values
        out = np.maximum(out[:, :, step:], out[:, :, :-step])
    return out


class Ceiling:
    """The excursions of one channel that reached its ceiling in the last seconds."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._flats: deque[Flat] = deque(maxlen=REMEMBERED)
        self._round: deque[tuple[int, float]] = deque(maxlen=REMEMBERED + 1)  # enough to outvote

    def add_round(self, tick: int, level: float) -> None:
        """Note an excursion that contradicts."""
        self._round.append((tick, level))

    def add(self, flat: Flat, beyond: tuple[int, int]) -> list[Flat]:
        """Take a flat excursion; return those at its level if they are enough.

        ``beyond``: tick before which either side went further than this level.
        """
        self._flats.append(flat)
        while self._flats[0].start < flat.end - self._window:
            self._flats.popleft()
        while self._round and self._round[0][0] < flat.end - self._window:
            self._round.popleft()
        alike = [one for one in self._flats if one.start >= beyond[one.side] and one.same_as(flat)]
        since = alike[0].start if alike else flat.start
        against = sum(t >= since and level >= NEAR * flat.level for t, level in self._round)
        return alike if len(alike) >= max(EXCURSIONS, against) else []


@listen("flat_tops", detectors=("flat_tops",))
class FlatTops:
    """Clipping below full scale on every channel, as episodes."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        depth = min(setup.stream.bit_depth or 16, 24)
        self._full_scale = 1.0 - 2.0 ** (1 - depth)
        self._cell = cell_frames(sample_rate_hz)
        self._before = LONGEST_CELLS * self._cell
        window = round(WINDOW_S * sample_rate_hz)
        self._episodes = [
            Episodes("flat_tops", c, sample_rate_hz, None, close_after_s=WINDOW_S)
            for c in range(channels)
        ]
        self._ceilings = [Ceiling(window) for _ in range(channels)]
        self._kept: Samples = np.zeros((channels, self._before), np.float32)
        self._remembered = window // self._cell
        self._peaks = np.zeros((2, channels, self._remembered), np.float32)
        """Largest samples of the cells of the last 3 s, upwards and downwards."""

    def hear(self, hop: Hop) -> None:
        """Look at every cell that the hop finishes."""
        if not hop.follows:
            self._kept = np.zeros((len(self._kept), self._before), np.float32)
            self._peaks = np.zeros_like(self._peaks)
        rows = np.concatenate([self._kept, hop.samples], axis=1)
        start = hop.end - rows.shape[1]
        cells = max(0, rows.shape[1] - self._before - SHOULDER) // self._cell
        if cells:
            self._scan(rows, start, cells)
        self._kept = rows[:, cells * self._cell :].copy()
        for episodes in self._episodes:
            if episodes.is_open:
                episodes.advance(start + cells * self._cell)

    def _scan(self, rows: Samples, start: int, cells: int) -> None:
        shape = (len(rows), cells, self._cell)
        split = rows[:, self._before : self._before + cells * self._cell].reshape(shape)
        peaks = np.concatenate(
            [self._peaks, np.stack([split.max(axis=2), -split.min(axis=2)])], axis=2
        )
        ceilings = largest_lately(peaks[:, :, -cells - LOOK_BACK :])
        near = peaks[:, :, -cells:] >= NEAR * ceilings
        counts = (ceilings >= FLOOR) & (ceilings < self._full_scale)
        self._peaks = peaks[:, :, cells:]
        side, channel, cell = np.nonzero(counts & near)
        thresholds = NEAR * ceilings[side, channel, cell]
        at = cell * self._cell
        ends = sliding_window_view(
            rows[:, self._before - FLAT_SAMPLES + 1 :], self._cell + 2, axis=1
        )
        signs = np.where(side == 0, np.float32(1), np.float32(-1))
        over = ends[channel, at] * signs[:, None] >= thresholds[:, None]
        found = (over[:, 2:] & over[:, 1:-1] & over[:, :-2]).any(axis=1)
        for i in np.flatnonzero(found)[np.argsort(cell[found], kind="stable")].tolist():
            samples = rows[channel[i], at[i] : at[i] + self._before + self._cell + SHOULDER]
            part = Part(
                samples=samples if side[i] == 0 else -samples,
                threshold=float(thresholds[i]),
                tick=start + int(at[i]),
                channel=int(channel[i]),
                side=int(side[i]),
                peaks=peaks[:, channel[i], cell[i] + 1 : cell[i] + 1 + self._remembered],
            )
            self._read(part)

    def _read(self, part: Part) -> None:
        """Judge the excursions whose last sample lies in a part's cell."""
        runs = runs_in(part.samples[: self._before + self._cell + 1] >= part.threshold)
        here = [(a, b) for a, b in runs if b > self._before and b - a >= FLAT_SAMPLES]
        known = self._episodes[part.channel].is_open
        for start, end in here[: READ_OPEN_LIMIT if known else READ_LIMIT]:
            found = measure_top(part.samples, start, end)
            ceiling = self._ceilings[part.channel]
            if found is None:
                ceiling.add_round(part.tick + end, float(part.samples[start:end].max()))
                continue
            first, last, level, waver = found
            flat = Flat(
                start=part.tick + first,
                end=part.tick + last,
                side=part.side,
                level=level,
                range=waver,
            )
            self._tell(part.channel, ceiling.add(flat, self._beyond(part, level)))

    def _beyond(self, part: Part, level: float) -> tuple[int, int]:
        """Return the ticks after the last cells in which either side went further than a level."""
        end = part.tick + self._before + self._cell
        after = [0, 0]
        for side in (0, 1):
            further = np.flatnonzero(part.peaks[side] * NEAR > level)
            cells = self._remembered - 1 - int(further[-1]) if len(further) else self._remembered
            after[side] = end - cells * self._cell
        return after[0], after[1]

    def _tell(self, channel: int, flats: list[Flat]) -> None:
        """Count the newest excursion, and the first ones with it where that opens an episode."""
        if not flats:
            return
        episodes = self._episodes[channel]
        level_db = -20 * log10(flats[-1].level)  # at least 0
        sign = "−" if level_db >= 0.05 else ""
        episodes.detail = f"below full scale, about {sign}{level_db:.1f} dBFS"
        for flat in flats[-1:] if episodes.is_open else flats:
            episodes.fault(flat.start, flat.end)

    def drain(self) -> Mapping[str, Value]:
        """Nothing is metered here."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps, in order of channel."""
        return take_steps(self._episodes)

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes."""
        for episodes in self._episodes:
            episodes.close()
