"""Rounded flat tops: clipping that was low-passed afterwards, as by a wireless link or a codec.

A low-pass takes the corners off what was clipped: a top rises into its level, overshoots and
ripples by a percent or two, too much for ``flat_tops``. But tops of all widths still lie at one
level, to within 0.3 %, and between their rounded ends they are flat.

Of each cell of 10 ms the largest excursion either way is looked at, if it reaches what the last
80 ms did: the samples around its peak of at least 95 % of it. It is flat if it is five samples wide
or more and the slopes it is entered and left by would have carried a parabola eight times further
than its middle wavers. Three flat ones at one level within 3 s are clipping if

* nothing went beyond since the first, ripple aside;
* no more than twice as many speak against it: as high and as wide but round, as tops of voices,
  tones and limiters are; or flat at another level, as a synthesiser's decaying square waves are;
* they are not all of one width, as those of a steady square wave are.

Speed: the place of the highest sample of each cell, in stretches of 100 ms; all that follows is
done for the cells near a ceiling alone, at once for all channels.
"""

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
from monitor.measure.sound_faults.flat_tops import LOOK_BACK, largest_lately
from monitor.measure.sound_faults.gathering import Gathering
from monitor.metrics import Value

GATHER: Final = 10  # cells, 100 ms
WINDOW_S: Final = 3.0
FLOOR: Final = 0.003  # -50 dBFS: below, codes of 16 bits are steps of 1 %
CEILING: Final = 0.985  # of the largest of the last 80 ms: overshoots differ
TOP: Final = 0.95  # of its peak: what belongs to an excursion
REACH_S: Final = 1 / 375  # 128 samples at 48 kHz; a wider top has corners far from its middle
WIDTH_S: Final = 5 / 48000  # narrower ones have no middle
EDGE: Final = 2  # samples at each end of a wide top that a low-pass rounds
WAVER: Final = 0.02  # of the peak, of a flat middle
STEEP: Final = 8.0  # times the waver that a parabola of its slopes would rise
STEP: Final = 2.0**-15  # codes as coarse as 16 bits
NOISE: Final = 0.001  # of the peak, that any middle wavers
SAME: Final = 0.003  # middles this close are at one level
BEYOND: Final = 1.03  # of the level: more than overshoots do
EXCURSIONS: Final = 3
AGAINST: Final = 2  # times the flat ones
WIDER: Final = 1.25  # the widest to the narrowest


Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tops:
    """The largest excursions of some cells; arrays of one length.

    ``ends``: [start, end) in the windows they were found in. ``levels``: of the flat ones' middles,
    magnitudes, else 0. ``wide``: wide enough to be judged.
    """

    starts: NDArray[np.intp]
    ends: NDArray[np.intp]
    levels: NDArray[np.float64]
    wide: NDArray[np.bool_]


def measure_tops(windows: Samples, width: int) -> Tops:
    """Measure the excursion in the middle of each window, (excursions, 2 · reach + 1), upwards.

    The middle sample is its peak; ``width``: least samples of one that is judged.
    """
    count, frames = windows.shape
    reach = frames // 2
    peaks = windows[:, reach]
    under = windows < TOP * peaks[:, None]
    before, after = under[:, reach::-1], under[:, reach:]
    starts = reach + 1 - before.argmax(axis=1)
    ends = reach + after.argmax(axis=1)
    whole = before.any(axis=1) & after.any(axis=1) & (starts >= 2) & (ends <= frames - 2)
    wide = whole & (ends - starts >= width)
    levels = np.zeros(count)
    judged = np.flatnonzero(wide)
    judged = judged[_may_be_flat(windows[judged], starts[judged], ends[judged])]
    for i in judged.tolist():
        edge = _edge(int(ends[i] - starts[i]))
        middle = windows[i, starts[i] + edge : ends[i] - edge]
        rise = _rise(windows[i], int(starts[i]), int(ends[i]))
        waver = float(middle.max() - middle.min())
        peak = float(peaks[i])
        if waver <= WAVER * peak and rise >= STEEP * (waver + max(NOISE * peak, STEP)):
            levels[i] = float(np.median(middle))
    return Tops(starts=starts, ends=ends, levels=levels, wide=wide)


