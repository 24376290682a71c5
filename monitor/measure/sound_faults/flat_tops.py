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
within 0.4 % of it, are looked at; all excursions of all channels are read and judged at once. What
is read of a cell is bounded: a clipped tone has thousands of flat tops a second on every channel,
and 200 a second tell as much. So an episode's count says "at least": of those read.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.energies import cell_frames
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.ceilings import NEAR, Ceilings, Clipped, Judged
from monitor.measure.sound_faults.episodes import Episodes, take_steps
from monitor.measure.sound_faults.excursions import (
    FLAT_SAMPLES,
    SHOULDER,
    Suspects,
    find_excursions,
    measure_tops,
)
from monitor.metrics import Value

FLOOR: Final = 0.003  # -50 dBFS: below, codes of 16 bits are steps of 1 % and tops flat by nature
LOOK_BACK: Final = (
    8  # cells, 80 ms: a few periods of a voice, so that turning the gain down hides little
)
WINDOW_S: Final = 3.0
READ_LIMIT: Final = 8  # excursions read of a cell and side: 1,600 a second
READ_OPEN_LIMIT: Final = 1  # the same once they are known to be flat: only their going on matters
GROUP: Final = 10  # cells: how often is asked what is known, whatever the hops
LONGEST_CELLS: Final = 2  # 20 ms: half a wave of 25 Hz


