"""What pairs have in common between 20 and 44 Hz, where a metre or two of distance hardly counts.

There the waves are 8 to 17 m long: whatever sounds, room tone before all, reaches both microphones
of a pair nearly in phase, however far from the speaker they stand. In a diffuse field the real part
of the coherence is sin(kd) / kd (Cook et al., 1955), 0.8 at 2 m. Of a microphone wired the wrong
way round it is negative. The median over the bins is taken: a motor's tone, which a mode of the
room may turn round, decides nothing alone.
See docs/decisions/0205-polarity-by-what-lies-under-the-voices.md.
"""

from collections import deque
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.decimation import REACH, Decimation
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop

LOW_HZ: Final = 20.0
HIGH_HZ: Final = 44.0
FRAME_S: Final = 0.5  # bins 2 Hz apart: a tone fills 4 of the 13, the mains at 50 Hz none
STEPS: Final = 4  # of a frame
SPAN: Final = 8  # frames looked at: 1.4 s
LEAST_FRAMES: Final = 4  # fewer are alike by chance
TINY: Final = 1e-30  # what is divided by is never less

Sums = NDArray[np.float64]


class PairLows:
    """The low common part of every pair over the last 1.4 s; forgets what was before a hole."""

    def __init__(self, pairs: tuple[tuple[int, int], ...], sample_rate_hz: int) -> None:
        self._rows = np.array(pairs, np.intp).reshape(-1)
        self._decimation = Decimation(len(self._rows), sample_rate_hz)
        rate_hz = self._decimation.rate_hz
        self._step = round(FRAME_S * rate_hz / STEPS)
        self._length = STEPS * self._step
        hz = np.arange(self._length // 2 + 1) * rate_hz / self._length
        self._bins = slice(*np.searchsorted(hz, [LOW_HZ - 0.1, HIGH_HZ + 0.1]).tolist())
        self._window = np.hanning(self._length)
        self._values: Samples = np.empty((len(self._rows), 0), np.float32)
        self._frames: deque[tuple[int, Sums]] = deque()
        """The tick by which a frame was known, and what it gives, (pairs, 3, bins)."""

    def take(self, hop: Hop) -> None:
        """Take the next hop. Until the one after it, ``common`` answers for any tick within it."""
        while len(self._frames) > SPAN:
            self._frames.popleft()
        if not hop.follows:
            self._values = self._values[:, :0]
            self._frames.clear()
        heard = replace(hop, with_history=hop.with_history[self._rows])
        tick, fresh = self._decimation.feed(heard)
        factor = self._decimation.factor
        # of the first value kept: when the last sample its filter spans had come
        known = tick + (REACH // 2 - self._values.shape[1]) * factor
        self._values = np.concatenate([self._values, fresh], axis=1)
        while self._values.shape[1] >= self._length:
            known_all = known + (self._length - 1) * factor
            self._frames.append((known_all, self._products(self._values[:, : self._length])))
            self._values = self._values[:, self._step :]
            known += self._step * factor

    def _products(self, values: Samples) -> Sums:
        """Return the cross-spectra's real parts and both powers, frames as weighty as any other."""
        bins = np.fft.rfft(values * self._window)[:, self._bins]
        one, other = bins[0::2], bins[1::2]
        found = np.stack([(other * one.conj()).real, np.abs(one) ** 2, np.abs(other) ** 2], axis=1)
        powers = found[:, 1:].sum(axis=2)
        scales = np.sqrt(powers[:, 0] * powers[:, 1])
        return np.asarray(found / np.maximum(scales, TINY)[:, None, None], np.float64)

    def common(self, index: int, tick: int) -> float:
        """Return how much of a pair's low sound was common up to a tick, -1 to 1; 0 if unknown."""
        frames = [sums[index] for known, sums in self._frames if known <= tick][-SPAN:]
        if len(frames) < LEAST_FRAMES:
            return 0.0
        cross, first, second = np.sum(frames, axis=0)
        return float(np.median(cross / np.maximum(np.sqrt(first * second), TINY)))
