"""Mains hum: lines of 50 or 60 Hz and its harmonics, however deep under speech.

Hum is the one sound on a set that is exactly steady: in frequency and, unlike a note or a voice,
in level through every pause. Half a second of the decimated sound at a time is turned to each of
eleven lines (six harmonics of both mains). Over five seconds of such values a spectrum with 0.2 Hz
resolution tells a line from the noise around it; values louder than the quiet quarter, which speech
is in, count the less the louder they are. A line is taken for hum when it stands out, keeps its
level in every quarter of the time, and stays at its frequency over five looks, half a second apart.
What is too weak for that is looked for in the mean of four spectra, over 20 s.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection
from monitor.measure.sound.hops import Samples

MAINS_HZ: Final = (50.0, 60.0)
HARMONICS: Final = 6  # 300 and 360 Hz: higher ones lie under speech and are not stronger
FRAMES_PER_S: Final = 8  # so often that what is 7 Hz away does not fold onto the line
FRAME_S: Final = 0.5
WINDOW: Final = 40  # frames of one spectrum, 5 s; with the looks told within 8 s
WINDOWS: Final = 4  # of the slow way: 20 s
LOOK_FRAMES: Final = 4  # between looks
LOOKS: Final = 5  # in a row, over 2 s
STEP_HZ: Final = 0.1
NEAR_HZ: Final = 2.0  # what noise is judged by
WIDE_SHARE: Final = 0.01  # of the fundamentals: a generator set is within 1 %
NARROW_SHARE: Final = 0.005  # of the others: grids are; 1 % would reach the note B at 246.9 Hz
REACH_HZ: Final = 1.0
QUIET_SHARE: Final = 0.25
SOFTEN: Final = 4.0  # noise whose quiet quarter is 1 has a mean of 3.5
CLEAR: Final = 20.0  # line over noise, power; noise alone passes it once in 1e6 spectra
CLEAR_SLOW: Final = 6.5  # mean of four: nearly as rare
THERE: Final = 1.5  # in each of the four
LEAST: Final = 0.4  # of the line's mean amplitude, in every quarter of a window
MOST: Final = 1.6
LEAST_SLOW: Final = 0.3  # between the four windows
UNDER: Final = 0.45  # least |value| that a steady line leaves, against its amplitude
FLOOR_DBFS: Final = -80.0  # nobody hears it under any room; one harmonic
TRACED_S: Final = 3.0  # second by second; a recording played on set hums in its words only
SAME_HZ: Final = 0.25  # a frequency may be found this far off from look to look
GONE_S: Final = 12.0  # without a line: speech or music may cover it for so long
HIGHER_DB: Final = 1.0  # an episode that got worse by less is not told anew

Complex = NDArray[np.complex64]
Flags = NDArray[np.bool_]


def line_table() -> NDArray[np.float64]:
    """Return the lines' frequencies, ascending, each once."""
    return np.unique([mains * order for mains in MAINS_HZ for order in range(1, HARMONICS + 1)])


LINES_HZ: Final = line_table()
SPAN_HZ: Final = np.minimum(
    LINES_HZ * np.where(max(MAINS_HZ) >= LINES_HZ, WIDE_SHARE, NARROW_SHARE), REACH_HZ
)
OFFSETS_HZ: Final = np.arange(-round(NEAR_HZ / STEP_HZ), round(NEAR_HZ / STEP_HZ) + 1) * STEP_HZ
INSIDE: Final[Flags] = np.abs(OFFSETS_HZ) <= SPAN_HZ[:, None] + STEP_HZ / 10
OF_MAINS: Final[Flags] = np.array([LINES_HZ % mains == 0.0 for mains in MAINS_HZ])


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """What turns frames into values: sizes in decimated samples, and the lines' waves."""

    frame: int
    step: int
    frame_rate_hz: float
    waves: NDArray[np.float32]
    """(frame, 2 · lines): cosines and minus sines under a Hann window; a sine gives its RMS."""
    spectrum: Complex
    """(WINDOW, offsets): a Fourier sum under a Hann window, the frame's own response undone."""


