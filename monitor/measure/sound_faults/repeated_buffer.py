"""Repeated buffers: a driver that missed its turn hands its last buffer over again, sample-exact.

A stretch of L frames, 32 to 4800, is exactly equal to the L frames right before it, in every
channel that carries sound: one event for the whole stream.

How it is found: each frame becomes one number (its codes times odd weights, wrapping), each 16
frames in a row another; where one of half of the latter was seen before, less than 4800 frames ago,
the distance is a candidate, and the frames' numbers are compared back and forth from there. Two
different frames have the same number with a chance of 2^-24 at worst, and 32 in a row must.

What is periodic by itself repeats too, so a stretch of n equal frames at distance L counts only if

* n is L, or up to 8 times L, and hardly more: a test tone goes on, and a tone burst on all channels
  that ends with a whole number of few periods is not expected on a set; or
* the splice shows: where the buffer begins anew some channel jumps further than anywhere inside it.
  A tone whose period is L goes on as smoothly there as elsewhere; and
* its frames differ from each other: silence, a constant and quiet signals of few codes are out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Item
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.measure.sound_faults.episodes import Episodes, take_steps
from monitor.measure.sound_faults.recall import Look, Recall
from monitor.metrics import Value

SHORTEST: Final = 32  # the smallest buffer drivers offer
LONGEST: Final = 4800  # 0.1 s at 48 kHz: larger ones are no longer live
WINDOW: Final = 16  # frames under one key: half of the shortest buffer
DENSITY_BIT: Final = np.uint32(1 << 31)  # half of the keys are kept: 17 chances in SHORTEST
LEAST: Final = 960  # frames gathered before a look: 20 ms at 48 kHz
PLACE_BITS: Final = 16
CANDIDATES: Final = 4  # distances looked at a time; live sound has none, few codes have many
SLACK: Final = 3  # frames after a repeat that may be equal by chance in a quiet stream
TURNS: Final = 8  # of a buffer whose splice does not show
SPLICE: Final = 1.5  # how much further than inside it the sound must jump where it begins anew
CHANGING: Final = 0.5  # share of frames that differ from the one before
DISTINCT: Final = 0.25  # share of frames that differ from all others
MIX: Final = np.uint32(2654435761)  # 2^32 over the golden ratio: spreads keys over all bits

Keys = NDArray[np.uint32]


def frame_keys(rows: NDArray[Any], weights: NDArray[np.int32]) -> Keys:
    """Return one number a frame of (frames, channels); equal frames have equal ones."""
    if rows.dtype.itemsize == 2:
        rows = rows.astype(np.int32)
    keys: NDArray[np.int32] = np.einsum("fc,c->f", rows.view(np.int32), weights)
    return keys.view(np.uint32)


def window_keys(keys: Keys) -> Keys:
    """Return one number for every WINDOW frames in a row; len - WINDOW + 1 of them."""
    for step in (1, 2, 4, 8):
        keys = keys[:-step] * (MIX + np.uint32(2 * step)) + keys[step:]
    keys = (keys ^ (keys >> np.uint32(15))) * MIX
    return np.asarray(keys ^ (keys >> np.uint32(13)))


def is_lively(keys: Keys) -> bool:
    """Say whether a buffer's frames differ enough for its repeat to be no chance."""
    changing = float(np.mean(keys[1:] != keys[:-1]))
    return changing >= CHANGING and len(np.unique(keys)) >= DISTINCT * len(keys)


def splice_shows(rows: NDArray[Any], at: int, length: int) -> bool:
    """Say whether some channel jumps at row ``at`` further than within the ``length`` before."""
    part = rows[at - length : at + 2].astype(np.float64)
    bends = np.abs(np.diff(part, 2, axis=0))
    inside = bends[:-2].max(axis=0, initial=0.0)
    return bool(np.any(bends[-2:].max(axis=0) > SPLICE * inside))


class Seen:
    """Where the kept windows were seen last, by key; a younger one may take an older one's place.

    Of 2400 windows in 65,536 places few are lost; a repeated buffer has one in every other frame.
    """

    def __init__(self) -> None:
        self._ticks = np.full(1 << PLACE_BITS, -LONGEST - 1, np.int64)
        self._keys = np.zeros(1 << PLACE_BITS, np.uint32)

    def distances(self, keys: Keys, tick: int) -> list[tuple[int, int]]:
        """Take the next windows' keys, the first at ``tick``; return (distance, tick), most first.

        The distance is to the nearest equal window before, if SHORTEST to LONGEST; the tick is that
        of the first such window.
        """
        kept = np.flatnonzero(keys & DENSITY_BIT)
        keys, ticks = keys[kept], kept + tick
        places = (keys & np.uint32((1 << PLACE_BITS) - 1)).astype(np.intp)
        before = np.where(self._keys[places] == keys, self._ticks[places], -LONGEST - 1)
        # Key and index in one number: one sort brings equal windows of this turn side by side.
        both = np.sort((keys.astype(np.int64) << 24) | np.arange(len(keys)))
        same = (both[1:] >> 24) == (both[:-1] >> 24)
        before[both[1:][same] & 0xFFFFFF] = ticks[both[:-1][same] & 0xFFFFFF]
        self._keys[places], self._ticks[places] = keys, ticks
        far = ticks - before
        fits = (far >= SHORTEST) & (far <= LONGEST)
        if not fits.any():
            return []
        found, first, count = np.unique(far[fits], return_index=True, return_counts=True)
        most = np.argsort(-count, kind="stable")[:CANDIDATES]
        return [(int(found[i]), int(ticks[fits][first[i]])) for i in most]


