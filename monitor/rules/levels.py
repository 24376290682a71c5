"""The level trace of an alert: 5 s of its channel's peaks, so that a fault is seen at a glance.

A detector's episode brings its own, cut where the samples were. For rules of metrics it is cut from
the readings, as coarse as they came.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from monitor.lines import Reading
from monitor.rules.kinds import Levels, View, Where
from monitor.rules.model import LEVEL_STEP_S, Alert, LevelTrace

STEP_NS: Final = round(LEVEL_STEP_S * 1e9)
CUT_STEPS: Final = 100  # 5 s
KEPT_NS: Final = 6_000_000_000  # 5 s and the step that is not over
SILENT_DBFS: Final = -120.0  # as the workers' own traces have digital silence
PEAK: Final = "sample_peak_dbfs"


@dataclass(frozen=True, slots=True)
class _Heard:
    from_ns: int
    to_ns: int
    peaks: list[float | int | None]


class LevelsHeard:
    """The peaks of the newest readings of every stream, on the engine's axis."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, int], deque[_Heard]] = {}

    def note(self, line: Reading, t_ns: int, view: View) -> None:
        """Take a reading that ends at ``t_ns``."""
        peaks = line.values.get(PEAK)
        if not isinstance(peaks, list):
            return
        from_ns = view.at_ns(line.source, line.stream, line.epoch, line.start)
        heard = self._heard.setdefault((line.source, line.stream), deque())
        heard.append(_Heard(t_ns if from_ns is None else min(from_ns, t_ns), t_ns, peaks))
        while heard[0].to_ns < t_ns - KEPT_NS:
            heard.popleft()

    def cut(self, where: Where) -> Levels | None:
        """Return the newest 5 s of a channel, or None where nothing is known of it."""
        channel = where.channel
        if where.stream is None or channel is None:
            return None
        mine = [
            one
            for one in self._heard.get((where.source, where.stream), ())
            if channel < len(one.peaks)
        ]
        if not mine:
            return None
        last = (mine[-1].to_ns - 1) // STEP_NS
        first = max(last - CUT_STEPS + 1, mine[0].from_ns // STEP_NS)
        levels: list[float | None] = [None] * (last - first + 1)
        for one in mine:
            peak = one.peaks[channel]
            told = SILENT_DBFS if peak is None else round(max(float(peak), SILENT_DBFS), 1)
            for step in range(max(first, one.from_ns // STEP_NS), (one.to_ns - 1) // STEP_NS + 1):
                known = levels[step - first]
                levels[step - first] = told if known is None else max(known, told)
        return Levels(from_ns=first * STEP_NS, levels=tuple(levels))


def told_with(alert: Alert, levels: Levels | None) -> Alert:
    """Return an alert with its trace, counted from its onset."""
    if levels is None:
        return alert
    start_s = round((levels.from_ns - alert.onset_ns) / 1e9, 3)
    return alert.model_copy(
        update={"trace": LevelTrace(start_s=start_s, values=list(levels.levels))}
    )
