"""The harmonics of one mains together: what is too weak line by line, or stands there by chance.

Hum is a series: lines at whole multiples of one frequency near 50 or 60 Hz. Power over noise is
summed along that fundamental; a line counts no more than CAPPED, so that one strong tone is no
series and many weak lines are. A series stands when it is clear in three looks at one frequency,
its lines have nothing like them beside, the other mains' lines have no peaks at all (music has),
and together they keep their level.
docs/decisions/0157-hum-is-a-series.md
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound_faults.hum_lines import (
    FLOOR_RMS,
    GRID_SHARE,
    HARMONICS,
    LINES_HZ,
    LOBE_HZ,
    MAINS_HZ,
    OFFSETS_HZ,
    STEP_HZ,
    WINDOW,
    Complex,
    Flags,
    Look,
    may_differ,
    quarters_of,
)

CAPPED: Final = 16.0  # power over noise of one line: two at least must take part
CAPPED_SLOW: Final = 8.0  # in the mean of four spectra
CLEAR: Final = 30.0  # of the lines' sum, three looks in a row; 29 was the most without hum
CLEAR_SLOW: Final = 20.0  # of the mean of four spectra; 19 was the most
BACKS: Final = 28 / 30  # of it in one look makes a line that is clear by itself one of the mains
LOOKS: Final = 3  # over 1 s
ALONE: Final = 1.5  # over all else within 2 Hz of a line, power, or the line proves nothing
PEAK: Final = 0.5  # of the highest there: the slope of a tone beside is no line
PROOF: Final = 2 / 3  # of CLEAR in lines that stand alone
SHOWN: Final = 4.0  # a line of a series that is surely there
SAME_STEPS: Final = 2
MUSIC: Final = 1 / 3  # of CLEAR: a peak in the spectrum of a line that only the other mains has
MUSIC_SLOW: Final = 5.0  # the same in the mean of four spectra; two lines of noise never pass it
MUSIC_LINES: Final = 2
LEVEL_CAPPED: Final = 100.0  # what one line counts in the level of all
FINE_HZ: Final = 0.02  # of the fundamental; the sixth line then moves by one step of the spectrum

FUNDAMENTAL_HZ: Final = np.arange(-6, 7) * FINE_HZ
"""Offsets of the fundamental: what a grid keeps, GRID_SHARE of 60 Hz."""
assert FUNDAMENTAL_HZ[-1] <= GRID_SHARE * max(MAINS_HZ) + FINE_HZ / 10
ORDER: Final = np.arange(1, HARMONICS + 1)
LINES: Final = np.array([np.searchsorted(LINES_HZ, mains * ORDER) for mains in MAINS_HZ])
"""Which line is which harmonic, (mains, HARMONICS)."""
OTHERS: Final = [np.setdiff1d(LINES[1 - mains], LINES[mains]) for mains in (0, 1)]
"""The lines that only the other mains has."""
AT: Final = np.rint((ORDER[:, None] * FUNDAMENTAL_HZ - OFFSETS_HZ[0]) / STEP_HZ).astype(np.intp)
"""Where in a line's spectrum each fundamental has its harmonic, (HARMONICS, fundamentals)."""
FLAT: Final = LINES[:, :, None] * len(OFFSETS_HZ) + AT
"""The same in a channel's spectra laid end to end, (mains, HARMONICS, fundamentals)."""


