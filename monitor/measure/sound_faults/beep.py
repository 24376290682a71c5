"""Beeps: a tone that begins at once after quiet, and holds its level for 50 ms or more.

A tablet gives them, each with a flash, to measure a feed's audio-video offset. All channels are
heard as one, in cells of 1 ms. A beep's begin is where the first loud cell, filled evenly, would
have the energy it has. It is no fault. See docs/decisions/0219-av-offset-from-flash-and-beep.md.
"""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.energies import FINE_PER_S, cell_frames
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.lately import Lately
from monitor.metrics import Value

BEFORE: Final = 100  # cells of quiet
NEAR: Final = 10  # cells left out before the begin: codecs smear it forwards
HOLDS_FROM: Final = 8  # cells after the begin: a loudspeaker and a filter bank take their time
HOLDS_TO: Final = 48
OVER: Final = 30.0  # 15 dB over what was before
LEAST: Final = 1e-7  # -70 dBFS
STEADY: Final = 0.25  # of the mean is the least of any cell: 6 dB
BEGUN: Final = 0.25  # of the mean is where it has begun; what a codec smears forward is less
APART: Final = 300  # cells from one begin to the next
TONE_SHARE: Final = 0.6  # of its energy that one line and its neighbours hold
TONE_HZ: Final = (300.0, 6000.0)
LINE_BINS: Final = 2  # beside it: a Hann window's main lobe
REACH: Final = HOLDS_TO + NEAR + 4  # cells of samples kept

Cells1 = NDArray[np.float64]


@listen("beep", detectors=("beep",))
class Beep:
    """The beeps of a stream. Cells are counted from the last hole on."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._rate_hz = sample_rate_hz
        self._channels = channels
        self._frames = cell_frames(sample_rate_hz, FINE_PER_S)
        self._lately = Lately(channels, REACH * self._frames)
        self._steps: list[Detection] = []
        self._forget()

    def _forget(self) -> None:
        self._cells: Cells1 = np.empty(0)
        self._first = 0
        """Number of the first cell kept."""
        self._last = -APART

    def hear(self, hop: Hop) -> None:
        """Look at the cells that have enough before and after them."""
        if not hop.follows:
            self._forget()
        self._lately.begin(hop)
        self._origin = hop.fine_start - (self._first + len(self._cells)) * self._frames
        self._cells = np.concatenate([self._cells, hop.fine.sum(axis=1)])
        if len(self._cells) > BEFORE + HOLDS_TO:
            self._scan()
            gone = len(self._cells) - BEFORE - HOLDS_TO
            self._cells = self._cells[gone:]
            self._first += gone
        self._lately.end()

    def _scan(self) -> None:
        """Look at every cell with ``BEFORE`` cells before it and ``HOLDS_TO`` after it."""
        heard = self._cells[BEFORE:-HOLDS_TO]
        quiet = sliding_window_view(self._cells, BEFORE - NEAR).max(axis=1)[: len(heard)]
        loud = heard >= np.maximum(OVER * quiet, LEAST)
        for at in np.flatnonzero(loud).tolist():
            if self._first + BEFORE + at >= self._last + APART:
                self._judge(BEFORE + at, float(quiet[at]))

    def _judge(self, at: int, quiet: float) -> None:
        """Tell a beep that is loud at a cell and holds."""
        held = self._cells[at + HOLDS_FROM : at + HOLDS_TO]
        level = float(held.mean())
        if level < OVER * quiet or float(held.min()) < STEADY * level:
            return
        self._last = self._first + at
        begins = at + int(np.argmax(self._cells[at - NEAR : at + 1] >= BEGUN * level)) - NEAR
        filled = min(1.0, float(self._cells[begins]) / level)
        cell = self._origin + (self._first + begins + 1) * self._frames
        start = round(cell - filled * self._frames)
        if self._is_tone(self._origin + (self._first + at) * self._frames):
            self._tell(start, 10.0 * math.log10(level))

    def _is_tone(self, tick: int) -> bool:
        """Say whether the loudest channel has most of its energy at one frequency."""
        start, end = tick + HOLDS_FROM * self._frames, tick + HOLDS_TO * self._frames
        every = [self._lately.samples(one, start, end) for one in range(self._channels)]
        samples = max(every, key=lambda one: float(one @ one)).astype(np.float64)
        power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
        top = int(power.argmax())
        hz = top * self._rate_hz / max(1, len(samples))
        line = float(power[max(0, top - LINE_BINS) : top + LINE_BINS + 1].sum())
        return TONE_HZ[0] <= hz <= TONE_HZ[1] and line >= TONE_SHARE * float(power.sum())

    def _tell(self, start: int, level_db: float) -> None:
        for phase in ("open", "close"):
            self._steps.append(
                Detection(
                    detector="beep",
                    key=f"beep-{start}",
                    phase=phase,
                    start=start,
                    end=None if phase == "open" else start + HOLDS_TO * self._frames,
                    worst=round(level_db, 1),
                    worst_tick=start,
                    unit="dBFS",
                )
            )

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: beeps are events."""
        return {}

    def events(self) -> list[Detection]:
        """Return the beeps since the last call."""
        steps, self._steps = self._steps, []
        return steps

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Do nothing: a beep that the end cuts off is not known to be one."""
