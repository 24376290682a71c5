"""What tells one microphone's chain from another's: its noise from 3.2 to 18 kHz between words.

Capsule, transmitter, preamplifier and gain hiss at a level and with a slope of their own, steady
to tenths of a decibel over a day, while below 3 kHz the room and the voices decide. A frame of
21 ms is looked at five times a second. Of the power in a band over a window, the mean of the
5th to 25th percentile is the level, and the distance of the 5th to the 35th how sure it is: where
voices or the room fill the pauses it is wide.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop

EDGES_HZ: Final = tuple(3200.0 * 2 ** (half / 2) for half in range(6))  # half octaves
TOP: Final = 0.45  # of the sample rate: above it converters' filters decide
FRAME_S: Final = 0.0214  # 1024 samples at 48 kHz
STEP_S: Final = 0.2
LOW, HIGH, WIDE = 0.05, 0.25, 0.35
FLOOR: Final = 1e-15  # -150 dB: digital silence says nothing of a microphone

Powers = NDArray[np.float64]


class NoiseFrames:
    """A frame of every channel five times a second, as powers in bands."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self.length = round(FRAME_S * sample_rate_hz) // 2 * 2
        self.step = round(STEP_S * sample_rate_hz)
        edges = [hz for hz in EDGES_HZ if hz <= TOP * sample_rate_hz]
        self.bands = max(0, len(edges) - 1)
        bins = [round(hz * self.length / sample_rate_hz) for hz in edges]
        self._bins = slice(bins[0], bins[-1]) if self.bands else slice(0)
        self._starts = [at - bins[0] for at in bins[:-1]]
        self._window = np.hanning(self.length).astype(np.float32)
        self._scale = 2.0 / (self.length * float((self._window**2).sum()))
        self._frame: Samples = np.zeros((channels, self.length), np.float32)
        self._phase = 0
        """Samples since the beginning of a step."""

    def hear(self, hop: Hop) -> list[tuple[int, Powers]]:
        """Take the next hop; return each frame it ends: its last tick, (channels, bands)."""
        if not hop.follows:
            self._phase = 0
        found, at, samples = [], 0, hop.samples
        while at < hop.frames:
            if self._phase < self.length:
                count = min(self.length - self._phase, hop.frames - at)
                self._frame[:, self._phase : self._phase + count] = samples[:, at : at + count]
                if self._phase + count == self.length:
                    found.append((hop.start + at + count, self._powers()))
            else:
                count = min(self.step - self._phase, hop.frames - at)
            at, self._phase = at + count, (self._phase + count) % self.step
        return found

    def _powers(self) -> Powers:
        bins = np.fft.rfft(self._frame * self._window)[:, self._bins]
        squares = bins.real**2 + bins.imag**2
        return np.add.reduceat(squares.astype(np.float64), self._starts, axis=1) * self._scale


def signature(frames: Powers) -> Powers:
    """Return level and spread in dB, (channels, bands, 2), of (frames, channels, bands).

    NaN where a channel is digitally silent in its pauses.
    """
    ranked, count = np.sort(frames, axis=0), len(frames)
    low, high, wide = (int(share * count) for share in (LOW, HIGH, WIDE))
    level = ranked[low : high + 1].mean(axis=0)
    known = ranked[low] > FLOOR
    kept = np.where(known, [level, ranked[low], ranked[wide]], 1.0)
    decibels = 10.0 * np.log10(kept)
    found = np.stack([decibels[0], decibels[2] - decibels[1]], axis=-1)
    return np.where(known[..., None], found, np.nan)


def own_spread(bands: int) -> Powers:
    """Return the spread of steady noise in dB, (bands,): of fewer bins, wider."""
    return np.array([1.5, 1.2, 1.0, 0.85, 0.7][:bands])
