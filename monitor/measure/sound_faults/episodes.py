"""An episode: faults that lie close together, told as one event with exact ends and counts.

Shared by the detectors that count faults (clipping, NaN, …). Times are ticks of one sample.
"""

from collections import deque
from collections.abc import Iterable

from monitor.measure.measurement import Detection, StepPhase

CLOSE_AFTER_S = 1.0  # two runs further apart than this are two episodes
UPDATE_MIN_S = 0.05  # an update at most 20 times a second: what a page can show, queues can carry


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
        self._second = sample_rate_hz
        self._close_after = round(close_after_s * sample_rate_hz)
        self._in_ms = in_ms
        self._update_min = round(UPDATE_MIN_S * sample_rate_hz)
        self.detail = detail
        self._recent: deque[int] = deque()
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
        self._recent.append(start)
        while self._recent[0] <= start - self._second:
            self._recent.popleft()
        self._count += 1
        self._count_1s = max(self._count_1s, len(self._recent))
        self.extend(start, end)
        if self._count == 1:
            self._tell("open", start)

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
        worst = round(self._worst * 1e3 / self._second, 1) if self._in_ms else float(self._worst)
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
