"""Motion, and single repeated pictures: one difference of luma serves both.

The difference is the mean of absolute luma differences between a picture and the one before, in
codes of 8 bits, over the whole picture (0.15 ms at 1080p by ``cv2.norm``).

A *repeat* is a run of fewer than ``FREEZE_FRAMES`` exactly equal pictures between moving ones:
what a camera, a converter or an encoder doubled. Around a picture that hardly moves it means
nothing and is not counted.
"""

from collections import deque

from monitor.measure.measurement import Detection, Setup
from monitor.measure.picture.bursts import Bursts
from monitor.measure.picture.stamps import second_ticks
from monitor.measure.picture.view import View
from monitor.measure.picture.viewer import viewer
from monitor.measure.picture_faults.freeze import FREEZE_FRAMES, HISTORY_FRAMES, NATURAL_SHARE
from monitor.metrics import Value, declare

KNOWN_FRAMES = 10  # differences needed to know what is usual
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


def repeats_by_nature(history: deque[float]) -> bool:
    """Say whether exactly equal pictures are usual on this feed."""
    equal = sum(value == 0 for value in history)
    return equal >= max(1, NATURAL_SHARE * len(history))


@viewer("stillness", detectors=("frames_repeated",))
class Stillness:
    """Compares every picture with the one before it."""

    def __init__(self, setup: Setup) -> None:
        self.repeats = Bursts(
            "frames_repeated", "frames", second_ticks(setup.stream), "repeated: frame"
        )
        self.history: deque[float] = deque(maxlen=HISTORY_FRAMES)
        self.run = 0  # exactly equal pictures so far
        self.run_start = 0
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
            self._end_run()
            return
        self.motion = max(self.motion or 0.0, difference / 255)
        if difference > 0:
            self._moved(view.tick, difference)
            return
        if not self.run:
            self.run_start = view.tick
            self.before = self.history[-1] if self.history else 0.0
        self.run += 1

    def _moved(self, tick: int, difference: float) -> None:
        if 0 < self.run < FREEZE_FRAMES:
            known = len(self.history) >= KNOWN_FRAMES
            natural = not known or repeats_by_nature(self.history)
            usual = max(CALM_CODES if natural else MOVING_CODES, MOVING_SHARE * self._usual())
            if self.before >= usual and difference >= usual:
                self._repeat(tick, self.run)
        self._end_run()
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

    def _end_run(self) -> None:
        self.history.extend([0.0] * min(self.run, HISTORY_FRAMES))
        self.run = 0

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
        return self.repeats.take()

    def reset(self) -> None:
        """Restart the total of repeats."""
        self.repeated_total = 0

    def finish(self, end: int) -> None:
        """Close what is open."""
        self._end_run()
        self.repeats.close()
