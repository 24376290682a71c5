"""Speech too low: a microphone is nearest to the voice that speaks, and carries too little of it.

In windows of 100 ms. A channel owns a window when it stands at least 10 dB over its floor (the 10th
percentile of its last 10 s) and 1 dB further than any other over theirs: bleed of another's voice
stands out most on the other's microphone, and a safety track stands out exactly as its main one
does, so neither owns it. A window counts when at least one other microphone carries it above
``speech_low_dbfs`` at that moment: who whispers is low on all of them. With 2 s of such windows
in the last 30 s, whose mean level lies under ``speech_low_dbfs``, the channel is ``level_low``.
See docs/decisions/0123-speech-too-low.md.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup, StepPhase
from monitor.measure.sound.energies import Cells, Recent, cell_frames
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound.noise_floor import WINDOW_CELLS, low_quantile
from monitor.metrics import Value

SPEECH_LOW_DBFS: Final = (
    45.0  # under full scale; dialogue averages -24 to -16 and is whispered at -40
)
FLOOR_WINDOWS: Final = 100  # 10 s hold a pause of nearly any speech
KEPT_WINDOWS: Final = 300  # 30 s
NEEDED: Final = 20  # 2 s of own speech
OVER: Final = 10.0  # 10 dB over the floor
AHEAD: Final = 10 ** (1 / 10)  # of the next microphone; a copy of the track is never ahead
BACK: Final = 10 ** (3 / 10)  # over the limit ends an episode


def owners(
    energies: NDArray[np.float64], floors: NDArray[np.float64], least: float
) -> NDArray[np.bool_]:
    """Return which channel, one at most, owns a window, (channels,), and is heard elsewhere too.

    Channels with floor 0 own nothing. ``least``: the energy another one must have.
    """
    owned = np.zeros(len(energies), np.bool_)
    over = np.where(floors > 0.0, energies / np.maximum(floors, 1e-30), 0.0)
    first, second = np.partition(over, len(over) - 2)[[-1, -2]]
    if first >= OVER and first >= AHEAD * second:
        owner = int(over.argmax())
        owned[owner] = bool((np.delete(energies, owner) >= least).any())
    return owned


@listen("level_low", detectors=("level_low",))
class LevelLow:
    """Microphones whose own speech is too low; needs at least two that are not the mix."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        mix = set(setup.programme or ())
        self._microphones = [c for c in range(channels) if c not in mix]
        self._limit = 10 ** (-setup.limit("speech_low_dbfs", SPEECH_LOW_DBFS) / 10)
        self._cell = cell_frames(sample_rate_hz)
        self._cells: Cells = np.empty((0, channels))
        self._loose = 0
        """Samples heard since the last finished cell."""
        self._recent = Recent(FLOOR_WINDOWS, len(self._microphones))
        self._owned = Recent(KEPT_WINDOWS, len(self._microphones))
        """Energies of windows that a channel owns, else 0."""
        self._open: dict[int, tuple[int, float]] = {}
        self._tick = 0
        self._steps: list[Detection] = []

    def hear(self, hop: Hop) -> None:
        """Take the hop's cells of 10 ms."""
        self._loose += hop.frames - len(hop.energies) * self._cell
        self._tick = hop.end - self._loose
        if len(self._microphones) < 2:
            return
        self._cells = np.concatenate([self._cells, hop.energies])
        window = WINDOW_CELLS * self._cell
        while len(self._cells) >= WINDOW_CELLS:
            end = self._tick - (len(self._cells) - WINDOW_CELLS) * self._cell
            energies = self._cells[:WINDOW_CELLS, self._microphones].mean(axis=0)
            self._cells = self._cells[WINDOW_CELLS:]
            self._judge(energies, end, window)

    def _judge(self, energies: NDArray[np.float64], end: int, window: int) -> None:
        """Take one window, which ends at tick ``end``."""
        self._recent.add(energies[None])
        owned = np.zeros(len(energies), np.bool_)
        if len(self._recent.rows) == FLOOR_WINDOWS:
            owned = owners(energies, np.array(low_quantile(self._recent.rows)), self._limit)
        self._owned.add(np.where(owned, energies, 0.0)[None])
        counts = np.count_nonzero(self._owned.rows, axis=0)
        means = self._owned.rows.sum(axis=0) / np.maximum(counts, 1)
        for index in np.flatnonzero((counts >= NEEDED) & (means < self._limit)).tolist():
            if index not in self._open:
                first = int(np.argmax(self._owned.rows[:, index] > 0.0))
                start = end - (len(self._owned.rows) - first) * window
                self._open[index] = (start, round(10.0 * float(np.log10(means[index])), 1))
                self._tell("open", index, None)
        for index in list(self._open):
            if counts[index] < NEEDED // 2 or means[index] >= BACK * self._limit:
                self._close(index, end)

    def _close(self, index: int, end: int) -> None:
        self._tell("close", index, end)
        del self._open[index]

    def _tell(self, phase: StepPhase, index: int, end: int | None) -> None:
        channel, (start, level) = self._microphones[index], self._open[index]
        self._steps.append(
            Detection(
                detector="level_low",
                key=f"level_low-{channel}-{start}",
                phase=phase,
                start=start,
                end=end,
                channels=(channel,),
                worst=level,
                worst_tick=start,
                unit="dBFS",
            )
        )

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: levels are meters'."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        steps, self._steps = self._steps, []
        return steps

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes where the stream ends."""
        for index in list(self._open):
            self._close(index, self._tick)
