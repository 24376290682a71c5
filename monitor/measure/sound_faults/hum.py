"""Mains hum: lines of 50 or 60 Hz and its harmonics, however deep under speech.

Hum is the one sound on a set that is exactly steady: in frequency and, unlike a note or a voice,
in level through every pause. Half a second of the decimated sound at a time is turned to each of
eleven lines (six harmonics of both mains). Over five seconds of such values a spectrum with 0.2 Hz
resolution tells a line from the noise around it; values louder than the quiet quarter, which speech
is in, count the less the louder they are. A line is taken for hum when it stands out, alone within
2 Hz, keeps its level in every quarter of the time, and stays at its frequency over five looks, half
a second apart. What is too weak for that is looked for in the mean of four spectra, over 20 s.

Harmonics of one mains are looked for together too (``hum_series``). A line on a grid's frequency
counts with its series behind it, after 7 s; a clear 50 or 60 Hz alone at once, a weak one, 100 or
120 Hz after 18 s, if a spectrum of all that time has it on the grid and alone; other lines alone
are notes. Off the grid, as of a generator, two lines must
agree for 18 s.
docs/decisions/0157-hum-is-a-series.md
docs/decisions/0128-one-line-alone-may-be-a-note.md
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, StepPhase
from monitor.measure.sound.hops import Samples
from monitor.measure.sound_faults import hum_series
from monitor.measure.sound_faults.hum_lines import (
    FLOOR_RMS,
    LINES_HZ,
    MAINS_HZ,
    OF_MAINS,
    OFFSETS_HZ,
    STEP_HZ,
    UNDER,
    VARIES,
    WINDOW,
    Complex,
    Flags,
    Look,
    Turning,
    began,
    has_second,
    is_lone_fundamental,
    keeps_level,
    look_at,
    on_grid,
    peaks_of,
    stands_alone,
    stands_alone_for_long,
    turning,
)
from monitor.measure.sound_faults.hum_series import Standing, mean_of

Seconds = NDArray[np.float64]

WINDOWS: Final = 4  # of the slow way: 20 s
LOOK_FRAMES: Final = 4  # between looks
LOOKS: Final = 5  # in a row, over 2 s
CLEAR: Final = 20.0  # line over noise, power; noise alone passes it once in 1e6 spectra
CLEAR_SLOW: Final = 6.5  # mean of four: nearly as rare
THERE: Final = 1.5  # in each of the four
ALONE_SLOW: Final = 2.0  # over all else within 2 Hz; the highest of noise is 2.3 of 6.5
SERIES_S: Final = 7.0  # harmonics together; a recording that hums lasts 6 s
LONE_S: Final = 18.0  # a weak fundamental without a second line; a generator
LEAST_SLOW: Final = 0.3  # between the four windows
TRACED_S: Final = 3.0  # second by second; a recording played on set hums in its words only
SAME_HZ: Final = 0.25  # a frequency may be found this far off from look to look
GONE_S: Final = 12.0  # without a line: speech or music may cover it for so long
HIGHER_DB: Final = 1.0  # an episode that got worse by less is not told anew


@dataclass(slots=True, kw_only=True)
class _Episode:
    """Hum on one channel while it lasts."""

    start: int
    seen: int
    worst_dbfs: float
    worst_tick: int
    told_dbfs: float
    detail: str


@dataclass(slots=True, kw_only=True)
class _Found:
    """What one look found: per channel and line whether there is hum, and where and how loud."""

    there: Flags
    offset_hz: NDArray[np.float64]
    rms: NDArray[np.float32]
    over: NDArray[np.float32]
    spectra: NDArray[np.float32]


@dataclass(slots=True)
class Hum:
    """Hum of every channel, fed with decimated sound; times are ticks of the undecimated."""

    channels: int
    rate_hz: float
    factor: int
    steps: list[Detection] = field(default_factory=list)
    _tables: Turning = field(init=False)
    _kept: Samples = field(init=False)
    _tick: int = 0
    _frames: int = 0
    _values: Complex = field(init=False)
    _looks: deque[Look] = field(init=False)
    _streak: NDArray[np.intp] = field(init=False)
    _last_hz: NDArray[np.float64] = field(init=False)
    _series: list[Standing] = field(init=False)
    """In the newest spectra, and in the mean of four."""
    _open: dict[int, _Episode] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the tables and begin with no memory."""
        self._tables = turning(self.rate_hz)
        self.restart()

    def restart(self) -> None:
        """Forget what was heard; episodes stay open: hum goes on through a hole."""
        lines = len(LINES_HZ)
        self._kept = np.zeros((self.channels, 0), np.float32)
        self._frames = 0
        self._values = np.zeros((self.channels, lines, WINDOW * WINDOWS), np.complex64)
        self._looks = deque(maxlen=(WINDOWS - 1) * WINDOW // LOOK_FRAMES + 1)
        self._streak = np.zeros((self.channels, lines), np.intp)
        self._last_hz = np.zeros((self.channels, lines))
        self._series = [
            Standing(self.channels, hum_series.CLEAR, hum_series.CAPPED, 1),
            Standing(self.channels, hum_series.CLEAR_SLOW, hum_series.CAPPED_SLOW, WINDOWS),
        ]

    def feed(self, tick: int, values: Samples) -> None:
        """Take decimated sound, (channels, n), whose first value stands for ``tick``."""
        if not self._kept.shape[1]:
            self._tick = tick
        kept = np.concatenate([self._kept, values], axis=1)
        while kept.shape[1] >= self._tables.frame:
            count = (kept.shape[1] - self._tables.frame) // self._tables.step + 1
            count = min(count, LOOK_FRAMES - self._frames % LOOK_FRAMES)
            self._turn(kept, count)
            kept = kept[:, count * self._tables.step :]
            self._tick += count * self._tables.step * self.factor
            self._frames += count
            if self._frames % LOOK_FRAMES == 0 and self._frames >= WINDOW:
                self._look()
        self._kept = kept.copy()

    def _turn(self, kept: Samples, count: int) -> None:
        """Append the values of the next frames; phases are those of the stream's own time."""
        tables = self._tables
        starts = range(0, count * tables.step, tables.step)
        cut = np.stack([kept[:, at : at + tables.frame] for at in starts], axis=1)
        parts = cut @ tables.waves
        lines = len(LINES_HZ)
        values = parts[..., :lines] + 1j * parts[..., lines:]
        at_s = (self._frames + np.arange(count)) / tables.frame_rate_hz
        values *= np.exp(-2j * np.pi * (at_s[:, None] * LINES_HZ % 1.0)).astype(np.complex64)
        self._values = np.concatenate(
            [self._values[..., count:], values.transpose(0, 2, 1)], axis=2
        )

    def _look(self) -> None:
        self._looks.append(look_at(self._values[..., -WINDOW:], self._tables))
        found = self._find()
        same = np.abs(found.offset_hz - self._last_hz) <= SAME_HZ
        self._streak = np.where(found.there, np.where(same, self._streak, 0) + 1, 0)
        self._last_hz = found.offset_hz
        humming = self._streak >= LOOKS
        worth = humming.any(axis=1)
        for series in self._series:
            worth |= series.stand()
        for channel in np.flatnonzero(worth).tolist():
            traced_s = self._mains_lines(channel, humming[channel], found)
            if traced_s.min() > SERIES_S:
                self._add_series(channel, traced_s, found)
            if np.isfinite(traced_s).any():
                self._heard(channel, traced_s, found)
        now = self._end_tick()
        for channel, episode in list(self._open.items()):
            if now - episode.seen > GONE_S * self.rate_hz * self.factor:
                self._close(channel)

    def _mains_lines(self, channel: int, humming: Flags, found: _Found) -> Seconds:
        """Return for how long each line must be traced back to be hum; infinite where it is not."""
        traced_s = np.full(len(humming), np.inf)
        for line in np.flatnonzero(humming).tolist():
            at = line, float(found.offset_hz[channel, line]), float(found.over[channel, line])
            if is_lone_fundamental(*at):
                traced_s[line] = TRACED_S
            elif not on_grid(*at):
                second = has_second(found.spectra[channel], humming, *at)
                traced_s[line] = LONE_S if second else np.inf
            elif any(series.backs(channel, *at[:2]) for series in self._series):
                traced_s[line] = SERIES_S
            elif LINES_HZ[line] <= 2 * max(MAINS_HZ):  # 100 and 120 Hz: rectifiers
                traced_s[line] = LONE_S if self._lone(channel, line) else np.inf
        return traced_s

    def _lone(self, channel: int, line: int) -> bool:
        """Say whether a line stands alone on the grid in all that is known, 18 to 20 s."""
        known = min(self._frames, WINDOW * WINDOWS)
        if known < LONE_S * self._tables.frame_rate_hz:
            return False
        values = self._values[channel, line, -known:]
        return stands_alone_for_long(values, line, self._tables.frame_rate_hz)

    def _add_series(self, channel: int, traced_s: Seconds, found: _Found) -> None:
        """Add the lines of the channel's series; the newest spectra's, if they show one."""
        values, rate_hz = self._values[channel], self._tables.frame_rate_hz
        for series in self._series:
            for shown in series.proven(channel, values, rate_hz):
                traced_s[shown.lines] = np.minimum(traced_s[shown.lines], SERIES_S)
                found.offset_hz[channel, shown.lines] = shown.offset_hz
                found.rms[channel, shown.lines] = shown.rms
                found.over[channel, shown.lines] = shown.over
            if np.isfinite(traced_s).any():
                return

    def _find(self) -> _Found:
        """Look for lines in the newest window, and in the mean of the last four."""
        newest = self._looks[-1]
        four = list(self._looks)[:: WINDOW // LOOK_FRAMES]
        mean = mean_of(four) if len(four) == WINDOWS else None
        self._series[0].take(newest, mean)
        found = self._steady(newest.over, newest.rms, CLEAR)
        rows = np.nonzero(found.there)
        if len(rows[0]):
            values = self._values[..., -WINDOW:][rows]
            offsets = found.offset_hz[rows]
            overs = found.over[rows]
            steady = keeps_level(values, offsets, overs, self._tables.frame_rate_hz)
            found.there[rows] = steady & stands_alone(newest.over[rows], offsets)
        if mean is not None:
            self._find_slow(found, four, mean)
        return found

    def _steady(self, over: NDArray[np.float32], rms: NDArray[np.float32], clear: float) -> _Found:
        """Return each line's peak, and whether it is clear and loud enough."""
        peak, offset_hz, is_peak = peaks_of(over)
        highest = np.take_along_axis(over, peak[..., None], -1)[..., 0]
        level = np.take_along_axis(rms, peak[..., None], -1)[..., 0]
        return _Found(
            there=is_peak & (highest > clear) & (level > FLOOR_RMS),
            offset_hz=offset_hz,
            rms=level,
            over=highest,
            spectra=over,
        )

    def _find_slow(self, found: _Found, four: list[Look], mean: Look) -> None:
        """Add lines that only the mean of four windows shows."""
        self._series[1].take(mean)
        slow = self._steady(mean.over, mean.rms, CLEAR_SLOW)
        slow.there &= ~found.there
        channel, line = np.nonzero(slow.there)
        if not len(channel):
            return
        peak = np.rint((slow.offset_hz[channel, line] - OFFSETS_HZ[0]) / STEP_HZ).astype(np.intp)
        levels = np.stack([look.rms[channel, line, peak] for look in four])
        overs = np.stack([look.over[channel, line, peak] for look in four])
        lowest = np.quantile(np.abs(self._values[channel, line]), 0.1, axis=-1)
        good = (overs.min(axis=0) > THERE) & (levels.min(axis=0) > LEAST_SLOW * levels.max(axis=0))
        good &= lowest > UNDER * slow.rms[channel, line]
        good &= stands_alone(mean.over[channel, line], slow.offset_hz[channel, line], ALONE_SLOW)
        spread = levels.max(axis=0) - levels.min(axis=0)
        explained = 4 * np.sqrt(0.5 / slow.over[channel, line])
        good &= spread < (2 * VARIES + explained) * slow.rms[channel, line]
        at = channel[good], line[good]
        found.there[at] = True
        found.offset_hz[at], found.rms[at] = slow.offset_hz[at], slow.rms[at]
        found.over[at] = WINDOWS * slow.over[at]  # four know the frequency twice as well

    def _end_tick(self) -> int:
        """Return the tick at which the newest frame ends."""
        overlap = self._tables.frame - self._tables.step
        return self._tick + overlap * self.factor

    def _heard(self, channel: int, traced_s: Seconds, found: _Found) -> None:
        """Open, lengthen or worsen the channel's episode."""
        humming = np.isfinite(traced_s)
        rms = np.where(humming, found.rms[channel], 0.0)
        evidence = OF_MAINS @ np.where(humming, found.over[channel], 0.0)
        lines = humming & OF_MAINS[int(evidence.argmax())]
        strongest = int(np.where(lines, rms, 0.0).argmax())
        level = float(20 * np.log10(np.sqrt((rms[lines] ** 2).sum())))
        now = self._end_tick()
        episode = self._open.get(channel)
        mains = MAINS_HZ[int(evidence.argmax())]
        detail = _words(mains, strongest, float(found.offset_hz[channel, strongest]))
        if episode is None:
            start = self._start(channel, strongest, float(found.offset_hz[channel, strongest]))
            if now - start < traced_s[lines].min() * self.rate_hz * self.factor:
                return
            episode = self._open[channel] = _Episode(
                start=start,
                seen=now,
                worst_dbfs=level,
                worst_tick=now,
                told_dbfs=level,
                detail=detail,
            )
            self._tell("open", channel)
        episode.seen = now
        if level > episode.worst_dbfs:
            episode.worst_dbfs, episode.worst_tick, episode.detail = level, now, detail
        if episode.worst_dbfs >= episode.told_dbfs + HIGHER_DB:
            episode.told_dbfs = episode.worst_dbfs
            self._tell("update", channel)

    def _start(self, channel: int, line: int, offset_hz: float) -> int:
        """Return the tick since when the line has been there without a break."""
        known = self._values[channel, line, -min(self._frames, WINDOW * WINDOWS) :]
        frames = len(known) - began(known, offset_hz, self._tables.frame_rate_hz)
        overlap = self._tables.frame - self._tables.step
        return self._end_tick() - (frames * self._tables.step + overlap) * self.factor

    def _close(self, channel: int) -> None:
        self._tell("close", channel)
        del self._open[channel]

    def finish(self) -> None:
        """Close open episodes."""
        for channel in list(self._open):
            self._close(channel)

    def _tell(self, phase: StepPhase, channel: int) -> None:
        episode = self._open[channel]
        self.steps.append(
            Detection(
                detector="hum",
                key=f"hum-{channel}-{episode.start}",
                phase=phase,
                start=episode.start,
                end=episode.seen if phase == "close" else None,
                channels=(channel,),
                worst=episode.worst_dbfs,
                worst_tick=episode.worst_tick,
                unit="dBFS",
                detail=episode.detail,
            )
        )


def _words(mains: float, strongest: int, offset_hz: float) -> str:
    order = round(LINES_HZ[strongest] / mains)
    exact = (LINES_HZ[strongest] + offset_hz) / order
    shown = f"{exact:.1f}" if abs(exact - mains) > 0.15 else f"{mains:.0f}"
    return f"{shown} Hz, strongest at {LINES_HZ[strongest]:.0f} Hz"
