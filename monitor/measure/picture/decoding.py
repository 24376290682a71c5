"""How much of the pictures is decoded, and which checks that leaves unmade.

Where the machine is short a source decodes fewer pictures (see ``capture/thinning.py``). Each time
of that is an episode, one detector a rung, whose words name the checks that were not made; what is
told of packets (bit rate, stamps, key frames, damage on the link) goes on.
"""

from typing import Final

from capture.source import RUNGS, Frame, Item, Packet, Rung, Thinned
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.viewer import detectors_at
from monitor.metrics import Value, declare

DETECTORS: Final[dict[Rung, str]] = {
    rung: f"decoding_{rung.replace(' ', '_')}" for rung in RUNGS[1:]
}
DECODING = declare(
    "decoding", "", "scalar", "last",
    "How much of a live stream's pictures is decoded: all frames, reference frames, "
    "key frames or packets only",
)  # fmt: skip


def unmade(rung: Rung) -> str:
    """Return the checks that are not made at a rung, in words."""
    names = (detector.replace("_", " ") for detector in detectors_at(rung))
    return f"not checked: {', '.join(sorted(names))}"


@measure("decoding", is_video, detectors=tuple(DETECTORS.values()))
class Decoding:
    """Follows one live stream's rung."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.live = setup.live
        self.rung: Rung = RUNGS[0]
        self.spans = {rung: Span(detector, "s") for rung, detector in DETECTORS.items()}
        self.position: int | None = None
        self.fresh = setup.live
        self.began = False

    def feed(self, item: Item) -> None:
        """Take the next item; a change holds from the newest packet's stamp on."""
        if isinstance(item, Packet):
            stamp = item.dts if item.dts is not None else item.pts
            self.position = self.position if stamp is None else stamp
            self.began = True
        elif isinstance(item, Frame):
            self.began = True
        elif isinstance(item, Thinned) and item.rung != self.rung:
            self._close()
            self.rung, self.fresh = item.rung, True
            if item.rung in self.spans:
                self.spans[item.rung].open(self.position or 0, 0.0, unmade(item.rung))

    def _close(self) -> None:
        span = self.spans.get(self.rung)
        if span is not None and span.is_open:
            end = max(self.position or 0, span.start + 1)
            span.close(end, (end - span.start) / self.second, unmade(self.rung))

    def drain(self) -> dict[str, Value]:
        """Return the rung of a live stream, when it is new."""
        if not self.fresh or not self.live or not self.began:
            return {}
        self.fresh = False
        return {DECODING.key: self.rung}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call: one ends before the next begins."""
        steps = [step for span in self.spans.values() for step in span.take()]
        return sorted(steps, key=lambda step: step.phase == "open")

    def reset(self) -> None:
        """Nothing is integrated; the rung is told again."""
        self.fresh = True

    def finish(self) -> None:
        """Close what is open at the newest packet."""
        self._close()
