"""No signal: the perfectly even card, blue or grey, that a converter shows without an input.

No camera gives one: a lens cap leaves noise, an even wall has some, and a sky that coding smoothed
has a slope. A picture that is even because all of it clips is over-exposed, and one of even black
is told as black, whose words say that it is even. Cards with a text or a logo are not known.
"""

from typing import Final

import numpy as np

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View, nominal_range
from monitor.measure.picture.viewer import viewer
from monitor.measure.picture_faults.black import PIXEL_BLACK, is_even
from monitor.metrics import Value

EVERY_S: Final = 0.2
CLIPPED: Final = 0.97  # of the nominal range


def is_card(view: View) -> bool:
    """Say whether the picture is one even colour, or grey, that is neither black nor clipped."""
    frame = view.frame
    if not is_even(view.rows, frame.bit_depth):
        return False
    black, white = nominal_range(frame.bit_depth, frame.full_range)
    level = (float(view.rows[0, 0]) - black) / (white - black)
    return PIXEL_BLACK < level < CLIPPED and all(
        is_even(np.ascontiguousarray(plane), frame.bit_depth) for plane in frame.planes
    )


@viewer("no_signal", detectors=("no_signal",), every_s=EVERY_S)
class NoSignal:
    """Watches for an even picture."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.span = Span("no_signal", "s")

    def see(self, view: View) -> None:
        """Take the next picture."""
        if not is_card(view):
            self._end(view.tick)
        elif not self.span.is_open:
            self.span.open(view.tick, view.duration / self.second)

    def _end(self, tick: int) -> None:
        if self.span.is_open:
            self.span.close(tick, (tick - self.span.start) / self.second)

    def drain(self) -> dict[str, Value]:
        """Return nothing: it has no metric."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated."""

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._end(end)
