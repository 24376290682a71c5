"""Repeated buffers: a driver that missed its turn hands its last buffer over again, sample-exact.

A stretch of L frames, 32 to 4800, is exactly equal to the L frames right before it, in every
channel that carries sound: one event for the whole stream.

How it is found: each frame becomes one number (its codes times odd weights, wrapping), each 16
frames in a row another, a window's key. A run of n ≥ L equal frames holds n - 15 windows in a row
that came L frames before, so it holds one at every multiple of L/2: of the distances from 32 to 63
every 16th window is compared with the 32 before it, of those from 64 to 127 every 32nd with 64, and
so on. Eight octaves are 15 comparisons a frame, and miss none. Where a window came before, the
frames' numbers are compared back and forth from there. Two different frames have the same number
with a chance of 2^-24 at worst, and 32 in a row must. See docs/decisions/0153.

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
LEAST: Final = 960  # frames gathered before a look: 20 ms at 48 kHz
FEW_CHANNELS: Final = 4  # are weighed one by one, twice as fast as all at once
TRIES: Final = 4  # runs looked into for LEAST frames; live sound has none, few codes have many
SLACK: Final = 3  # frames after a repeat that may be equal by chance in a quiet stream
TURNS: Final = 8  # of a buffer whose splice does not show
SPLICE: Final = 1.5  # how much further than inside it the sound must jump where it begins anew
CHANGING: Final = 0.5  # share of frames that differ from the one before
DISTINCT: Final = 0.25  # share of frames that differ from all others
MIXES: Final = tuple(
    np.uint32(2 * odd + 1) for odd in (1327217884, 906203013, 1699883571, 352654597)
)
"""Any odd numbers that have no simple relation: few codes have equal keys by chance alone."""

Keys = NDArray[np.uint32]
Places = NDArray[np.intp]
NOWHERE: Final[Places] = np.empty(0, np.intp)


def frame_keys(rows: NDArray[Any], weights: NDArray[np.int32]) -> Keys:
    """Return one number a frame of (frames, channels); equal frames have equal ones."""
    if rows.dtype.itemsize == 2:
        rows = rows.astype(np.int32)
    codes = rows.view(np.int32)
    if len(weights) > FEW_CHANNELS:
        return np.asarray(np.einsum("fc,c->f", codes, weights)).view(np.uint32)
    keys: NDArray[np.int32] = codes[:, 0] * weights[0]
    for channel in range(1, len(weights)):
        keys += codes[:, channel] * weights[channel]
    return keys.view(np.uint32)


def window_keys(keys: Keys) -> Keys:
    """Return one number for every WINDOW frames in a row; len - WINDOW + 1 of them."""
    for turn, mix in enumerate(MIXES):
        step = 1 << turn
        keys = keys[:-step] * mix + keys[step:]
    return keys


def is_lively(keys: Keys) -> bool:
    """Say whether a buffer's frames differ enough for its repeat to be no chance."""
    changing = float(np.mean(keys[1:] != keys[:-1]))
    return changing >= CHANGING and len(np.unique(keys)) >= DISTINCT * len(keys)


def splice_shows(rows: NDArray[Any], at: int, length: int) -> bool:
    """Say whether some channel jumps at row ``at`` further than within the ``length`` before."""
    part = np.nan_to_num(rows[at - length : at + 2].astype(np.float64), posinf=0.0, neginf=0.0)
    bends = np.abs(np.diff(part, 2, axis=0))
    inside = bends[:-2].max(axis=0, initial=0.0)
    return bool(np.any(bends[-2:].max(axis=0) > SPLICE * inside))


@dataclass(frozen=True, slots=True)
class Octave:
    """Distances in frames, both ends included, and how far apart the windows are that look back."""

    nearest: int
    farthest: int
    step: int


