"""Dropouts: the sound is gone for 3 ms to 1 s, and the room with it, and both come back.

A live microphone cannot go below the noise of its room and its own. So windows of 1 ms are followed
that lie under everything of the last 10 s, both at all frequencies and above 1 kHz (rumble crosses
zero slowly, which is deep in the one and not in the other). A run of them is a dropout when it

* falls and returns by 12 dB within 2 ms above 1 kHz: faders, gates, doors and a room after the
  last word take longer, while rumble alone falls as fast wherever it crosses zero;
* lies 11 dB under the least of the room, which is what 20 dB under its mean comes to at worst;
* lasts 3 ms to 1 s. What stays down for longer is a dead microphone, silence or another room, and
  is learned.

Exact zeros of ``silence_s`` and more are left to silence, other constants to stuck. Start and end
are refined on the samples. See docs/decisions/0120-dropouts.md and
0159-a-dropout-has-sharp-edges-above-1-khz.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.energies import FINE_PER_S, Cells, Grid, cell_frames, sum_squares
from monitor.measure.sound.hops import HISTORY, Samples, Scratch
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.episodes import Episodes, take_steps
from monitor.measure.sound_faults.lately import Lately
from monitor.measure.sound_faults.silence import SILENCE_S
from monitor.metrics import Value

DROPOUT_S: Final = 0.003  # shorter ones are clicks
LONGEST_S: Final = 1.0  # longer ones are dead microphones, silence, or another room
TOGETHER_S: Final = 10.0  # a bad link comes and goes: dropouts this close are one episode
HIGH_HZ: Final = 6000  # the difference over 1/6000 s weighs 1 to 5 kHz most, and rumble least
CHUNK: Final = 100  # windows: 0.1 s, shorter than pauses between words
LEARNED: Final = 100  # chunks: 10 s hold a pause of nearly any speech
WITHHELD: Final = 12  # chunks, 1.2 s: what may still turn out to be a dropout is not learned
FIRST: Final = 5  # chunks before anything is judged
QUIET_SHARE: Final = 0.10  # of the chunks are pauses; the quietest one alone is a matter of chance
LOW: Final = 10 ** (-12 / 10)  # of a pause's mean; rumble alone goes lower, at its zero crossings
LOW_HIGH: Final = 10 ** (-6 / 10)  # of the least two windows had; single ones of noise reach -4 dB
ODD: Final = 2  # chunks may hold something odd without blinding the detector for seconds
JUMP: Final = 10 ** (12 / 10)  # within 2 ms; a dropout's is 16 dB and more
DEEP: Final = 10 ** (-11 / 10)  # of the least, which is 4 dB under the mean: a gate's -15 dB is not
SETTLED: Final = 10 ** (-20 / 10)  # of the least, in the first and last whole window of a run
LONGEST_WINDOWS: Final = round(LONGEST_S * FINE_PER_S)
REACH: Final = 8  # windows of samples kept: what an edge is refined on may begin a hop earlier
INSIDE: Final = 1.5  # times the largest magnitude inside is still inside


class _Room:
    """What each channel has been at its quietest, a row a chunk; the newest rows are withheld.

    ``limits``: energies under which a window is low; all frequencies, then those above 1 kHz.
    """

    def __init__(self, channels: int) -> None:
        self._count = channels
        self._rows: Cells = np.empty((0, 2 * channels))
        """Of every chunk the mean energies, then the least above 1 kHz."""
        self._void = np.zeros(2 * channels, np.bool_)
        self.limits: NDArray[np.float64] = np.zeros(2 * channels)
        self.least: NDArray[np.float64] = np.zeros(channels)

    def add(self, means: NDArray[np.float64], least: NDArray[np.float64]) -> None:
        """Take a chunk's mean energies, and the least that two windows in a row had above 1 kHz."""
        row = np.concatenate([means, least])
        row[self._void] = np.inf
        self._void[:] = False
        self._rows = np.concatenate([self._rows, row[None]])[-(LEARNED + WITHHELD) :]
        known = len(self._rows) - WITHHELD
        if known >= FIRST:
            quiet = round(QUIET_SHARE * (known - 1))
            ranked = np.partition(self._rows[:known], (quiet, ODD), axis=0)
            self.least = _known(ranked[ODD, self._count :])
            lowest = _known(ranked[quiet, : self._count])
            self.limits = np.concatenate([LOW * lowest, LOW_HIGH * self.least])

    def void(self, channel: int, windows: int) -> None:
        """Do not learn from a channel's newest windows: they were a dropout."""
        both = [channel, channel + self._count]
        self._void[both] = True
        self._rows[-(windows // CHUNK + 1) :, both] = np.inf


def _known(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values, 0 where one is unknown."""
    return np.where(np.isfinite(found), found, 0.0)


@dataclass(slots=True)
class _Run:
    """Low windows of one channel in a row. ``start``: its tick, None where the fall was slow.

    ``high``: energies above 1 kHz of its first second.
    """

    start: int | None
    high: list[float] = field(default_factory=list)

    def inside(self) -> list[float]:
        """Return the energies of the windows that lie wholly inside."""
        return self.high[1:-1] or [min(self.high)]


@listen("dropout", detectors=("dropout",))
class Dropout:
    """Dropouts of every channel; ``dropout_s`` (limit; by default 3 ms) is the shortest."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._frames = cell_frames(sample_rate_hz, FINE_PER_S)
        self._shortest = round(setup.limit("dropout_s", DROPOUT_S) * sample_rate_hz)
        self._longest = round(LONGEST_S * sample_rate_hz)
        self._silence = round(setup.limit("silence_s", SILENCE_S) * sample_rate_hz)
        self._lag = min(HISTORY, max(1, round(sample_rate_hz / HIGH_HZ)))
        self._scratch = Scratch()
        self._count = channels
        self._grid = Grid(channels, sample_rate_hz, sum_squares, FINE_PER_S)
        self._lately = Lately(channels, REACH * self._frames)
        self._room = _Room(channels)
        self._sum = np.zeros(channels)
        self._least = np.full(channels, np.inf)
        self._summed = 0
        self._episodes = [
            Episodes("dropout", index, sample_rate_hz, None, TOGETHER_S, in_ms=True)
            for index in range(channels)
        ]
        self._forget()

    def _forget(self) -> None:
        """After a hole nothing is known of what was before."""
        self._grid.restart()
        self._windows: Cells = np.empty((0, 2 * self._count))
        self._ahead = 0
        """Windows at the end that have not been looked at."""
        self._runs: dict[int, _Run] = {}

    def hear(self, hop: Hop) -> None:
        """Look at the windows the hop finished, but the last: it says how a run ends."""
        if not hop.follows:
            self._forget()
        known = len(self._windows)
        new = np.concatenate([hop.fine, self._high(hop)], axis=1)
        self._windows = np.concatenate([self._windows, new])
        self._lately.begin(hop)
        self._origin = hop.fine_start - known * self._frames
        first, last = known - self._ahead, len(self._windows) - 1
        while first < last:
            end = min(last, first + CHUNK - self._summed)
            self._look(first, end)
            self._learn(first, end)
            first = end
        self._ahead = len(self._windows) - first
        self._windows = self._windows[-(self._ahead + 2) :]
        self._lately.end()
        for index, episodes in enumerate(self._episodes):
            if episodes.is_open and index not in self._runs:
                episodes.advance(self._tick(first))

    def _high(self, hop: Hop) -> Cells:
        """Return the windows' energies above 1 kHz."""
        sound = hop.with_history
        difference = self._scratch.empty(len(sound), hop.frames)
        np.subtract(sound[:, HISTORY:], sound[:, HISTORY - self._lag : -self._lag], out=difference)
        return self._grid.feed(difference)

    def _learn(self, first: int, end: int) -> None:
        self._sum += self._windows[first:end, : self._count].sum(axis=0)
        high = self._windows[first : end + 1, self._count :]
        np.minimum(self._least, np.maximum(high[:-1], high[1:]).min(axis=0), out=self._least)
        self._summed += end - first
        if self._summed == CHUNK:
            self._room.add(self._sum / CHUNK, self._least)
            self._sum[:], self._least[:], self._summed = 0.0, np.inf, 0

    def _look(self, first: int, end: int) -> None:
        """Follow the runs of low windows in [first, end); the window after is known too."""
        both = self._windows[first:end] < self._room.limits
        low = both[:, : self._count] & both[:, self._count :]
        for index in {*np.flatnonzero(low.any(axis=0)).tolist(), *self._runs}:
            self._follow(index, first, low[:, index])

    def _follow(self, index: int, first: int, low: NDArray[np.bool_]) -> None:
        """Begin and end one channel's runs, window ``first`` being the first of ``low``."""
        at = 0
        for turn in np.flatnonzero(np.diff(low, prepend=index in self._runs)).tolist():
            if index in self._runs:
                self._note(index, first + at, first + turn)
                self._end(index, self._runs.pop(index), first + turn)
            else:
                self._runs[index] = _Run(start=self._fall(index, first + turn))
            at = turn
        if index in self._runs:
            self._note(index, first + at, first + len(low))

    def _note(self, index: int, first: int, end: int) -> None:
        """Note the windows [first, end) of a run."""
        run = self._runs[index]
        room = LONGEST_WINDOWS - len(run.high)
        run.high += self._windows[first : min(end, first + room), index + self._count].tolist()

    def _jumps(self, index: int, outside: tuple[int, int], inside: tuple[int, int]) -> bool:
        """Say whether one of two windows, where known, is far louder than the least inside.

        Of two inside, since of the shortest dropout either may hold some of its edge. Above 1 kHz:
        of all frequencies rumble may be most, and it crosses zero.
        """
        known = [window for window in outside if 0 <= window < len(self._windows)]
        high = self._windows[:, index + self._count]
        return bool(high[known].max(initial=0.0) > JUMP * high[list(inside)].min())

    def _low(self, index: int, window: int) -> bool:
        both = [index, index + self._count]
        return bool((self._windows[window, both] < self._room.limits[both]).all())

    def _magnitudes(self, index: int, start: int, end: int) -> Samples:
        magnitudes: Samples = np.abs(self._lately.samples(index, start, end))
        return magnitudes

    def _tick(self, window: int) -> int:
        return self._origin + window * self._frames

    def _fall(self, index: int, window: int) -> int | None:
        """Return the tick at which a run that begins here fell; None where it fell slowly."""
        fell = self._jumps(index, (window - 2, window - 1), (window, window + 1))
        if not fell or not self._low(index, window + 1):
            return None
        middle = self._tick(window) + self._frames // 2
        inside = self._magnitudes(index, middle, self._tick(window + 2)).max()
        before = self._tick(max(window - 1, 0))
        outside = np.flatnonzero(self._magnitudes(index, before, middle) > INSIDE * inside)
        return before + (int(outside[-1]) + 1 if len(outside) else 0)

    def _end(self, index: int, run: _Run, window: int) -> None:
        """Tell a run that ends before this window, if it is a dropout."""
        if run.start is None or len(run.high) < 2:
            return
        if not self._jumps(index, (window, window + 1), (window - 2, window - 1)):
            return
        middle = self._tick(window) - (self._frames + 1) // 2
        inside = self._magnitudes(index, self._tick(window - 2), middle).max()
        after = self._magnitudes(index, middle, self._tick(window + 1))
        outside = np.flatnonzero(after > INSIDE * inside)
        end = middle + (int(outside[0]) if len(outside) else len(after))
        self._room.void(index, len(run.high))
        length, high = end - run.start, run.inside()
        constant = max(high) == 0.0 and (inside > 0.0 or length >= self._silence)
        depth, least = float(np.mean(high)), float(self._room.least[index])
        at_once = max(high[0], high[-1]) <= max(10 * depth, SETTLED * least)
        found = depth < DEEP * least and at_once and not constant
        if found and self._shortest <= length <= self._longest:
            self._episodes[index].fault(run.start, end)

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: dropouts are events."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps, in order of channel."""
        return take_steps(self._episodes)

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes; what has not come back is no dropout."""
        for episodes in self._episodes:
            episodes.close()
