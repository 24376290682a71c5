"""Faults that come one by one, told as episodes: open at the first, closed a second after the last.

Used by detectors that count (dropped frames, repeated frames). Pure; times are ticks.
"""

from collections import deque

from monitor.measure.look import Rectangle
from monitor.measure.measurement import Detection, StepPhase

DETAIL_LIMIT = 8  # frame numbers named in an episode's words; the count holds them all


class Bursts:
    """Counts faults and gives an episode's steps.

    ``second`` is one second in ticks: how long an episode stays open after its last fault, and
    the window of ``count_1s``.
    """

    def __init__(self, detector: str, unit: str, second: int, words: str) -> None:
        self.detector, self.unit, self.second, self.words = detector, unit, max(1, second), words
        self.steps: list[Detection] = []
        self._number = 0
        self._open: Detection | None = None
        self._recent: deque[tuple[int, int]] = deque()
        self._named: list[str] = []

    def fault(
        self, start: int, end: int, count: int, name: str, place: Rectangle | None = None
    ) -> None:
        """Add ``count`` faults in the ticks from ``start`` to ``end``; ``name`` says which.

        ``place``: where in the picture; the episode keeps that of its first fault.
        """
        self.quiet(start)
        self._recent.append((start, count))
        while self._recent[0][0] <= start - self.second:
            self._recent.popleft()
        within = sum(n for _, n in self._recent)
        old = self._open
        self._named.append(name)
        self._step(
            "update" if old else "open",
            start=old.start if old else start,
            end=end,
            count=(old.count if old else 0) + count,
            count_1s=max(old.count_1s if old else 0, within),
            worst=max(old.worst or 0 if old else 0, count),
            worst_tick=old.worst_tick if old and (old.worst or 0) >= count else start,
            place=old.place if old else place,
        )

    def quiet(self, tick: int) -> None:
        """Say that the stream has come to ``tick``; closes an episode that is over."""
        if self._open and self._open.end is not None and tick >= self._open.end + self.second:
            self.close()

    def close(self) -> None:
        """Close the open episode, if any."""
        old = self._open
        if old is None:
            return
        self._step(
            "close",
            start=old.start,
            end=old.end,
            count=old.count,
            count_1s=old.count_1s,
            worst=old.worst,
            worst_tick=old.worst_tick,
            place=old.place,
        )
        self._open = None
        self._number += 1
        self._recent.clear()
        self._named.clear()

    def _step(
        self,
        phase: StepPhase,
        *,
        start: int,
        end: int | None,
        count: int,
        count_1s: int,
        worst: float | None,
        worst_tick: int | None,
        place: Rectangle | None,
    ) -> None:
        assert phase in ("open", "update", "close")
        named = self._named[:DETAIL_LIMIT]
        more = " …" if len(self._named) > DETAIL_LIMIT else ""
        self._open = Detection(
            detector=self.detector,
            key=f"{self.detector}-{self._number}",
            phase=phase,
            start=start,
            end=end,
            worst=worst,
            worst_tick=worst_tick,
            unit=self.unit,
            count=count,
            count_1s=count_1s,
            detail=f"{self.words} {', '.join(named)}{more}",
            place=place,
        )
        self.steps.append(self._open)

    def take(self) -> list[Detection]:
        """Return the steps since the last call."""
        steps, self.steps = self.steps, []
        return steps


class Span:
    """A condition that lasts (black, freeze, damage): one episode from its start to its end."""

    def __init__(self, detector: str, unit: str) -> None:
        self.detector, self.unit = detector, unit
        self.steps: list[Detection] = []
        self.is_open = False
        self._number = 0
        self._start = 0
        self._place: Rectangle | None = None

    def _step(
        self,
        phase: StepPhase,
        end: int | None,
        worst: float,
        count: int,
        detail: str,
        place: Rectangle | None,
    ) -> None:
        self.steps.append(
            Detection(
                detector=self.detector,
                key=f"{self.detector}-{self._number}",
                phase=phase,
                start=self._start,
                end=end,
                worst=worst,
                unit=self.unit,
                count=count,
                detail=detail or None,
                place=place,
            )
        )

    def open(
        self,
        start: int,
        worst: float,
        detail: str = "",
        count: int = 1,
        place: Rectangle | None = None,
    ) -> None:
        """Open an episode that began at ``start``; ``place``: where in the picture."""
        assert not self.is_open
        self._start, self.is_open, self._place = start, True, place
        self._step("open", None, worst, count, detail, place)

    def close(self, end: int, worst: float, detail: str = "", count: int = 1) -> None:
        """Close the open episode, if any, at ``end`` (exclusive)."""
        if self.is_open:
            self._step("close", end, worst, count, detail, self._place)
            self.is_open = False
            self._number += 1

    @property
    def start(self) -> int:
        """Where the open episode began."""
        return self._start

    def take(self) -> list[Detection]:
        """Return the steps since the last call."""
        steps, self.steps = self.steps, []
        return steps
