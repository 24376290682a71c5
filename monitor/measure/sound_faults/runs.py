"""Runs of suspicious samples of one channel, across blocks, gathered into episodes."""

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound_faults.episodes import Episodes


def runs_of(state: NDArray[np.int8]) -> list[tuple[int, int]]:
    """Return [start, end) of each stretch of one non-zero value in a one-dimensional array."""
    edges = np.flatnonzero(np.diff(state, prepend=np.int8(0), append=np.int8(0)))
    # Neighbouring edges bound stretches of one value; those of value zero are no runs.
    pairs = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return [(start, end) for start, end in pairs if state[start] != 0]


class Runs:
    """The runs of ``run_samples`` or more; one that reaches a block's end goes on in the next.

    ``runs`` counts since it was last set to 0 by the owner, ``total`` likewise.
    """

    def __init__(self, episodes: Episodes, run_samples: int) -> None:
        self.episodes = episodes
        self._run_samples = run_samples
        self._value = 0
        self._start = 0
        self._counted = False
        self.runs = 0
        self.total = 0

    @property
    def carries(self) -> bool:
        """Whether a run reached the end of the last block."""
        return self._value != 0

    def forget(self) -> None:
        """End the carried run: what follows does not join it."""
        self._value = 0

    def feed(self, state: NDArray[np.int8], tick: int) -> None:
        """Take one value a sample from ``tick`` on: 0 is fine, equal other values make a run."""
        for start, end in runs_of(state):
            if start > 0 or self._value != int(state[0]):
                self._start, self._counted = tick + start, False
            self._extend(tick + end)
        if len(state):
            self._value = int(state[-1])

    def _extend(self, end: int) -> None:
        if end - self._start < self._run_samples:
            return
        if self._counted:
            self.episodes.extend(self._start, end)
            return
        self._counted = True
        self.runs += 1
        self.total += 1
        self.episodes.fault(self._start, end)