def _edge(width: int) -> int:
    """Return how many samples at each end of a top are not its middle."""
    return EDGE if width >= 4 * EDGE else 1


def _rise(window: Samples, start: int, end: int) -> float:
    """Return how far a parabola would rise between the slopes at a top's ends."""
    entry = max(0.0, float(window[start] - window[start - 2]))
    leave = max(0.0, float(window[end - 1] - window[end + 1]))
    return (entry + leave) / 4 * (end - start) / 4


def _may_be_flat(windows: Samples, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> Mask:
    """Say which tops are not ruled out by a few samples of their middles: those of clipping.

    The few waver at most as far as all do, so that nothing that is flat is ruled out.
    """
    rows = np.arange(len(windows))
    peaks = windows[:, windows.shape[1] // 2]
    first = starts + np.where(ends - starts >= 4 * EDGE, EDGE, 1)
    span = ends - 1 + starts - 2 * first
    probes = [windows[rows, first + span * i // 4] for i in range(5)]
    waver = np.maximum.reduce(probes) - np.minimum.reduce(probes)
    entry = (windows[rows, starts] - windows[rows, starts - 2]).clip(0)
    leave = (windows[rows, ends - 1] - windows[rows, ends + 1]).clip(0)
    rise = (entry + leave) / 16 * (ends - starts)
    least = STEEP * (waver + np.maximum(NOISE * peaks, STEP))
    slack = 1.0 - 1e-4  # single precision
    return np.asarray((waver * slack <= WAVER * peaks) & (rise >= slack * least))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lately:
    """What is known of one side of one channel, a value a cell of the last 3 s, newest last.

    ``levels``: of flat tops, else 0; ``round``: peaks of those wide enough and not flat, else 0;
    ``starts``: ticks from the cell's own; ``widths``: in samples.
    """

    peaks: NDArray[np.float32]
    levels: NDArray[np.float32]
    round: NDArray[np.float32]
    starts: NDArray[np.float32]
    widths: NDArray[np.float32]


def clipped_tops(lately: Lately, cell_frames: int) -> list[tuple[int, int]]:
    """Return the tops at one level with the newest, that last, if that is clipping; else none.

    [start, end) in ticks from the newest cell's own.
    """
    level = float(lately.levels[-1])
    beyond = np.flatnonzero(lately.peaks > BEYOND * level)
    since = int(beyond[-1]) + 1 if len(beyond) else 0
    alike = np.flatnonzero(np.abs(lately.levels[since:] - level) <= SAME * level) + since
    starts = (alike + 1 - len(lately.levels)) * cell_frames + lately.starts[alike].astype(np.intp)
    ends = starts + lately.widths[alike].astype(np.intp)
    apart = np.append(True, starts[1:] >= ends[:-1])  # one that lies in two cells is found twice
    if np.count_nonzero(apart) < EXCURSIONS or not apart[-1]:
        return []
    against = int(np.count_nonzero(lately.levels[alike[0] :])) - len(alike)
    against += int(np.count_nonzero(lately.round[alike[0] :] >= CEILING * level))
    widths = lately.widths[alike]
    if against > AGAINST * len(alike) or widths.max() < WIDER * widths.min():
        return []
    return list(zip(starts[apart].tolist(), ends[apart].tolist(), strict=True))


def _lately(past: NDArray[np.float32]) -> Lately:
    """Return the values of a cell and those before it, (5, cells), by name."""
    peaks, levels, rounds, starts, widths = past
    return Lately(peaks=peaks, levels=levels, round=rounds, starts=starts, widths=widths)


@listen("rounded_tops", detectors=("rounded_tops",))
class RoundedTops:
    """Clipping that was low-passed afterwards, on every channel, as episodes."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        depth = min(setup.stream.bit_depth or 16, 24)
        self._full_scale = 1.0 - 2.0 ** (1 - depth)
        self._cell = cell_frames(sample_rate_hz)
        self._reach = round(REACH_S * sample_rate_hz)
        self._width = max(5, round(WIDTH_S * sample_rate_hz))
        self._remembered = round(WINDOW_S * sample_rate_hz) // self._cell
        self._episodes = [
            Episodes("rounded_tops", c, sample_rate_hz, None, close_after_s=WINDOW_S)
            for c in range(channels)
        ]
        self._gathering = Gathering(channels, self._reach)
        self._lately = np.zeros((5, 2, channels, self._remembered), np.float32)
        """What ``Lately`` holds, in its order, upwards and downwards."""

    def hear(self, hop: Hop) -> None:
        """Gather a hop; look when there is enough."""
        if not hop.follows:
            self._look(1)
            self._gathering.restart()
            self._lately[:] = 0
        self._gathering.add(hop.samples, hop.end)
        self._look(GATHER)

    def _look(self, least: int) -> None:
        """Look at the cells gathered, in steps of ``least``."""
        rows, start = self._gathering.rows, self._gathering.start
        cells = (rows.shape[1] - 2 * self._reach) // (self._cell * least) * least
        if cells <= 0:
            return
        self._scan(rows, start, cells)
        self._gathering.drop(cells * self._cell)
        for episodes in self._episodes:
            if episodes.is_open:
                episodes.advance(start + cells * self._cell)

    def _scan(self, rows: Samples, start: int, cells: int) -> None:
        channels, reach = len(rows), self._reach
        whole = rows[:, reach : reach + cells * self._cell].reshape(channels, cells, self._cell)
        places = np.stack([whole.argmax(axis=2), whole.argmin(axis=2)])
        at = places + np.arange(cells) * self._cell  # of windows that have their peak in the middle
        each = np.arange(channels)[:, None]
        peaks = rows[each, at + reach]
        np.negative(peaks[1], out=peaks[1])
        fresh = np.zeros((5, 2, channels, cells), np.float32)
        fresh[0] = peaks
        lately = np.concatenate([self._lately, fresh], axis=3)
        ceilings = largest_lately(lately[0, :, :, -cells - LOOK_BACK :])
        near = (ceilings >= FLOOR) & (ceilings < self._full_scale) & (peaks >= CEILING * ceilings)
        found = np.nonzero(near)
        windows = sliding_window_view(rows, 2 * reach + 1, axis=1)
        side, channel, cell = found
        signs = np.where(side == 0, np.float32(1), np.float32(-1))
        first = at[found]
        narrow = windows[channel, first, reach - 1 : reach + 2] * signs[:, None]
        high = (narrow >= TOP * peaks[found][:, None]).all(axis=1)
        side, channel, cell, first = side[high], channel[high], cell[high], first[high]
        tops = measure_tops(windows[channel, first] * signs[high][:, None], self._width)
        new = self._remembered + cell
        flat = tops.levels > 0
        lately[1, side, channel, new] = tops.levels
        lately[2, side, channel, new] = np.where(tops.wide & ~flat, peaks[near][high], 0)
        lately[3, side, channel, new] = first + tops.starts - cell * self._cell
        lately[4, side, channel, new] = tops.ends - tops.starts
        self._lately = lately[:, :, :, cells:]
        which = np.flatnonzero(flat)
        for i in which[np.argsort(cell[which], kind="stable")].tolist():
            past = lately[:, side[i], channel[i], cell[i] + 1 : new[i] + 1]
            self._tell(int(channel[i]), _lately(past), start + int(cell[i]) * self._cell)

    def _tell(self, channel: int, lately: Lately, tick: int) -> None:
        """Count the newest top, of a cell at ``tick``; to open an episode, those before it too."""
        tops = clipped_tops(lately, self._cell)
        if not tops:
            return
        episodes = self._episodes[channel]
        level_db = max(0.0, -20 * log10(float(lately.levels[-1])))
        sign = "−" if level_db >= 0.05 else ""
        episodes.detail = f"below full scale, about {sign}{level_db:.1f} dBFS, then low-passed"
        for start, end in tops[-1:] if episodes.is_open else tops:
            episodes.fault(tick + start, tick + end)

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
        self._look(1)
        for episodes in self._episodes:
            episodes.close()
