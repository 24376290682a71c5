"""Wind and handling rumble: noise below 80 Hz that comes over one microphone and stays.

The level between 12 and 80 Hz is taken eight times a second and judged four times; voices begin
above it. Its median over two seconds leaves knocks, steps and doors out: they fill less than half.
Rumble is a median far over the microphone's own usual one, and further over it than the other
microphones are over theirs: a lorry is heard by all of them, a gust and a hand are not. Where all
are blown at, the level alone decides.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, StepPhase
from monitor.measure.sound.hops import Samples

FRAMES_PER_S: Final = 8
FRAME_S: Final = 0.25
BAND_HZ: Final = (12.0, 80.0)
MEDIAN_FRAMES: Final = 16  # 2 s: half of it is more than any blow lasts
JUDGE_FRAMES: Final = 2
USUAL: Final = 80  # judgements, 20 s
USUAL_SHARE: Final = 0.2
KNOWN: Final = 16  # judgements; before 4 s nothing is usual yet
OVER_DB: Final = 10.0
HOLD_DB: Final = 6.0  # an episode goes on while it is this far over the others
LEAST_DBFS: Final = -50.0  # 25 dB under dialogue: a filter in post hides less
ALWAYS_DBFS: Final = -30.0  # as loud as dialogue: told whatever the others hear
FALL_DB: Final = 15.0  # under its worst: over
CALM: Final = 8  # judgements, 2 s: lulls between gusts
LONGEST: Final = 120  # judgements, 30 s: rumble that stays longer becomes usual
HIGHER_DB: Final = 3.0  # an episode that got worse by less is not told anew
TINY: Final = 1e-14

Levels = NDArray[np.float32]


def band_waves(rate_hz: float) -> NDArray[np.float32]:
    """Return (frame, 2 · bins): waves of the band under a Hann window; squares sum to the power."""
    frame = round(FRAME_S * rate_hz)
    bins = np.arange(np.ceil(BAND_HZ[0] * FRAME_S), np.floor(BAND_HZ[1] * FRAME_S) + 1)
    window = np.hanning(frame + 1)[:-1]
    window *= np.sqrt(2 / (frame * (window**2).sum()))
    turns = 2 * np.pi * bins * np.arange(frame)[:, None] / frame
    waves = np.concatenate([np.cos(turns), np.sin(turns)], axis=1) * window[:, None]
    return np.asarray(waves, np.float32)


def over_others(rise: Levels, channel: int) -> float:
    """Return how much further a channel is over its usual level than the others' median is, dB."""
    if len(rise) < 3:  # with one other microphone nobody knows which of them is right
        return float(rise[channel])
    return float(rise[channel]) - max(0.0, float(np.median(np.delete(rise, channel))))


@dataclass(slots=True, kw_only=True)
class _Episode:
    """Rumble on one channel while it lasts; ``calm`` and ``lasted`` are judgements."""

    start: int
    end: int
    worst_dbfs: float
    worst_tick: int
    told_dbfs: float
    over_db: float
    calm: int = 0
    lasted: int = 0


