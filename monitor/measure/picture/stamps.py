"""Ticks of pictures: stamps where there are any, a count where there are none."""

from collections import deque
from fractions import Fraction

from capture.source import Frame, StreamInfo

LEARNED_FRAMES = 49  # two seconds at 25 fps; an odd number has a middle
STEADY_SHARE = 0.8  # of the steps that must be near a multiple of the middle one, else no cadence
STEADY_PART = 5  # near: within a fifth of the period; random steps would be near 40 % of the time
ENOUGH_STEPS = 8
TS_WRAP = 1 << 33  # MPEG-TS stamps have 33 bits (ISO/IEC 13818-1, 2.4.3.7)


def second_ticks(stream: StreamInfo) -> int:
    """Return one second in ticks of the stream, at least 1."""
    return max(1, round(1 / stream.time_base))


def unwrapped_step(step: int) -> int:
    """Return a step between stamps with a wrap of 33 bits undone."""
    if step < -TS_WRAP // 2:
        return step + TS_WRAP
    if step > TS_WRAP // 2:
        return step - TS_WRAP
    return step


class Cadence:
    """The usual step between pictures, learned from the last two seconds of steps."""

    def __init__(self) -> None:
        self.steps: deque[int] = deque(maxlen=LEARNED_FRAMES)
        self._known = False  # the period, of these very steps
        self._period: int | None = None

    def add(self, step: int) -> None:
        """Take one step in ticks."""
        if step > 0:
            same = len(self.steps) == LEARNED_FRAMES and self.steps[0] == step
            self._known = self._known and same  # as one like it goes
            self.steps.append(step)

    @property
    def period(self) -> int | None:
        """The usual step in ticks; None when too few are known or they have no rhythm."""
        if not self._known:
            self._known, self._period = True, self._learned()
        return self._period

    def _learned(self) -> int | None:
        if len(self.steps) < ENOUGH_STEPS:
            return None
        middle = sorted(self.steps)[(len(self.steps) - 1) // 2]
        slack = max(1, middle // STEADY_PART)
        away = (abs(step - max(1, round(step / middle)) * middle) for step in self.steps)
        near = sum(distance <= slack for distance in away)
        return middle if near >= STEADY_SHARE * len(self.steps) else None


class FrameClock:
    """Gives every picture a tick: its stamp, or the last one plus the declared frame duration."""

    def __init__(self, stream: StreamInfo) -> None:
        rate = stream.frame_rate or Fraction(25)
        self.duration = max(1, round(1 / (rate * stream.time_base)))
        self.last: int | None = None

    def tick(self, frame: Frame) -> int:
        """Return the picture's tick and remember it."""
        if frame.pts is not None:
            self.last = frame.pts
        else:
            self.last = 0 if self.last is None else self.last + self.duration
        return self.last

    @property
    def end(self) -> int:
        """The end of the last picture."""
        return (self.last or 0) + self.duration