def largest_lately(peaks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the largest of each value and the LOOK_BACK before it, along the last axis.

    The first LOOK_BACK values have none of their own: the result is that much shorter.
    """
    out = peaks
    for step in (1, 2, 4, 1):  # windows of 2, 4, 8 and 9 values
        out = np.maximum(out[:, :, step:], out[:, :, :-step])
    return out


@listen("flat_tops", detectors=("flat_tops",))
class FlatTops:
    """Clipping below full scale on every channel, as episodes."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        depth = min(setup.stream.bit_depth or 16, 24)
        self._full_scale = 1.0 - 2.0 ** (1 - depth)
        self._cell = cell_frames(sample_rate_hz)
        self._before = LONGEST_CELLS * self._cell
        self._remembered = round(WINDOW_S * sample_rate_hz) // self._cell
        self._episodes = [
            Episodes("flat_tops", c, sample_rate_hz, None, close_after_s=WINDOW_S)
            for c in range(channels)
        ]
        self._ceilings = Ceilings(channels, self._remembered * self._cell, self._cell)
        self._kept: Samples = np.zeros((channels, self._before), np.float32)
        self._peaks = np.zeros((2, channels, self._remembered), np.float32)
        """Largest samples of the cells of the last 3 s, upwards and downwards."""
        self._told_db = [0.0] * channels
        self._limits = np.full(channels, READ_LIMIT)
        self._group_left = 0
        """Cells until it is asked anew which episodes are open."""

    def hear(self, hop: Hop) -> None:
        """Look at every cell that the hop finishes."""
        if not hop.follows:
            self._kept = np.zeros((len(self._kept), self._before), np.float32)
            self._peaks = np.zeros_like(self._peaks)
            self._group_left = 0
        rows = np.concatenate([self._kept, hop.samples], axis=1)
        start = hop.end - rows.shape[1]
        cells = max(0, rows.shape[1] - self._before - SHOULDER) // self._cell
        if cells:
            self._scan(rows, start, cells)
        self._kept = rows[:, cells * self._cell :].copy()
        self._advance(start + cells * self._cell)

    def _advance(self, tick: int) -> None:
        for episodes in self._episodes:
            if episodes.is_open:
                episodes.advance(tick)

    def _scan(self, rows: Samples, start: int, cells: int) -> None:
        shape = (len(rows), cells, self._cell)
        split = rows[:, self._before : self._before + cells * self._cell].reshape(shape)
        peaks = np.concatenate(
            [self._peaks, np.stack([split.max(axis=2), -split.min(axis=2)])], axis=2
        )
        ceilings = largest_lately(peaks[:, :, -cells - LOOK_BACK :])
        near = peaks[:, :, -cells:] >= NEAR * ceilings
        suspect = (ceilings >= FLOOR) & (ceilings < self._full_scale) & near
        self._peaks = peaks[:, :, cells:]
        thresholds = np.where(suspect, NEAR * ceilings, 0)
        thresholds[~self._hold_three(rows, thresholds)] = 0
        first = 0
        while first < cells:
            if not self._group_left:
                self._ask_what_is_open(start + first * self._cell)
            count = min(self._group_left, cells - first)
            self._group_left -= count
            until = first + count
            if thresholds[:, :, first:until].any():
                self._read(
                    rows[:, first * self._cell :],
                    thresholds[:, :, first:until],
                    peaks[:, :, first : until + self._remembered],
                    start + first * self._cell,
                )
            first = until

    def _hold_three(self, rows: Samples, thresholds: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say in which cells three samples in a row reach a threshold over 0: in noise, hardly any.

        It spares the fixed cost of reading a group.
        """
        side, channel, cell = np.nonzero(thresholds)
        ends = sliding_window_view(
            rows[:, self._before - FLAT_SAMPLES + 1 :], self._cell + FLAT_SAMPLES - 1, axis=1
        )
        signs = np.where(side == 0, np.float32(1), np.float32(-1))
        over = ends[channel, cell * self._cell] * signs[:, None]
        reach = over >= thresholds[side, channel, cell][:, None]
        found = np.zeros(thresholds.shape, np.bool_)
        found[side, channel, cell] = (reach[:, 2:] & reach[:, 1:-1] & reach[:, :-2]).any(axis=1)
        return found

    def _ask_what_is_open(self, tick: int) -> None:
        self._advance(tick)
        self._group_left = GROUP
        is_open = [one.is_open for one in self._episodes]
        self._limits = np.where(is_open, READ_OPEN_LIMIT, READ_LIMIT)

    def _read(
        self,
        rows: Samples,
        thresholds: NDArray[np.float32],
        peaks: NDArray[np.float32],
        start: int,
    ) -> None:
        """Judge the excursions whose last sample lies in some cells.

        ``thresholds``: what they reach there, or 0, (2, channels, cells). ``rows``: from tick
        ``start`` on, the longest excursion before the first of the cells.
        """
        side, channel, cell = np.nonzero(thresholds)
        suspects = Suspects(
            channel=channel,
            first=cell * self._cell,
            sign=np.where(side == 0, np.float32(1), np.float32(-1)),
            threshold=thresholds[side, channel, cell],
            limit=self._limits[channel],
        )
        found = find_excursions(rows, suspects, self._before, self._cell)
        if not len(found.end):
            return
        tops = measure_tops(rows, suspects, found, self._before + self._cell)
        of = found.suspect
        order = np.lexsort((found.end, channel[of]))
        judged = Judged(
            channel=channel[of][order],
            start=start + np.where(tops.flat, tops.first, found.end)[order],
            end=start + np.where(tops.flat, tops.last, found.end)[order],
            side=side[of][order],
            level=np.where(tops.flat, tops.level, tops.peak)[order],
            range=tops.range[order],
            flat=tops.flat[order],
            cell=cell[of][order],
        )
        clipped = self._ceilings.add(judged, peaks, start + self._before)
        self._tell(judged, clipped)

    def _tell(self, judged: Judged, clipped: Clipped) -> None:
        """Count the excursions, and those before them where they open an episode."""
        levels_db = np.maximum(-20 * np.log10(judged.level[clipped.which]), 0).round(1)
        channels = judged.channel[clipped.which]
        starts, ends = judged.start[clipped.which], judged.end[clipped.which]
        each = zip(
            channels.tolist(), levels_db.tolist(), starts.tolist(), ends.tolist(), strict=True
        )
        for i, (channel, level_db, start, end) in enumerate(each):
            episodes = self._episodes[channel]
            if episodes.detail is None or self._told_db[channel] != level_db:
                self._told_db[channel] = level_db
                sign = "−" if level_db else ""
                episodes.detail = f"below full scale, about {sign}{level_db:.1f} dBFS"
            if episodes.is_open:
                episodes.fault(start, end)
                continue
            alike = clipped.alike[i]
            for one, until in zip(clipped.starts[i, alike], clipped.ends[i, alike], strict=True):
                episodes.fault(int(one), int(until))

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
