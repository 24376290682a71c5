"""Motion, frozen pictures and single repeated pictures: one difference of luma serves all three.

The difference is the mean of absolute luma differences between a picture and the one before, in
codes of 8 bits, over the whole picture (0.15 ms at 1080p by ``cv2.norm``).

A picture is *still* when its difference is nothing, or under a tenth of the feed's own floor (the
least differences it shows while it lives). Sensor noise keeps a still shot far above that, so it
never freezes. Pictures of a low bit rate repeat exactly by nature: a feed that did so in the last
two seconds is called frozen only after ``NATURAL_STILL_S``.
A flat picture (black, a lens cap) says nothing about freezing.

A *repeat* is a run of fewer than ``FREEZE_FRAMES`` exactly equal pictures between moving ones:
what a camera, a converter or an encoder doubled. Around a picture that hardly moves it means
nothing and is not counted.
"""

from collections import deque
from statistics import quantiles
from typing import Any

import cv2
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Bursts, Span
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View
from monitor.measure.picture.viewer import viewer
from monitor.metrics import Value, declare

FREEZE_FRAMES = 10
FREEZE_S = 0.5  # the rule's on-delay decides; a shorter hold is within any coder's habits
UNKNOWN_STILL_S = 2.0  # still from the very first picture: nothing is known of this feed yet
NATURAL_STILL_S = 10.0  # longer than the usual distance of key frames, which redraw the picture
NATURAL_SHARE = 0.2  # of exactly equal pictures in two seconds that makes repeats natural
FLOOR_SHARE = 0.1  # of the feed's floor under which a picture is still
HISTORY_FRAMES = 50
FLOOR_FRAMES = 10  # differences needed to know a floor
FLAT_CODES = 8  # of 8 bits between the darkest and the brightest pixel of a flat picture
MOVING_CODES = 0.1  # at least this much on either side of a repeat, and
CALM_CODES = 0.5  # or this much where repeats are natural: a converter's are among real motion
MOVING_SHARE = 0.25  # this much of the usual difference

MOTION = declare("motion", "", "scalar", "max", "Mean luma difference to the frame before, 0 to 1")
REPEATED = declare(
    "frames_repeated", "frames", "scalar", "sum", "Pictures exactly equal to the one before them"
)
REPEATED_TOTAL = declare(
    "frames_repeated_total", "frames", "scalar", "last", "Repeated pictures since reset"
)


def is_flat(luma: NDArray[Any], bit_depth: int) -> bool:
    """Say whether the picture has nothing in it that could move."""
    low, high, _, _ = cv2.minMaxLoc(luma)
    return bool(high - low <= FLAT_CODES << (bit_depth - 8))


def still_threshold(history: deque[float]) -> float:
    """Return the difference up to which a picture is still, from the feed's recent differences."""
    moving = [value for value in history if value > 0]
    if len(moving) < FLOOR_FRAMES:
        return 0.0
    return FLOOR_SHARE * quantiles(moving, n=10)[0]


def repeats_by_nature(history: deque[float]) -> bool:
    """Say whether exactly equal pictures are usual on this feed."""
    equal = sum(value == 0 for value in history)
    return equal >= max(1, NATURAL_SHARE * len(history))


def needed_s(history: deque[float]) -> float:
    """Return how long this feed must be still to be called frozen."""
    if len(history) < FLOOR_FRAMES:
        return UNKNOWN_STILL_S
    return NATURAL_STILL_S if repeats_by_nature(history) else FREEZE_S


@viewer("stillness", detectors=("freeze", "frames_repeated"))
class Stillness:
    """Compares every picture with the one before it."""

    def __init__(self, setup: Setup) -> None:
        self.second = second_ticks(setup.stream)
        self.freeze = Span("freeze", "s")
        self.repeats = Bursts("frames_repeated", "frames", self.second, "repeated: frame")
        self.history: deque[float] = deque(maxlen=HISTORY_FRAMES)
        self.run: list[float] = []  # differences of the still pictures so far
        self.run_start = 0
        self.run_exact = True
        self.before = 0.0  # the difference just before the run
        self.number = 0
        self.motion: float | None = None
        self.repeated = self.repeated_total = 0
        self.any = False

    def see(self, view: View) -> None:
        """Take the next picture."""
        self.number = view.number
        self.any = True
        difference = view.difference
        if difference is None:
            self._end_run(view.tick)
            return
        self.motion = max(self.motion or 0.0, difference / 255)
        if difference <= still_threshold(self.history):
            self._still(view, difference)
        else:
            self._moved(view.tick, difference)

    def _still(self, view: View, difference: float) -> None:
        if not self.run:
            self.run_start, self.run_exact = view.tick, True
            self.before = self.history[-1] if self.history else 0.0
        if len(self.run) < FREEZE_FRAMES * 1_000:
            self.run.append(difference)
        self.run_exact = self.run_exact and difference == 0
        lasted_s = (view.tick + view.duration - self.run_start) / self.second
        long_enough = len(self.run) >= FREEZE_FRAMES and lasted_s >= needed_s(self.history)
        if not self.freeze.is_open and long_enough and not is_flat(view.luma, view.frame.bit_depth):
            self.freeze.open(self.run_start, lasted_s)

    def _moved(self, tick: int, difference: float) -> None:
        run = self.run
        if run and len(run) < FREEZE_FRAMES and self.run_exact:
            known = len(self.history) >= FLOOR_FRAMES
            natural = not known or repeats_by_nature(self.history)
            usual = max(CALM_CODES if natural else MOVING_CODES, MOVING_SHARE * self._usual())
            if self.before >= usual and difference >= usual:
                self._repeat(tick, len(run))
        self._end_run(tick)
        self.history.append(difference)
        self.repeats.quiet(tick)

    def _usual(self) -> float:
        moving = sorted(value for value in self.history if value > 0)
        return moving[len(moving) // 2] if moving else 0.0

    def _repeat(self, tick: int, count: int) -> None:
        first = self.number - count
        name = str(first) if count == 1 else f"{first}–{first + count - 1}"
        self.repeated += count
        self.repeated_total += count
        self.repeats.fault(self.run_start, tick, count, name)

    def _end_run(self, tick: int) -> None:
        if self.freeze.is_open:
            self.freeze.close(tick, (tick - self.run_start) / self.second)
        elif len(self.run) < self.second:
            self.history.extend(self.run)  # stillness that was no freeze is the feed's nature
        self.run = []

    def drain(self) -> dict[str, Value]:
        """Return motion and repeats since the last drain."""
        if not self.any:
            return {}
        values: dict[str, Value] = {
            MOTION.key: self.motion,
            REPEATED.key: self.repeated,
            REPEATED_TOTAL.key: self.repeated_total,
        }
        self.any, self.motion, self.repeated = False, None, 0
        return values

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call."""
        return self.freeze.take() + self.repeats.take()

    def reset(self) -> None:
        """Restart the total of repeats."""
        self.repeated_total = 0

    def finish(self, end: int) -> None:
        """Close what is open at the end of the last picture."""
        self._end_run(end)
        self.repeats.close()