def turning(rate_hz: float) -> Turning:
    """Return the tables for a decimated rate."""
    frame, step = round(FRAME_S * rate_hz), round(rate_hz / FRAMES_PER_S)
    window = np.hanning(frame + 1)[:-1]
    window *= np.sqrt(2) / window.sum()
    time_s = np.arange(frame) / rate_hz
    wave = window[:, None] * np.exp(-2j * np.pi * time_s[:, None] * LINES_HZ)
    response = np.abs(np.exp(-2j * np.pi * OFFSETS_HZ[:, None] * time_s) @ window) / np.sqrt(2)
    frame_s = np.arange(WINDOW) * step / rate_hz
    turns = np.exp(-2j * np.pi * frame_s[:, None] * OFFSETS_HZ) * taper(WINDOW)[:, None]
    return Turning(
        frame=frame,
        step=step,
        frame_rate_hz=rate_hz / step,
        waves=np.concatenate([wave.real, wave.imag], axis=1).astype(np.float32),
        spectrum=(turns / response).astype(np.complex64),
    )


def taper(size: int) -> NDArray[np.float64]:
    """Return a Hann window without its zeros: strong lines beside do not leak."""
    return np.hanning(size + 2)[1:-1]


def weights(values: Complex) -> NDArray[np.float32]:
    """Return how much each value of a row counts: little where speech is over the quiet quarter."""
    power = values.real**2 + values.imag**2
    rank = int(QUIET_SHARE * (values.shape[-1] - 1))
    quiet = np.partition(power, rank, axis=-1)[..., rank, None]
    found = 1 / (1 + power / (SOFTEN * quiet + np.float32(1e-24)))
    return found.astype(np.float32, copy=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Spectra around every line: power over noise, and amplitude in RMS, (channels, lines, n)."""

    over: NDArray[np.float32]
    rms: NDArray[np.float32]


def look_at(values: Complex, tables: Turning) -> Look:
    """Return the spectra of a window of values, (channels, lines, WINDOW)."""
    weight = weights(values)
    amplitude = np.abs((values * weight) @ tables.spectrum)
    power = amplitude**2
    middle = power.shape[-1] // 2
    # Half of exponentially distributed powers are over ln 2 of their mean.
    noise = np.partition(power, middle, axis=-1)[..., middle, None] / np.float32(np.log(2))
    over = power / np.maximum(noise, np.float32(1e-24))
    total = weight @ taper(WINDOW).astype(np.float32)
    rms = amplitude / np.maximum(total, np.float32(1e-12))[..., None]
    return Look(over=(over * INSIDE).astype(np.float32, copy=False), rms=rms.astype(np.float32))


def turned_back(values: Complex, offset_hz: NDArray[np.float64], frame_rate_hz: float) -> Complex:
    """Return rows of values without the turning of their own frequency offsets."""
    at = np.arange(values.shape[-1]) / frame_rate_hz
    turns: Complex = np.exp(-2j * np.pi * offset_hz[:, None] * at).astype(np.complex64)
    return values * turns


def keeps_level(values: Complex, offset_hz: NDArray[np.float64], frame_rate_hz: float) -> Flags:
    """Say of rows of a window whether the line's level is the same in every quarter of it.

    The quietest tenth is looked at too: a steady line leaves no value far below itself.
    """
    turned, weight = turned_back(values, offset_hz, frame_rate_hz), weights(values)
    counted = weight * taper(values.shape[-1])
    mean = (counted * turned).sum(axis=-1, keepdims=True) / counted.sum(axis=-1, keepdims=True)
    square = np.maximum(np.abs(mean) ** 2, 1e-24)
    along = (turned * mean.conj()).real / square * weight
    split = (len(values), 4, values.shape[-1] // 4)
    quarters = along.reshape(split).sum(axis=-1) / weight.reshape(split).sum(axis=-1)
    lowest = np.quantile(np.abs(values), 0.1, axis=-1)
    level = (quarters.min(axis=1) > LEAST) & (quarters.max(axis=1) < MOST)
    return np.asarray(level & (lowest > UNDER * np.abs(mean[:, 0])))


def began(values: Complex, offset_hz: float, frame_rate_hz: float) -> int:
    """Return the frame from which on a row of values holds the line, to about a second."""
    turned = turned_back(values[None], np.array([offset_hz]), frame_rate_hz)[0]
    weight = weights(values[None])[0]
    whole = len(turned) // FRAMES_PER_S * FRAMES_PER_S
    turned, weight = turned[len(turned) - whole :], weight[len(weight) - whole :]
    counted = (turned * weight).reshape(-1, FRAMES_PER_S).sum(axis=1)
    level = np.abs(counted) / weight.reshape(-1, FRAMES_PER_S).sum(axis=1)
    missing = level < 0.5 * np.median(level[-WINDOW // FRAMES_PER_S :])
    # A single second may be covered by a loud word.
    both = np.flatnonzero(missing & np.append(missing[1:], True))
    seconds = int(both[-1]) + 2 if len(both) else int(missing[0])
    return len(values) - whole + min(seconds, len(level) - 1) * FRAMES_PER_S


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
        for channel in np.flatnonzero(humming.any(axis=1)).tolist():
            self._heard(channel, humming[channel], found)
        now = self._end_tick()
        for channel, episode in list(self._open.items()):
            if now - episode.seen > GONE_S * self.rate_hz * self.factor:
                self._close(channel)

    def _find(self) -> _Found:
        """Look for lines in the newest window, and in the mean of the last four."""
        newest = self._looks[-1]
        found = self._steady(newest.over, newest.rms, CLEAR)
        rows = np.nonzero(found.there)
        if len(rows[0]):
            values = self._values[..., -WINDOW:][rows]
            offsets = found.offset_hz[rows]
            found.there[rows] = keeps_level(values, offsets, self._tables.frame_rate_hz)
        if len(self._looks) == self._looks.maxlen:
            self._find_slow(found)
        return found

    def _steady(self, over: NDArray[np.float32], rms: NDArray[np.float32], clear: float) -> _Found:
        """Return each line's peak, and whether it is clear and loud enough."""
        peak = over.argmax(axis=-1)[..., None]
        highest = np.take_along_axis(over, peak, -1)[..., 0]
        level = np.take_along_axis(rms, peak, -1)[..., 0]
        return _Found(
            there=(highest > clear) & (level > 10 ** (FLOOR_DBFS / 20)),
            offset_hz=OFFSETS_HZ[peak[..., 0]],
            rms=level,
            over=highest,
        )

    def _find_slow(self, found: _Found) -> None:
        """Add lines that only the mean of four windows shows."""
        four = list(self._looks)[:: WINDOW // LOOK_FRAMES]
        over = np.stack([look.over for look in four])
        rms = np.stack([look.rms for look in four])
        slow = self._steady(over.mean(axis=0), np.sqrt((rms**2).mean(axis=0)), CLEAR_SLOW)
        slow.there &= ~found.there
        channel, line = np.nonzero(slow.there)
        if not len(channel):
            return
        peak = np.rint((slow.offset_hz[channel, line] - OFFSETS_HZ[0]) / STEP_HZ).astype(np.intp)
        levels, overs = rms[:, channel, line, peak], over[:, channel, line, peak]
        lowest = np.quantile(np.abs(self._values[channel, line]), 0.1, axis=-1)
        good = (overs.min(axis=0) > THERE) & (levels.min(axis=0) > LEAST_SLOW * levels.max(axis=0))
        good &= lowest > UNDER * slow.rms[channel, line]
        at = channel[good], line[good]
        found.there[at] = True
        found.offset_hz[at], found.rms[at] = slow.offset_hz[at], slow.rms[at]
        found.over[at] = slow.over[at]

    def _end_tick(self) -> int:
        """Return the tick at which the newest frame ends."""
        overlap = self._tables.frame - self._tables.step
        return self._tick + overlap * self.factor

    def _heard(self, channel: int, humming: Flags, found: _Found) -> None:
        """Open, lengthen or worsen the channel's episode."""
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
            if now - start < TRACED_S * self.rate_hz * self.factor:
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

    def _tell(self, phase: str, channel: int) -> None:
        episode = self._open[channel]
        self.steps.append(
            Detection(
                detector="hum",
                key=f"hum-{channel}-{episode.start}",
                phase="open" if phase == "open" else "close" if phase == "close" else "update",
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
