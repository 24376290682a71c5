"""Claps: a short bang that all microphones hear, such as the slate's sticks.

On a channel it is a rise by 20 dB over the last 0.2 s within 2 ms, nearly as loud as anything of
the last 3 s, with a tenth of its energy above 1 kHz, and 10 dB down after 100 to 150 ms. A clap is
that on at least half of the channels (of two or more) within 50 ms, the time sound takes for 17 m.
It is no fault: rules take it for what it is, and its time, the first sample of the nearest
microphone, is where picture and sound meet. Hands, doors and things put down hard sound the same.
See docs/decisions/0122-claps.md.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.energies import FINE_PER_S, Cells, Recent, cell_frames
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.lately import Lately
from monitor.metrics import Value

OVER: Final = 100.0  # 20 dB over the local level
NEARLY_OVER: Final = 0.999 * OVER  # a gate that rounding cannot close
BEFORE: Final = 2  # windows
RISE: Final = 0.03  # of the bang's energy at most, 2 ms before it
NEARLY: Final = 0.25  # of the loudest 1 ms of late: a clap is 6 dB under a shout at least
HIGH_SHARE: Final = 0.1  # of its energy above 1 kHz; a knock on a pole or a far door has less
TOP_SHARE: Final = 0.02  # white noise: 1; a 1 kHz tone: 0.009, through a muffled lavalier: 0.05
FADED: Final = 0.1  # of its energy is left after ``FADED_FROM`` to ``FADED_TO`` windows of 1 ms
FADED_FROM: Final = 100
FADED_TO: Final = 150
BLOCK: Final = 20  # windows a step of the local level
LOCAL_BLOCKS: Final = 10  # 0.2 s
LATE_BLOCKS: Final = 150  # 3 s
AHEAD: Final = 4  # windows looked at after the one that rises
APART: Final = 300  # windows between two bangs on a channel: echoes are part of the first
TOGETHER: Final = 50  # windows
REACH: Final = 12  # windows of samples
FIRST_SHARE: Final = 0.1  # of its largest magnitude is where a bang begins
HIGH_HZ: Final = 6000  # a difference over 1/6000 s doubles what is above 1 kHz, and drops rumble
TOP_HZ: Final = 48_000  # likewise for what is above 5 kHz
LENGTH_S: Final = 0.1  # what an episode is given as its length


@dataclass(slots=True)
class _Bang:
    """A sudden rise on one channel: its window and tick, its energy, and what is left of it."""

    window: int
    tick: int
    energy: float
    over_db: float
    rest: float = 0.0

    @property
    def faded(self) -> bool:
        """Whether what is left is little."""
        return self.rest <= FADED * self.energy * (FADED_TO - FADED_FROM)


def _difference_energy(samples: NDArray[np.float32], lag: int) -> float:
    """Return the energy of the difference over ``lag`` samples, as much as white noise has."""
    difference = samples[lag:] - samples[:-lag]
    return float(difference @ difference) / 2


@listen("clap", detectors=("clap",))
class Clap:
    """The claps of a stream. Windows of 1 ms are counted from the last hole on."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._count = channels
        self._frames = cell_frames(sample_rate_hz, FINE_PER_S)
        self._lag = max(1, round(sample_rate_hz / HIGH_HZ))
        self._step = max(1, round(sample_rate_hz / TOP_HZ))
        self._length = round(LENGTH_S * sample_rate_hz)
        self._lately = Lately(channels, REACH * self._frames)
        self._steps: list[Detection] = []
        self._forget()

    def _forget(self) -> None:
        self._windows: Cells = np.empty((0, self._count))
        self._first = 0
        """Number of the first window kept; the next one to look at is ``_next``."""
        self._next = 0
        self._local = Recent(LOCAL_BLOCKS, self._count)
        self._peaks = Recent(LATE_BLOCKS, self._count)
        self._bangs: dict[int, _Bang] = {}
        self._last: dict[int, int] = {}

    def hear(self, hop: Hop) -> None:
        """Look at the windows that have enough after them."""
        if not hop.follows:
            self._forget()
        self._lately.begin(hop)
        self._origin = hop.fine_start - (self._first + len(self._windows)) * self._frames
        self._windows = np.concatenate([self._windows, hop.fine])
        last = self._first + len(self._windows) - AHEAD
        if self._next < last:
            self._scan(self._next, last)
            self._next = last
        kept = max(0, self._next - BLOCK - self._first)
        self._windows = self._windows[kept:]
        self._first += kept
        self._lately.end()

    def _scan(self, first: int, last: int) -> None:
        """Look at windows [first, last): block by block only where one is loud or a bang rings."""
        begun = first - first % BLOCK
        windows = self._windows[begun - self._first : last - self._first]
        whole = len(windows) // BLOCK
        blocks = windows[: whole * BLOCK].reshape(whole, BLOCK, self._count)
        means, peaks = blocks.mean(axis=1), blocks.max(axis=1)
        loud = self._loud(windows, first - begun, means)
        if not self._bangs and not any(loud):
            self._local.add(means)
            self._peaks.add(peaks)
            return
        for turn, is_loud in enumerate(loud):
            at, end = max(first, begun + turn * BLOCK), min(last, begun + (turn + 1) * BLOCK)
            if is_loud:
                self._look(at, end)
            self._follow(at, end)
            self._local.add(means[turn : turn + 1])
            self._peaks.add(peaks[turn : turn + 1])

    def _loud(self, windows: Cells, new: int, means: Cells) -> list[bool]:
        """Say of each block begun in ``windows`` whether a channel may be far over its local level.

        Windows from ``new`` on count; ``means`` are those of the whole blocks.
        """
        begins = np.arange(0, len(windows), BLOCK)
        unknown = LOCAL_BLOCKS - len(self._local.rows)
        if unknown >= len(begins):
            return [False] * len(begins)
        rows = np.concatenate([self._local.rows, means])
        levels = sliding_window_view(rows, LOCAL_BLOCKS, axis=0).mean(axis=-1)
        highest = np.maximum.reduceat(windows, np.maximum(begins, new), axis=0)[unknown:]
        levels = levels[: len(highest)]
        far = (highest >= NEARLY_OVER * levels) & (levels > 0.0)
        found: list[bool] = far.any(axis=1).tolist()
        return [False] * unknown + found

    def _look(self, first: int, end: int) -> None:
        """Find bangs that begin in windows [first, end), which lie in one block."""
        level = self._local.rows.mean(axis=0)
        at = first - self._first
        loud = self._windows[at : at + end - first] >= OVER * level
        for channel in np.flatnonzero(loud.any(axis=0) & (level > 0.0)).tolist():
            around = self._windows[at - BEFORE : at + end - first + AHEAD, channel]
            peaks = sliding_window_view(around[BEFORE:], AHEAD + 1).max(axis=1)
            sudden = around[: end - first] <= RISE * peaks
            sudden &= peaks >= NEARLY * self._peaks.rows[:, channel].max()
            for step in np.flatnonzero(sudden & loud[:, channel]).tolist():
                if first + step >= self._last.get(channel, -APART) + APART:
                    self._bang(channel, first + step, float(peaks[step]), float(level[channel]))

    def _bang(self, channel: int, window: int, energy: float, level: float) -> None:
        """Note a sudden rise, if it is broad-band, and find its first sample."""
        tick = self._origin + window * self._frames
        end = tick + (AHEAD + 1) * self._frames
        samples = self._lately.samples(channel, tick - self._frames, end)
        if self._is_broad(samples):
            magnitudes = np.abs(samples)
            begins = int(np.argmax(magnitudes >= FIRST_SHARE * magnitudes.max()))
            over_db = round(10.0 * math.log10(energy / level), 1)
            start = end - len(samples) + begins
            self._bangs[channel] = _Bang(window, start, energy, over_db)
            self._last[channel] = window

    def _is_broad(self, samples: NDArray[np.float32]) -> bool:
        """Say whether enough of it lies above 1 kHz, and some far above."""
        whole = float(samples @ samples)
        return all(
            _difference_energy(samples, lag) >= share * whole
            for lag, share in ((self._lag, HIGH_SHARE), (self._step, TOP_SHARE))
        )

    def _follow(self, first: int, end: int) -> None:
        """See what is left of the bangs; once all of one clap are over, tell it."""
        for channel, bang in self._bangs.items():
            low, high = max(first, bang.window + FADED_FROM), min(end, bang.window + FADED_TO)
            if low < high:
                kept = self._windows[low - self._first : high - self._first, channel]
                bang.rest += float(kept.sum())
        if not self._bangs:
            return
        earliest = min(bang.window for bang in self._bangs.values())
        if end >= earliest + TOGETHER + FADED_TO + BLOCK:
            group = {c: b for c, b in self._bangs.items() if b.window <= earliest + TOGETHER}
            self._bangs = {c: b for c, b in self._bangs.items() if c not in group}
            self._tell({c: b for c, b in group.items() if b.faded})

    def _tell(self, heard: dict[int, _Bang]) -> None:
        alive = int((self._local.rows.max(axis=0) > 0.0).sum())
        needed = 1 if self._count == 1 else max(2, (alive + 1) // 2)
        if len(heard) < needed:
            return
        start = min(bang.tick for bang in heard.values())
        for phase in ("open", "close"):
            self._steps.append(
                Detection(
                    detector="clap",
                    key=f"clap-{start}",
                    phase=phase,
                    start=start,
                    end=None if phase == "open" else start + self._length,
                    channels=tuple(sorted(heard)),
                    worst=max(bang.over_db for bang in heard.values()),
                    worst_tick=start,
                    unit="dB",
                )
            )

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: claps are events."""
        return {}

    def events(self) -> list[Detection]:
        """Return the claps since the last call."""
        steps, self._steps = self._steps, []
        return steps

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Forget a bang that the end cuts off: it is not known to be a clap."""
        self._bangs.clear()
