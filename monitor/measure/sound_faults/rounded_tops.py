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
done for the cells near a ceiling alone, at once for all channels. An episode's count says "at
least": one top a cell and side is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.energies import cell_frames
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.episodes import Episodes, take_steps
from monitor.measure.sound_faults.excursions import Floats, Ints, Mask, medians
from monitor.measure.sound_faults.flat_tops import LOOK_BACK, largest_lately
from monitor.measure.sound_faults.gathering import Gathering
from monitor.measure.sound_faults.one_level import CEILING, Lately, clipped_tops
from monitor.metrics import Value

GATHER: Final = 10  # cells, 100 ms
JUDGED: Final = 512  # flat tops judged at once: each against 3 s of cells, 2 MB
WIDTHS: Final = (32,)  # samples of tops measured together: of little is padding
WINDOW_S: Final = 3.0
FLOOR: Final = 0.003  # -50 dBFS: below, codes of 16 bits are steps of 1 %
TOP: Final = 0.95  # of its peak: what belongs to an excursion
REACH_S: Final = 1 / 375  # 128 samples at 48 kHz; a wider top has corners far from its middle
WIDTH_S: Final = 5 / 48000  # narrower ones have no middle
EDGE: Final = 2  # samples at each end of a wide top that a low-pass rounds
WAVER: Final = 0.02  # of the peak, of a flat middle
STEEP: Final = 8.0  # times the waver that a parabola of its slopes would rise
STEP: Final = 2.0**-15  # codes as coarse as 16 bits
NOISE: Final = 0.001  # of the peak, that any middle wavers


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
    least = 0
    for most in (*WIDTHS, frames):
        length = ends[judged] - starts[judged]
        some = judged[(length > least) & (length <= most)]
        if len(some):
            levels[some] = _levels(windows[some], starts[some], ends[some], most)
        least = most
    return Tops(starts=starts, ends=ends, levels=levels, wide=wide)


def _levels(windows: Samples, starts: Ints, ends: Ints, most: int) -> Floats:
    """Return the levels of the middles of tops at most ``most`` wide that are flat, else 0."""
    each = np.arange(len(windows))
    begin = np.minimum(starts, windows.shape[1] - most)
    parts = sliding_window_view(windows, most, axis=1)[each, begin]
    edge = np.where(ends - starts >= 4 * EDGE, EDGE, 1)
    first, last = starts + edge, ends - edge
    place = np.arange(most)
    inside = (place >= (first - begin)[:, None]) & (place < (last - begin)[:, None])
    middles = np.where(inside, parts, np.float32(np.inf))
    waver = np.where(inside, parts, 0).max(axis=1) - middles.min(axis=1)
    peaks = windows[:, windows.shape[1] // 2]
    least = STEEP * (waver + np.maximum(NOISE * peaks, STEP))
    flat = (waver <= WAVER * peaks) & (_rise(windows, starts, ends) >= least)
    return np.where(flat, medians(middles, last - first), 0).astype(np.float64)


def _rise(windows: Samples, starts: Ints, ends: Ints) -> Samples:
    """Return how far a parabola would rise between the slopes at the tops' ends."""
    each = np.arange(len(windows))
    entry = (windows[each, starts] - windows[each, starts - 2]).clip(0)
    leave = (windows[each, ends - 1] - windows[each, ends + 1]).clip(0)
    rise: Samples = (entry + leave) * np.float32(1 / 16) * (ends - starts).astype(np.float32)
    return rise


def _may_be_flat(windows: Samples, starts: Ints, ends: Ints) -> Mask:
    """Say which tops are not ruled out by a few samples of their middles: those of clipping.

    The few waver at most as far as all do, so that nothing that is flat is ruled out.
    """
    rows = np.arange(len(windows))
    peaks = windows[:, windows.shape[1] // 2]
    first = starts + np.where(ends - starts >= 4 * EDGE, EDGE, 1)
    span = ends - 1 + starts - 2 * first
    probes = [windows[rows, first + span * i // 4] for i in range(5)]
    waver = np.maximum.reduce(probes) - np.minimum.reduce(probes)
    rise = _rise(windows, starts, ends)
    least = STEEP * (waver + np.maximum(NOISE * peaks, STEP))
    slack = 1.0 - 1e-4  # single precision
    return np.asarray((waver * slack <= WAVER * peaks) & (rise >= slack * least))


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
        self._told_db = [0.0] * channels
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
        which = which[np.argsort(cell[which], kind="stable")]
        for at_most in np.split(which, range(JUDGED, len(which), JUDGED)):
            self._judge(lately, (side[at_most], channel[at_most], cell[at_most]), start)

    def _judge(
        self, lately: NDArray[np.float32], where: tuple[Ints, Ints, Ints], start: int
    ) -> None:
        """Judge the flat tops of some cells, (side, channel, cell), the first cell at ``start``."""
        side, channel, cell = where
        past = sliding_window_view(lately, self._remembered, axis=3)
        peaks, levels, rounds, starts, widths = past[:, side, channel, cell + 1]
        tops = clipped_tops(
            Lately(peaks=peaks, levels=levels, round=rounds, starts=starts, widths=widths),
            self._cell,
        )
        ticks = start + cell[tops.which] * self._cell
        level = levels[tops.which, -1].astype(np.float64)
        levels_db = np.maximum(-20 * np.log10(level), 0).round(1)
        channels = channel[tops.which].tolist()
        each = zip(channels, levels_db.tolist(), ticks.tolist(), strict=True)
        for i, (one, level_db, tick) in enumerate(each):
            self._describe(one, level_db)
            alike = np.flatnonzero(tops.alike[i])
            for at in alike[-1:] if self._episodes[one].is_open else alike:
                self._episodes[one].fault(
                    tick + int(tops.starts[i, at]), tick + int(tops.ends[i, at])
                )

    def _describe(self, channel: int, level_db: float) -> None:
        """Say at which level a channel clips."""
        episodes = self._episodes[channel]
        if episodes.detail is None or self._told_db[channel] != level_db:
            self._told_db[channel] = level_db
            sign = "−" if level_db else ""
            episodes.detail = f"below full scale, about {sign}{level_db:.1f} dBFS, then low-passed"

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
