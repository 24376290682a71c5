"""The audio-video offset of a feed or file, from flashes and beeps that began together. Pure.

A flash lies between the picture before the first lit one and that one, so each pair says that the
offset lies in a span as long as a picture; pairs whose flashes fell at other moments of the picture
say so of other spans, and what all have in common is the offset: with ten of them it is known far
better than to a picture. Flashes that keep step with the pictures (a test file's) all say the same:
then the first lit picture's own stamp is taken.

Positive is sound early, as ITU-R BT.1359-1 counts. Limits: EBU R 37 and BT.1359-1, see
docs/decisions/0219-av-offset-from-flash-and-beep.md.
"""

import statistics
from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from monitor.lines import Event, Reading
from monitor.metrics import declare

OFFSET: Final = declare(
    "av_offset_ms", "ms", "scalar", "last", "Sound before picture, from flash and beep; late is < 0"
)
ERROR: Final = declare(
    "av_offset_error_ms", "ms", "scalar", "last", "How far that may be off, either way"
)
PAIRS: Final = declare(
    "av_offset_pairs", "", "scalar", "last", "Flashes with their beeps that it was taken from"
)
FLASH, BEEP = "flash", "beep"
LATE_MS: Final = 400.0  # farther apart they are not one moment; flashes are 0.8 s apart or more
LEAST_PAIRS: Final = 5
MOST_PAIRS: Final = 20
AGREE: Final = 0.8  # of the pairs at least agree, or it is no pattern but chance
JITTER_MS: Final = 5.0  # of stamps that containers round
SWEPT: Final = 1 / 3  # of a picture: a shorter span in common is of flashes out of step
STAMP_MS: Final = 3.0  # what a beep's begin may be off: AAC at 96 kb/s smears it by that
FORGOTTEN_MS: Final = 40_000.0


@dataclass(frozen=True, slots=True)
class Offset:
    """What the pairs agree on, in ms: ``offset_ms`` > 0 is sound early."""

    offset_ms: float
    error_ms: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Pair:
    """How much later than the first lit picture the beep began, and how long a picture lasts."""

    late_ms: float
    picture_ms: float


def agreed(pairs: "list[Pair]") -> Offset | None:
    """Return the offset that most of the pairs have in common; None if they have none."""
    if len(pairs) < LEAST_PAIRS:
        return None
    middle = statistics.median(pair.late_ms for pair in pairs)
    alike = [p for p in pairs if abs(p.late_ms - middle) <= p.picture_ms + JITTER_MS]
    if len(alike) < max(LEAST_PAIRS, AGREE * len(pairs)):
        return None
    picture_ms = statistics.median(pair.picture_ms for pair in alike)
    low = max(pair.late_ms for pair in alike)
    high = min(pair.late_ms for pair in alike) + picture_ms
    width = abs(high - low)
    in_step = width > SWEPT * picture_ms
    late = low if in_step else (low + high) / 2
    error = width if in_step else width / 2
    return Offset(round(-late, 1) + 0.0, round(error + STAMP_MS, 1), len(alike))


@dataclass(slots=True)
class _Heard:
    """The newest flashes (time, a picture's length) and beeps of a source, in ms."""

    epoch: int
    stream: int | None = None
    time_base: Fraction = Fraction(1)
    flashes: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MOST_PAIRS))
    beeps: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_PAIRS))

    def pairs(self) -> list[Pair]:
        """Return each flash with the beep nearest to it."""
        found = []
        for flash_ms, picture_ms in self.flashes:
            nearest = min(self.beeps, key=lambda beep_ms: abs(beep_ms - flash_ms), default=None)
            if nearest is not None and abs(nearest - flash_ms) <= LATE_MS:
                found.append(Pair(nearest - flash_ms, picture_ms))
        return found

    def forget(self, now_ms: float) -> None:
        """Let go of what is too old to be of the same showing."""
        while self.flashes and self.flashes[0][0] < now_ms - FORGOTTEN_MS:
            self.flashes.popleft()
        while self.beeps and self.beeps[0] < now_ms - FORGOTTEN_MS:
            self.beeps.popleft()


class AvOffsets:
    """The offsets of all sources, from their event lines."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}

    def take(self, line: Event) -> Reading | None:
        """Take an event; return a reading of the picture's stream if it made the offset known."""
        if line.detector not in (FLASH, BEEP) or line.phase != "open":
            return None
        heard = self._heard.get(line.source)
        if heard is None or heard.epoch != line.epoch:
            heard = self._heard[line.source] = _Heard(line.epoch)
        base = Fraction(line.time_base)
        at_ms = float(line.start * base * 1000)
        if line.detector == BEEP:
            heard.beeps.append(at_ms)
        else:
            heard.flashes.append((at_ms, line.worst or 0.0))
            heard.stream, heard.time_base = line.stream, base
        heard.forget(at_ms)
        found = agreed(heard.pairs())
        if found is None or heard.stream is None:
            return None
        tick = round(Fraction(at_ms / 1000) / heard.time_base)
        values = {
            OFFSET.key: found.offset_ms,
            ERROR.key: found.error_ms,
            PAIRS.key: found.pairs,
        }
        return Reading(
            source=line.source, seq=0, stream=heard.stream, epoch=line.epoch, start=tick, end=tick,
            t_arrival_ns=line.t_arrival_ns, values=dict(values),
        )  # fmt: skip
