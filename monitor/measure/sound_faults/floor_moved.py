"""A microphone whose noise floor is no longer what the line-up learned: dead, or noisy.

In windows of 100 ms against ``noise_floor_dbfs`` of the line-up; a channel it did not learn is not
judged. ``dead_microphone``: for 5 s nothing reaches within 10 dB of that floor. ``floor_raised``:
for 30 s nothing comes down to within 10 dB of it. Where at least half of the other microphones
moved by 5 dB the same way, the room changed and no microphone did; a microphone without others
must be still for 15 s, in which somebody in a room that fell silent is heard. A mix is no
microphone: its faders close. Exact zeros are left to silence.
See docs/decisions/0121-noise-floor-against-line-up.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup, StepPhase
from monitor.measure.sound.energies import Cells, Recent, cell_frames
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound.noise_floor import NOISE_FLOOR, WINDOW_CELLS, low_quantile
from monitor.metrics import Value

MOVED: Final = 10.0  # 10 dB, as an energy
ROOM: Final = 10.0 ** (5 / 10)  # others that moved by this show that it was the room
ROOM_SHARE: Final = 0.5
DEAD_WINDOWS: Final = 50  # 5 s
LONE_WINDOWS: Final = 150  # 15 s where no other microphone can say that the room fell silent
RAISED_WINDOWS: Final = 300  # 30 s: longer than a passing car or a line without a pause
FLOOR_LIMIT_DB: Final = 300.0  # below what 32-bit float can tell: beyond it is no floor
BACK_WINDOWS: Final = 5  # 0.5 s on the right side end an episode; a knock on a dead one does not


@dataclass(slots=True)
class _Side:
    """One of the two ways a floor moves, for all channels; counts are of windows in a row."""

    detector: str
    needed: int
    out: NDArray[np.int64]
    back: NDArray[np.int64]
    open: dict[int, int] = field(default_factory=dict)
    """Channels with an episode, and its first tick."""
    worst: dict[int, float] = field(default_factory=dict)

    def count(self, beyond: NDArray[np.bool_]) -> None:
        """Take one window: which channels lie beyond the limit."""
        self.out = np.where(beyond, self.out + 1, 0)
        self.back = np.where(beyond, 0, self.back + 1)

    def rest(self, windows: int) -> None:
        """Take some windows in which no channel lies beyond the limit."""
        self.out[:] = 0
        self.back += windows


def _side(detector: str, needed: int, channels: int) -> _Side:
    return _Side(detector, needed, np.zeros(channels, np.int64), np.zeros(channels, np.int64))


def learned(value: Value, channels: int) -> NDArray[np.float64]:
    """Return a line-up's floors as energies, (channels,), NaN where there is none."""
    energies = np.full(channels, np.nan)
    if isinstance(value, list):
        for channel, floor in enumerate(value[:channels]):
            if isinstance(floor, int | float) and abs(floor) <= FLOOR_LIMIT_DB:
                energies[channel] = 10.0 ** (floor / 10)
    return energies


