"""An episode: faults that lie close together, told as one event with exact ends and counts.

Shared by the detectors that count faults (clipping, NaN, …). Times are ticks of one sample.
"""

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, StepPhase

CLOSE_AFTER_S = 1.0  # two runs further apart than this are two episodes
UPDATE_MIN_S = 0.05  # an update at most 20 times a second: what a page can show, queues can carry
FEW = 8  # faults counted one by one: numpy's calls cost as much as ten


class _Lately:
    """The starts of the faults of the last ``window`` ticks, and how many there are."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._starts = array("q")
        self._first = 0

    def clear(self) -> None:
        """Forget all."""
        self._starts, self._first = array("q"), 0

    def add(self, start: int) -> int:
        """Take one more; return how many there are with it."""
        self._starts.append(start)
        while self._starts[self._first] <= start - self._window:
            self._first += 1
        self._tidy()
        return len(self._starts) - self._first

    def add_all(self, starts: NDArray[np.int64]) -> int:
        """Take some, one or more, in order; return how many there were at most."""
        before = len(self._starts) - self._first
        self._starts.frombytes(starts.tobytes())
        known = np.frombuffer(self._starts, np.int64)[self._first :]
        gone = np.searchsorted(known, starts - self._window, side="right")
        most = int((np.arange(1, len(starts) + 1) - gone).max()) + before
        del known  # an array that is looked into cannot grow
        self._first += int(gone[-1])
        self._tidy()
        return most

    def _tidy(self) -> None:
        """Give memory back when half of it is past; a few starts are not worth it."""
        if self._first > max(FEW, len(self._starts) // 2):
            self._starts, self._first = self._starts[self._first :], 0


class Episodes:
    """The episodes of one detector on one channel (None: on all at once), in media time.

    ``fault`` counts a new one; ``extend`` lengthens the last; ``advance`` lets time pass. The steps
    wait in ``steps``. ``worst`` is the longest fault, in samples or in ms. ``detail`` may change.
    ``is_open``: whether an episode is.
    """

    def __init__(
        self,
        detector: str,
        channel: int | None,
        sample_rate_hz: int,
        detail: str | None,
        close_after_s: float = CLOSE_AFTER_S,
        *,
        in_ms: bool = False,
    ) -> None:
        self._detector = detector
        self._channels = () if channel is None else (channel,)
        self._name = "all" if channel is None else str(channel)
        self._rate = sample_rate_hz
        self._close_after = round(close_after_s * sample_rate_hz)
        self._in_ms = in_ms
        self._update_min = round(UPDATE_MIN_S * sample_rate_hz)
        self.detail = detail
        self._recent = _Lately(sample_rate_hz)
        self.is_open = False
        self._start = self._end = self._told_tick = self._worst_tick = 0
        self._count = self._count_1s = self._worst = self._told_count = 0
        self.steps: list[Detection] = []

    def fault(self, start: int, end: int) -> None:
        """Count one fault over the ticks [start, end)."""
        self.advance(start)
        if not self.is_open:
            self.is_open, self._start = True, start
            self._count = self._count_1s = self._worst = self._told_count = 0
            self._recent.clear()
        self._count += 1
        self._count_1s = max(self._count_1s, self._recent.add(start))
        self.extend(start, end)
        if self._count == 1:
            self._tell("open", start)

    def faults(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        """Count faults over [start, end) each, in order: as ``fault`` of each, cheaper of many."""
        at = 0
        while at < len(starts):
            self.fault(int(starts[at]), int(ends[at]))
            at += 1
            if len(starts) - at > FEW:  # up to the next that lets an update be told
                next_tick = self._told_tick + self._update_min
                quiet = int(np.searchsorted(starts[at:], next_tick))
                self._count_quietly(starts[at : at + quiet], ends[at : at + quiet])
                at += quiet

    def _count_quietly(self, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> None:
        """Count faults so soon after the last step that there is nothing to tell."""
        if not len(starts):
            return
        self._count += len(starts)
        self._count_1s = max(self._count_1s, self._recent.add_all(starts))
        longest = int(np.argmax(ends - starts))
        self.extend(int(starts[longest]), int(ends[longest]))
        self._end = int(ends[-1])

    def extend(self, start: int, end: int) -> None:
        """Say that the fault that began at ``start`` lasts until ``end`` (exclusive) so far."""
        self._end = end
        if end - start > self._worst:
            self._worst, self._worst_tick = end - start, start

    def advance(self, tick: int) -> None:
        """Let media time pass to ``tick``: updates are told, a quiet episode is closed."""
        if not self.is_open:
            return
        if tick >= self._end + self._close_after:
            self.close()
        elif self._count != self._told_count and tick >= self._told_tick + self._update_min:
            self._tell("update", tick)

    def close(self) -> None:
        """Close the open episode, if any, at the end of its last fault."""
        if self.is_open:
            self._tell("close", self._end)
            self.is_open = False

    def _tell(self, phase: StepPhase, tick: int) -> None:
        self._told_tick, self._told_count = tick, self._count
        worst = round(self._worst * 1e3 / self._rate, 1) if self._in_ms else float(self._worst)
        self.steps.append(
            Detection(
                detector=self._detector,
                key=f"{self._detector}-{self._name}-{self._start}",
                phase=phase,
                start=self._start,
                end=self._end if phase == "close" else None,
                channels=self._channels,
                worst=worst,
                worst_tick=self._worst_tick,
                unit="ms" if self._in_ms else "samples",
                count=self._count,
                count_1s=self._count_1s,
                detail=self.detail,
            )
        )


def take_steps(episodes: Iterable[Episodes]) -> list[Detection]:
    """Return and forget the steps that wait, in order of the episodes given."""
    steps: list[Detection] = []
    for one in episodes:
        if one.steps:  # hardly ever, and this is asked of every channel at every block
            steps += one.steps
            one.steps.clear()
    return steps


def advance_all(episodes: Iterable[Episodes], tick: int) -> None:
    """Let media time pass to ``tick`` for those that are open."""
    for one in episodes:
        if one.is_open:
            one.advance(tick)