@dataclass(slots=True)
class Rumble:
    """Rumble of every channel, fed with decimated sound; times are ticks of the undecimated."""

    channels: int
    rate_hz: float
    factor: int
    steps: list[Detection] = field(default_factory=list)
    _waves: NDArray[np.float32] = field(init=False)
    _step: int = field(init=False)
    _kept: Samples = field(init=False)
    _tick: int = 0
    _frames: int = 0
    _recent: Levels = field(init=False)
    _usual: Levels = field(init=False)
    _open: dict[int, _Episode] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the table and begin with no memory."""
        self._waves = band_waves(self.rate_hz)
        self._step = round(self.rate_hz / FRAMES_PER_S)
        self._usual = np.full((self.channels, USUAL), np.nan, np.float32)
        self.restart()

    def restart(self) -> None:
        """Forget the last seconds; what is usual stays known through a hole."""
        self._kept = np.zeros((self.channels, 0), np.float32)
        self._recent = np.zeros((self.channels, 0), np.float32)
        self._frames = 0

    def feed(self, tick: int, values: Samples) -> None:
        """Take decimated sound, (channels, n), whose first value stands for ``tick``."""
        if not self._kept.shape[1]:
            self._tick = tick
        kept = np.concatenate([self._kept, values], axis=1)
        frame = len(self._waves)
        while kept.shape[1] >= frame:
            parts = kept[:, :frame] @ self._waves
            power = np.einsum("cn,cn->c", parts, parts)
            self._recent = np.append(
                self._recent[:, 1 - MEDIAN_FRAMES :], 10 * np.log10(power + TINY)[:, None], axis=1
            )
            kept = kept[:, self._step :]
            self._tick += self._step * self.factor
            self._frames += 1
            if self._frames % JUDGE_FRAMES == 0 and self._frames >= MEDIAN_FRAMES:
                self._judge()
        self._kept = kept.copy()

    def _judge(self) -> None:
        levels = np.median(self._recent, axis=1)
        known = ~np.isnan(self._usual[:, -KNOWN])
        rise = np.where(known, levels - self._usual_levels(), 0)
        loud = (rise > OVER_DB) & (levels > LEAST_DBFS) | (levels > ALWAYS_DBFS)
        for channel in {*np.flatnonzero(loud).tolist(), *self._open}:
            level = float(levels[channel])
            over = np.inf if level > ALWAYS_DBFS else over_others(rise, channel)
            if loud[channel] and over > OVER_DB:
                self._heard(channel, level, float(rise[channel]))
            if channel in self._open:
                self._go_on(channel, self._open[channel], level, over)
        self._learn(levels)

    def _usual_levels(self) -> Levels:
        """Return the low quantile of each channel's known medians; NaN sorts behind."""
        known = np.maximum((~np.isnan(self._usual)).sum(axis=1) - 1, 0)
        rank = (known * USUAL_SHARE).astype(np.intp)
        return np.asarray(np.sort(self._usual, axis=1)[np.arange(self.channels), rank])

    def _learn(self, levels: Levels) -> None:
        """Take the medians as usual, but not those of rumble."""
        calm = np.ones(self.channels, np.bool_)
        for channel, episode in self._open.items():
            calm[channel] = episode.lasted > LONGEST
        self._usual[calm] = np.append(self._usual[calm, 1:], levels[calm, None], axis=1)

    def _frame_tick(self, back: int) -> int:
        """Return the tick at which the frame ``back`` frames before the next one begins."""
        return self._tick - back * self._step * self.factor

    def _heard(self, channel: int, level: float, rise: float) -> None:
        now = self._frame_tick(0)
        episode = self._open.get(channel)
        if episode is None:
            over = np.flatnonzero(self._recent[channel] > level - HOLD_DB)
            start = self._frame_tick(MEDIAN_FRAMES - int(over[0]))
            episode = self._open[channel] = _Episode(
                start=start,
                end=now,
                worst_dbfs=level,
                worst_tick=now,
                told_dbfs=level,
                over_db=rise,
            )
            self._tell("open", channel)
        if level > episode.worst_dbfs:
            episode.worst_dbfs, episode.worst_tick, episode.over_db = level, now, rise
        if episode.worst_dbfs > episode.told_dbfs + HIGHER_DB:
            episode.told_dbfs = episode.worst_dbfs
            self._tell("update", channel)

    def _go_on(self, channel: int, episode: _Episode, level: float, over: float) -> None:
        episode.lasted += 1
        least = max(LEAST_DBFS, episode.worst_dbfs - FALL_DB)
        if over > HOLD_DB and level > least:
            episode.calm = 0
            loud = np.flatnonzero(self._recent[channel] > least)
            newest = self._frame_tick(MEDIAN_FRAMES - int(loud[-1]))
            episode.end = max(episode.end, newest + len(self._waves) * self.factor)
            return
        episode.calm += 1
        if episode.calm >= CALM:
            self._tell("close", channel)
            del self._open[channel]

    def finish(self) -> None:
        """Close open episodes."""
        for channel in list(self._open):
            self._tell("close", channel)
            del self._open[channel]

    def _tell(self, phase: StepPhase, channel: int) -> None:
        episode = self._open[channel]
        usual = f"{episode.over_db:.0f} dB over its usual" if episode.over_db > HOLD_DB else None
        self.steps.append(
            Detection(
                detector="rumble",
                key=f"rumble-{channel}-{episode.start}",
                phase=phase,
                start=episode.start,
                end=episode.end if phase == "close" else None,
                channels=(channel,),
                worst=episode.worst_dbfs,
                worst_tick=episode.worst_tick,
                unit="dBFS",
                detail=usual,
            )
        )
