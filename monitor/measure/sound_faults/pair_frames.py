"""Frames of declared pairs worth comparing: those in which sound begins, and a few others.

What reaches two microphones first is the direct sound; reverberation, different at each, follows.
A frame whose energy has just risen is mostly direct sound, so these are picked, and where nothing
begins, one in 80 ms.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop

STEP_S: Final = 0.010
STEPS: Final = 4  # of a frame: 40 ms, four times the longest delay that is looked for
BACK: Final = 2  # steps between two frames whose energies are compared
RISE: Final = 2.0  # +3 dB in 20 ms: the beginning of a syllable
CALM_STEPS: Final = 8
QUIET: Final = 1e-9  # mean square, -90 dBFS: under any room; there is nothing to compare

Pairs = tuple[tuple[int, int], ...]


class PairFrames:
    """The samples of the pairs' channels in steps of 10 ms; the grid starts anew after a hole.

    After ``take``: ``sound`` has shape (pairs, 2, frames), its first sample is of tick ``start``,
    and ``steps`` new steps begin at its frame ``first``. ``picked``: the new steps with which a
    frame worth comparing ends, and its pair, in order of time.
    """

    def __init__(self, pairs: Pairs, sample_rate_hz: int) -> None:
        self.step = max(1, round(STEP_S * sample_rate_hz))
        self.length = STEPS * self.step
        self._rows = np.array(pairs, np.intp)
        self._energies = np.zeros((len(pairs), 0))
        self._calm = [0] * len(pairs)
        self.sound: Samples = np.empty((len(pairs), 2, 0), np.float32)
        self.start = self.first = self.steps = 0
        self.picked: list[tuple[int, int]] = []

    def take(self, hop: Hop) -> None:
        """Take the next hop."""
        used = self.first + self.steps * self.step
        if not hop.follows:
            self.sound, self._energies, used = self.sound[:, :, :0], self._energies[:, :0], 0
        kept = max(0, used - (STEPS - 1) * self.step)
        left = self.sound[:, :, kept:]
        self.sound = np.concatenate([left, hop.samples[self._rows]], axis=2)
        self.start = hop.start - left.shape[2]
        self.first = used - kept
        self.steps = (self.sound.shape[2] - self.first) // self.step
        self._pick(self._energies_of_new())

    def _energies_of_new(self) -> NDArray[np.float64]:
        """Return the mean squares of the new steps, the two channels' geometric mean."""
        end = self.first + self.steps * self.step
        shape = (*self.sound.shape[:2], self.steps, self.step)
        split = self.sound[:, :, self.first : end].reshape(shape)
        squares = np.einsum("pcsf,pcsf->pcs", split, split).astype(np.float64) / self.step
        return np.asarray(np.sqrt(squares[:, 0] * squares[:, 1]), np.float64)

    def _pick(self, new: NDArray[np.float64]) -> None:
        energies = np.concatenate([self._energies, new], axis=1)
        self._energies = energies[:, -(STEPS + BACK - 1) :]
        known = energies.shape[1] - self.steps  # steps before the new ones
        of_frame = np.zeros_like(energies)
        for back in range(STEPS):
            of_frame[:, STEPS - 1 :] += energies[:, STEPS - 1 - back : energies.shape[1] - back]
        rises = np.zeros(energies.shape, np.bool_)
        first = STEPS - 1 + BACK
        rises[:, first:] = of_frame[:, first:] > RISE * of_frame[:, first - BACK : -BACK]
        usable = (of_frame > STEPS * QUIET).tolist()
        self.picked = [
            (step, pair)
            for pair, rising in enumerate(rises[:, known:].tolist())
            for step in self._due(pair, rising)
            if usable[pair][known + step]
        ]
        self.picked.sort()

    def _due(self, pair: int, rising: list[bool]) -> list[int]:
        """Return the new steps with which something begins, or nothing has for some time."""
        due, calm = [], self._calm[pair]
        for step, rises in enumerate(rising):
            calm += 1
            if rises or calm >= CALM_STEPS:
                due.append(step)
                calm = 0
        self._calm[pair] = calm
        return due

    def end_of(self, step: int) -> int:
        """Return the frame of ``sound`` after a new step."""
        return self.first + (step + 1) * self.step

    def frames(self) -> Samples:
        """Return the picked frames, (picked, 2, length)."""
        ends = [(pair, self.end_of(step)) for step, pair in self.picked]
        return np.stack([self.sound[pair, :, end - self.length : end] for pair, end in ends])