@dataclass(slots=True, kw_only=True)
class _Run:
    """Equal frames at one distance, from tick ``start`` on. ``told``: it is a fault already."""

    start: int
    length: int
    lively: bool
    spliced: bool
    told: bool = False

    def is_fault(self, end: int, *, over: bool) -> bool:
        """Say whether a run until tick ``end`` is a buffer that came again."""
        frames = end - self.start
        if not self.lively or frames < self.length:
            return False
        turns, rest = divmod(frames, self.length)
        return self.spliced or (over and turns <= TURNS and rest <= SLACK)

    def may_be(self, end: int) -> bool:
        """Say whether it may become a fault that is told from its start."""
        return self.lively and not self.told and end - self.start <= (TURNS + 1) * self.length


@measure("repeated_buffer", is_audio, detectors=("repeated_buffer",))
class RepeatedBuffer:
    """Repeats of the stream's last frames, as episodes of all channels."""

    def __init__(self, setup: Setup) -> None:
        rate = setup.stream.sample_rate_hz or 48000
        self._episodes = Episodes("repeated_buffer", None, rate, None)
        self._recall = Recall(2 * LONGEST + 2 * WINDOW, LEAST)
        self._weights: NDArray[np.int32] | None = None
        self._runs: dict[int, _Run] = {}
        self._over = 0
        """Where the last run ended: what repeats it is no news."""
        self._keys: Keys = np.empty(0, np.uint32)
        self._seen = Seen()
        self._next: int | None = None

    def feed(self, item: Item) -> None:
        """Take a block; a hole before it ends every run there."""
        if not isinstance(item, Block) or not item.samples.size:
            return
        if self._weights is None:
            generator = np.random.default_rng(1)  # any odd numbers do, the same every time
            odd = generator.integers(0, 2**31, item.samples.shape[1]) | 1
            self._weights = np.asarray(odd, np.int32)
        if item.start != self._next:
            self._end()
        self._next = item.start + len(item.samples)
        self._look(self._recall.put(item))

    def _end(self) -> None:
        """Look at what waits; every run ends there."""
        self._look(self._recall.rest())
        for run in self._runs.values():
            self._judge(run, self._next or run.start, over=True)
        self._runs.clear()
        self._keys = self._keys[:0]
        self._seen = Seen()

    def _look(self, looks: Iterable[Look]) -> None:
        for look in looks:
            self._scan(look)
            pending = [run.start for run in self._runs.values() if run.may_be(look.end)]
            self._episodes.advance(min([look.end - LONGEST, *pending]))

    def _scan(self, look: Look) -> None:
        assert self._weights is not None
        fresh = frame_keys(look.rows[look.new :], self._weights)
        self._keys = np.concatenate([self._keys, fresh])[-len(look.rows) :]
        for length, run in list(self._runs.items()):
            self._follow(look, length, run)
        at = max(0, look.new - WINDOW + 1)
        for length, tick in self._seen.distances(window_keys(self._keys[at:]), look.start + at):
            if length not in self._runs:
                self._begin(look, length, tick - look.start)

    def _follow(self, look: Look, length: int, run: _Run) -> None:
        """Go on with a run that reached the end of the look before."""
        new, keys = look.new, self._keys
        differs = np.flatnonzero(keys[new:] != keys[new - length : len(keys) - length])
        over = len(differs) > 0
        end = look.start + (new + int(differs[0]) if over else len(keys))
        self._judge(run, end, over=over)
        if over:
            del self._runs[length]
            self._over = end

    def _begin(self, look: Look, length: int, at: int) -> None:
        """Find the ends of the run around row ``at``; one that goes on is followed."""
        differs = np.flatnonzero(self._keys[length:] != self._keys[:-length]) + length
        place = int(np.searchsorted(differs, at))
        over = place < len(differs)
        start = int(differs[place - 1]) + 1 if place else 0
        end = int(differs[place]) if over else len(self._keys)
        if (start < 2 * length and not place) or look.start + start < self._over:
            return
        run = _Run(
            start=look.start + start,
            length=length,
            lively=is_lively(self._keys[start - length : start]),
            spliced=splice_shows(look.rows, start, length),
        )
        self._judge(run, look.start + end, over=over)
        if over:
            self._over = look.start + end
        else:
            self._runs[length] = run

    def _judge(self, run: _Run, end: int, *, over: bool) -> None:
        if run.told:
            self._episodes.extend(run.start, end)
        elif run.is_fault(end, over=over):
            run.told = True
            self._episodes.detail = f"{run.length} frames"
            self._episodes.fault(run.start, end)

    def drain(self) -> Mapping[str, Value]:
        """Nothing is metered here."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        return take_steps([self._episodes])

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Look at what waits and close the open episode."""
        self._end()
        self._episodes.close()