@listen("floor_moved", detectors=("dead_microphone", "floor_raised"))
class FloorMoved:
    """Dead and noisy microphones, against the line-up."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._baseline = setup.baseline
        self._microphones = np.ones(channels, np.bool_)
        if setup.programme is not None and len(setup.programme) < channels:
            self._microphones[list(setup.programme)] = False
        self._cell = cell_frames(sample_rate_hz)
        self._cells: Cells = np.empty((0, channels))
        self._loose = 0
        """Samples heard since the last finished cell."""
        self._recent = Recent(RAISED_WINDOWS, channels)
        self._dead = _side("dead_microphone", DEAD_WINDOWS, channels)
        self._raised = _side("floor_raised", RAISED_WINDOWS, channels)
        self._tick = 0
        self._steps: list[Detection] = []

    def hear(self, hop: Hop) -> None:
        """Take the hop's cells of 10 ms."""
        self._loose += hop.frames - len(hop.energies) * self._cell
        self._cells = np.concatenate([self._cells, hop.energies])
        window = WINDOW_CELLS * self._cell
        whole = len(self._cells) // WINDOW_CELLS
        self._tick = hop.end - self._loose
        end = self._tick - (len(self._cells) - whole * WINDOW_CELLS) * self._cell
        if whole:
            cells = self._cells[: whole * WINDOW_CELLS]
            windows = cells.reshape(whole, WINDOW_CELLS, -1).mean(axis=1)
            self._take(windows, end - whole * window, window)
        self._cells = self._cells[whole * WINDOW_CELLS :]

    def _take(self, windows: Cells, start: int, window: int) -> None:
        """Take windows, the first from tick ``start`` on; one by one only where a floor moved."""
        floors = learned(self._baseline.get(NOISE_FLOOR.key), windows.shape[1])
        # NaN, a floor nobody learned, compares false
        dead = (windows > 0.0) & (windows * MOVED < floors)
        raised = windows > MOVED * floors
        if not (self._dead.open or self._raised.open or dead.any() or raised.any()):
            self._recent.add(windows)
            self._dead.rest(len(windows))
            self._raised.rest(len(windows))
            return
        for index in range(len(windows)):
            self._recent.add(windows[index : index + 1])
            self._dead.count(dead[index])
            self._raised.count(raised[index])
            self._judge(floors, start + (index + 1) * window, window)

    def _judge(self, floors: NDArray[np.float64], end: int, window: int) -> None:
        """Begin and end episodes at a window that ends at tick ``end``."""
        for side in (self._dead, self._raised):
            for channel in np.flatnonzero((side.out >= side.needed) & self._microphones).tolist():
                if channel not in side.open and not self._is_room(side, channel, floors):
                    self._begin(side, channel, end - int(side.out[channel]) * window, floors)
            for channel in [c for c in side.open if side.back[c] >= BACK_WINDOWS]:
                self._close(side, channel, end - BACK_WINDOWS * window)

    def _levels(self, side: _Side) -> NDArray[np.float64]:
        """Return every channel's floor over the time a side looks at, as energies."""
        return np.array(low_quantile(self._recent.rows[-side.needed :]))

    def _is_room(self, side: _Side, channel: int, floors: NDArray[np.float64]) -> bool:
        """Say whether the other microphones' floors moved too, or may have, were there others."""
        others = self._microphones & ~np.isnan(floors)
        others[channel] = False
        if not others.any():
            return side is self._dead and int(side.out[channel]) < LONE_WINDOWS
        levels = self._levels(side)
        moved = levels * ROOM < floors if side is self._dead else levels > ROOM * floors
        return bool(moved[others].mean() >= ROOM_SHARE)

    def _begin(self, side: _Side, channel: int, start: int, floors: NDArray[np.float64]) -> None:
        side.open[channel] = start
        ratio = self._levels(side)[channel] / floors[channel]
        side.worst[channel] = round(abs(10.0 * float(np.log10(ratio))), 1)
        self._tell("open", side, channel, None)

    def _close(self, side: _Side, channel: int, end: int) -> None:
        self._tell("close", side, channel, max(end, side.open[channel]))
        del side.open[channel], side.worst[channel]

    def _tell(self, phase: StepPhase, side: _Side, channel: int, end: int | None) -> None:
        start = side.open[channel]
        self._steps.append(
            Detection(
                detector=side.detector,
                key=f"{side.detector}-{channel}-{start}",
                phase=phase,
                start=start,
                end=end,
                channels=(channel,),
                worst=side.worst[channel],
                worst_tick=start,
                unit="dB",
            )
        )

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: the floor itself is a meter's."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        steps, self._steps = self._steps, []
        return steps

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes where the stream ends."""
        for side in (self._dead, self._raised):
            for channel in list(side.open):
                self._close(side, channel, self._tick)
