"""Show the decoded pictures of a stream to all viewers, each as one view that they share."""

from collections.abc import Mapping

from capture.source import RUNGS, Frame, Item, Lost, Rung, Thinned
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.stamps import FrameClock, second_ticks
from monitor.measure.picture.view import View
from monitor.measure.picture.viewer import DETECTORS_SEEN, VIEWERS, ViewerKind, judges
from monitor.metrics import Value


@measure("viewing", is_video, detectors=DETECTORS_SEEN)
class Viewing:
    """All viewers of a stream, and the last picture to compare the next one with."""

    def __init__(self, setup: Setup) -> None:
        self._clock = FrameClock(setup.stream)
        second = second_ticks(setup.stream)
        kinds = [kind for kind in VIEWERS.values() if setup.wants(kind.name)]
        self._viewers = [_Turns(kind, setup, second) for kind in kinds]
        self._last: View | None = None
        self._number = 0
        self._rung: Rung = RUNGS[0]

    def feed(self, item: Item) -> None:
        """Take the next picture; what was lost on our way here makes the next one a first one."""
        if isinstance(item, Thinned):
            self._thin(item.rung)
        if isinstance(item, Lost) and item.unit == "frames":
            self._last = None
        if not isinstance(item, Frame) or item.luma.size == 0:
            return
        last = self._last
        view = View(
            item,
            tick=self._clock.tick(item),
            number=self._number,
            duration=self._clock.duration,
            before=last if last is not None and last.like(item) else None,
        )
        self._number += 1
        for turns in self._viewers:
            turns.show(view)
        if self._rung == RUNGS[0]:
            self._last = view.kept()

    def _thin(self, rung: Rung) -> None:
        """Leave out the viewers that cannot judge what is left, and nothing to compare with."""
        self._rung, self._last = rung, None
        for turns in self._viewers:
            turns.thin(rung, self._clock.end)

    def drain(self) -> Mapping[str, Value]:
        """Return the values of all viewers."""
        return {key: value for one in self._viewers for key, value in one.drain().items()}

    def events(self) -> list[Detection]:
        """Return the steps of all viewers."""
        return [step for one in self._viewers for step in one.viewer.events()]

    def reset(self) -> None:
        """Restart what is counted since reset."""
        for one in self._viewers:
            one.viewer.reset()

    def finish(self) -> None:
        """Close what is open at the end of the last picture."""
        for one in self._viewers:
            one.viewer.finish(self._clock.end)


class _Turns:
    """A viewer and when its next turn is."""

    def __init__(self, kind: ViewerKind, setup: Setup, second: int) -> None:
        self.viewer = kind.make(setup)
        self._kind = kind
        self._every = round(kind.every_s * second)
        self._shown: int | None = None
        self._silent = False
        self._known: set[str] = set()  # metrics it has told: unknown as it falls silent

    def thin(self, rung: Rung, end: int) -> None:
        """Fall silent, or go on, as this much is decoded from ``end`` on."""
        silent = not judges(self._kind, rung)
        if silent and not self._silent:
            self.viewer.finish(end)
        self._silent = silent

    def drain(self) -> Mapping[str, Value]:
        """Return the viewer's values; of one that has fallen silent that they are unknown."""
        values = dict(self.viewer.drain())
        if not self._silent:
            self._known |= values.keys()
            return values
        unknown, self._known = dict.fromkeys(self._known), set()
        return {**unknown, **values}

    def show(self, view: View) -> None:
        """Show the picture when it is its turn: stamps are rounded, so half a picture early too."""
        if self._silent:
            return
        if self._shown is not None:
            since = view.tick - self._shown
            if 0 <= since < self._every - view.duration // 2:
                return
        self._shown = view.tick
        self.viewer.see(view)