def series_of(
    over: NDArray[np.float32], capped: float
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the clearest series of each channel and mains: its sum, and which fundamental.

    ``over``: power over noise, (channels, lines, offsets). Both results: (channels, mains).
    """
    sums = np.minimum(over.reshape(len(over), -1).take(FLAT, axis=1), np.float32(capped)).sum(
        axis=2
    )
    best = sums.argmax(axis=-1)
    return np.take_along_axis(sums, best[..., None], -1)[..., 0], best


def is_music(over: NDArray[np.float32], clear: float) -> Flags:
    """Say where the other mains' lines have peaks beside them too, (channels, mains).

    Nobody's hum has them; music, and a sound that comes again and again, has peaks everywhere.
    """
    peaks = over.max(axis=-1) > clear
    return np.stack([peaks[:, lines].sum(axis=1) >= MUSIC_LINES for lines in OTHERS], axis=1)


def mean_of(looks: Sequence[Look]) -> Look:
    """Return the mean of looks: power over noise, and amplitude as the root of mean squares."""
    over = np.stack([look.over for look in looks]).mean(axis=0)
    rms = np.sqrt(np.square(np.stack([look.rms for look in looks])).mean(axis=0))
    return Look(over=over, rms=rms)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesLines:
    """The lines of a standing series that show: which, how far off, how loud, over the noise."""

    lines: NDArray[np.intp]
    offset_hz: NDArray[np.float64]
    rms: NDArray[np.float32]
    over: NDArray[np.float32]


class Standing:
    """The series of every channel in one kind of spectra, look after look."""

    def __init__(self, channels: int, clear: float, capped: float, windows: int) -> None:
        self._clear, self._capped = clear, capped
        self._music = MUSIC * clear if windows == 1 else MUSIC_SLOW
        self._frames = windows * WINDOW
        self._streak = np.zeros((channels, len(MAINS_HZ)), np.intp)
        self._best = np.zeros_like(self._streak)
        self._sums = np.zeros(self._streak.shape, np.float32)

    def take(self, look: Look, longer: Look | None = None) -> None:
        """Take the next look; what a ``longer`` one shows to be music is none here either."""
        self._look = look
        self._sums, best = series_of(look.over, self._capped)
        worth = np.flatnonzero((self._sums >= BACKS * self._clear).any(axis=1))
        if len(worth):
            music = is_music(look.over[worth], self._music)
            if longer is not None:
                music |= is_music(longer.over[worth], MUSIC_SLOW)
            self._sums[worth] *= ~music
        same = np.abs(best - self._best) <= SAME_STEPS
        self._streak = np.where(self._sums >= self._clear, np.where(same, self._streak, 0) + 1, 0)
        self._best = best

    def stand(self) -> Flags:
        """Return on which channels a series was clear for long enough, (channels,)."""
        return np.asarray((self._streak >= LOOKS).any(axis=1))

    def backs(self, channel: int, line: int, offset_hz: float) -> bool:
        """Say whether the other harmonics of this line's mains show where it says they are."""
        for mains, order in np.argwhere(np.equal(LINES, line)):
            fundamental_hz = FUNDAMENTAL_HZ[self._best[channel, mains]]
            off_hz = abs(fundamental_hz * ORDER[order] - offset_hz)
            near = off_hz <= STEP_HZ + FINE_HZ * ORDER[order]
            if near and self._sums[channel, mains] >= BACKS * self._clear:
                return True
        return False

    def proven(self, channel: int, values: Complex, frame_rate_hz: float) -> Iterator[SeriesLines]:
        """Yield a channel's series that stand alone and keep their level.

        ``values``: the channel's, (lines, frames), the newest last.
        """
        for mains in np.flatnonzero(self._streak[channel] >= LOOKS).tolist():
            at, lines = AT[:, self._best[channel, mains]], LINES[mains]
            over, rms = self._look.over[channel, lines, at], self._look.rms[channel, lines, at]
            alone = _stand_alone(self._look.over[channel, lines], at)
            if np.minimum(over[alone], self._capped).sum() < PROOF * self._clear:
                continue
            there = over >= SHOWN
            found = SeriesLines(
                lines=lines[there],
                offset_hz=OFFSETS_HZ[at[there]],
                rms=rms[there],
                over=over[there],
            )
            loud = found.rms.max(initial=0.0) > FLOOR_RMS
            if loud and _keeps_level(values[found.lines, -self._frames :], found, frame_rate_hz):
                yield found


def _stand_alone(over: NDArray[np.float32], at: NDArray[np.intp]) -> Flags:
    """Say of lines whether they are peaks and have nothing like them within 2 Hz."""
    beside = np.abs(OFFSETS_HZ - OFFSETS_HZ[at][:, None]) > LOBE_HZ
    lines = np.take_along_axis(over, at[:, None], -1)[:, 0]
    peaks = lines >= PEAK * (over * ~beside).max(axis=-1)
    return np.asarray(peaks & (lines >= ALONE * (over * beside).max(axis=-1)))


def _keeps_level(values: Complex, found: SeriesLines, frame_rate_hz: float) -> bool:
    """Say whether the lines together have the same level in every quarter of the time."""
    quarters, stay = quarters_of(values, found.offset_hz, frame_rate_hz)
    counts = np.minimum(found.over, np.float32(LEVEL_CAPPED))
    level = counts @ quarters / counts.sum()
    return bool(stay.all() and np.abs(level - 1).max() < may_differ(counts.sum()))