def octaves() -> tuple[Octave, ...]:
    """Return all distances in octaves: 32 to 63 in steps of 16, to 2048 to 4095, and the rest."""
    nearest = [SHORTEST << turn for turn in range((LONGEST // SHORTEST).bit_length())]
    return tuple(Octave(near, min(2 * near - 1, LONGEST), near // 2) for near in nearest)


OCTAVES: Final = octaves()


def looking_back(windows: Keys, octave: Octave, tick: int) -> tuple[Places, Places]:
    """Return at which ticks a window is equal to one of an octave before, and the least distance.

    ``windows`` has LONGEST keys in front of the first that may look back, which is that of
    ``tick``. Those do that lie at multiples of the octave's step.
    """
    first = LONGEST + -tick % octave.step
    own = windows[first :: octave.step]
    before = np.ndarray(  # a row a window: the keys from the farthest to the nearest before it
        (len(own), octave.farthest - octave.nearest + 1),
        windows.dtype,
        windows,
        (first - octave.farthest) * windows.itemsize,
        (octave.step * windows.itemsize, windows.itemsize),
    )
    equal = before == own[:, None]
    if not equal.any():
        return NOWHERE, NOWHERE
    which = np.flatnonzero(equal.any(axis=1))
    distances = octave.nearest + equal[which, ::-1].argmax(axis=1)
    return tick + first - LONGEST + octave.step * which, distances


def run_around(keys: Keys, length: int, at: int) -> tuple[int, int]:
    """Return the first frame of the run around row ``at`` at a distance, and the one after it.

    What came by chance is short, so it is looked for nearby first. The first is ``length`` where it
    may have begun earlier, and the end that of ``keys`` where it may go on.
    """
    reach = 4 * WINDOW
    while True:
        low, high = max(length, at - reach), min(len(keys), at + reach)
        differs = np.flatnonzero(keys[low:high] != keys[low - length : high - length]) + low
        place = int(np.searchsorted(differs, at))
        if (place or low == length) and (place < len(differs) or high == len(keys)):
            start = int(differs[place - 1]) + 1 if place else length
            return start, int(differs[place]) if place < len(differs) else high
        reach *= 8


class Past:
    """The keys of the last windows, and what new ones are equal to."""

    def __init__(self) -> None:
        self._windows: Keys = np.zeros(LONGEST, np.uint32)
        self._first: int | None = None

    def put(self, keys: Keys, tick: int) -> Keys:
        """Take the next windows' keys, the first at ``tick``; return them after LONGEST others."""
        if self._first is None:
            self._first = tick
        windows = np.concatenate([self._windows, keys])
        self._windows = windows[-LONGEST:]
        return windows

    def nearest(self, keys: Keys, tick: int) -> tuple[Places, Places]:
        """Take the next windows' keys, the first at ``tick``; return ticks, and distances back.

        The distance is to the nearest equal window before, if SHORTEST to LONGEST. Ticks rise.
        """
        windows = self.put(keys, tick)
        found = [looking_back(windows, octave, tick) for octave in OCTAVES]
        ticks, distances = (np.concatenate(each) for each in zip(*found, strict=True))
        if not len(ticks):
            return NOWHERE, NOWHERE
        ticks, nearest = np.unique(ticks, return_index=True)  # octaves rise: the first is nearest
        distances = distances[nearest]
        heard = ticks - distances >= (self._first or 0)
        return ticks[heard], distances[heard]


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
        self._past = Past()
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
        self._past = Past()

    def _look(self, looks: Iterable[Look]) -> None:
        for look in looks:
            self._scan(look)
            pending = [run.start for run in self._runs.values() if run.may_be(look.end)]
            self._episodes.advance(min([look.end - LONGEST, *pending]))

    def _scan(self, look: Look) -> None:
        assert self._weights is not None
        fresh = frame_keys(look.rows[look.new :], self._weights)
        self._keys = np.concatenate([self._keys, fresh])[-len(look.rows) :]
        go_on = [self._follow(look, length, run) for length, run in list(self._runs.items())]
        at = max(0, look.new - WINDOW + 1)
        windows, tick = window_keys(self._keys[at:]), look.start + at
        if any(go_on):  # all of the look came before, a run's length ago: nothing else is nearer
            self._past.put(windows, tick)
        else:
            self._try(look, *self._past.nearest(windows, tick))

    def _try(self, look: Look, ticks: Places, distances: Places) -> None:
        """Look into the runs that windows are in, those in runs already known left out."""
        for _ in range(TRIES * -(-(len(look.rows) - look.new) // LEAST)):
            if not len(ticks):
                return
            fresh = (ticks >= self._over) & ~np.isin(distances, list(self._runs))
            ticks, distances = ticks[fresh], distances[fresh]
            if not len(ticks):
                return
            end = self._begin(look, int(distances[0]), int(ticks[0]) - look.start)
            beyond = (ticks >= end) | (distances != distances[0])
            ticks, distances = ticks[beyond], distances[beyond]

    def _follow(self, look: Look, length: int, run: _Run) -> bool:
        """Go on with a run that reached the end of the look before; say whether it goes on."""
        new, keys = look.new, self._keys
        differs = np.flatnonzero(keys[new:] != keys[new - length : len(keys) - length])
        over = len(differs) > 0
        end = look.start + (new + int(differs[0]) if over else len(keys))
        self._judge(run, end, over=over)
        if over:
            del self._runs[length]
            self._over = end if end - run.start >= length else self._over
        return not over

    def _begin(self, look: Look, length: int, at: int) -> int:
        """Return the end of the run around row ``at``; one that goes on is followed."""
        start, end = run_around(self._keys, length, at)
        over = end < len(self._keys)
        short = over and end - start < length
        if short or look.start + start < self._over:
            return look.start + end
        run = _Run(
            start=look.start + start,
            length=length,
            lively=start > length and is_lively(self._keys[start - length : start]),
            spliced=splice_shows(look.rows, start, length),
        )
        self._judge(run, look.start + end, over=over)
        if over:
            self._over = look.start + end
        else:
            self._runs[length] = run
        return look.start + end

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
