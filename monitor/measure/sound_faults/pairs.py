"""Faults between the two channels of a declared pair: one inverted, or both the same.

Only pairs that the settings declare are judged: safety tracks are copies by intent. Both are heard
in frames picked by :mod:`pair_frames` and averaged by :mod:`likeness`, a second at a time.

*Polarity.* Evidence is the sign of what is common, whatever the delay up to 10 ms, and the sign of
what is common under 44 Hz (:mod:`pair_lows`), where no distance of a pair is a delay: of coincident
microphones it is certain within three averages; of microphones far from the speaker it is gathered
for as long as it takes. A pair whose sign has gone to and fro is no left and right: the side signal
of M/S turns with where the speaker stands. It is not judged any more.

*Dual mono.* Equal sample for sample while both carry sound, from the first equal sample to the
first that differs; or alike but for gain, a few samples of delay and a little noise. A steady tone
is sent to two tracks by intent and is not told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from monitor.measure.measurement import Detection, Setup, StepPhase
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.likeness import Average, Comparer, Likeness, Products
from monitor.measure.sound_faults.pair_frames import PairFrames
from monitor.measure.sound_faults.pair_lows import PairLows
from monitor.metrics import Value

LIKELY: Final = 0.1  # taken off each average's evidence: unlike sound's own deviation
CAP: Final = 0.7  # less than SURE after that: one average alone decides nothing
SURE: Final = 0.7  # 65 clean spaced pairs of the tuning half reached 0.52 the wrong way
LOW_LEAST: Final = 0.5  # common under 44 Hz; less of it may be a room's mode
TURNS_LIMIT: Final = 2  # a cable is mended once; a sign that turns again follows the speaker
TONE_LINES: Final = 2.6  # a tone has 2.0, the least of speech and music in the tuning half 2.7
DELAY_KNOWN: Final = 0.2  # of coherence; below it reflections may be the higher peak
SAME: Final = 1e-3  # a correlation of 0.9995, as reviewers of deliveries ask
LEAST: Final = 0.98  # in any band: rumble alone is alike on any two microphones that are near
DIFFERS: Final = 4e-3  # an open episode ends beyond it
ALIKE_FOR: Final = 2  # averages in a row
PROBE: Final = 48  # every so many samples are compared before all are


@dataclass(slots=True, kw_only=True)
class Episode:
    """What is said of one pair by one detector, from open to close."""

    detector: str
    pair: tuple[int, int]
    start: int
    worst: float | None = None
    worst_tick: int | None = None
    unit: str = ""
    detail: str | None = None

    def step(self, phase: StepPhase, end: int | None = None) -> Detection:
        """Return a step of it."""
        first, second = self.pair
        return Detection(
            detector=self.detector,
            key=f"{self.detector}-{first}-{second}-{self.start}",
            phase=phase,
            start=self.start,
            end=end,
            channels=self.pair,
            worst=self.worst,
            worst_tick=self.worst_tick,
            unit=self.unit,
            detail=self.detail,
        )


class Polarity:
    """The sign of what a pair has in common; sums of evidence either way (Page, 1954)."""

    def __init__(self, pair: tuple[int, int]) -> None:
        self._pair = pair
        self._sums = {1: 0.0, -1: 0.0}
        self._since = {1: 0, -1: 0}
        self._sign = 0
        self._turns = 0
        self.open: Episode | None = None

    def hear(self, found: Likeness, low: float, start: int, end: int) -> list[Detection]:
        """Take what an average over [start, end) says and how much is common in the lows."""
        if self._turns > TURNS_LIMIT or found.lines < TONE_LINES:
            return []
        of_lows = low if abs(low) >= LOW_LEAST else 0.0
        evidence = max(-CAP, min(CAP, found.skewness + of_lows))
        for sign, before in self._sums.items():
            if before == 0.0:
                self._since[sign] = start
            self._sums[sign] = min(SURE, max(0.0, before + sign * evidence - LIKELY))
        sure = next((sign for sign, total in self._sums.items() if total >= SURE), 0)
        return [] if sure in (0, self._sign) else self._turn(sure, found, end)

    def _turn(self, sign: int, found: Likeness, end: int) -> list[Detection]:
        self._turns += self._sign != 0
        self._sign = sign
        if sign > 0 or self._turns > TURNS_LIMIT:
            return self.close(self._since[sign])
        self.open = Episode(
            detector="polarity",
            pair=self._pair,
            start=self._since[sign],
            worst=round(100 * found.coherence, 1),
            worst_tick=end,
            unit="%",
            detail=self._delay(found),
        )
        return [self.open.step("open")]

    def _delay(self, found: Likeness) -> str | None:
        late_ms = round(1e3 * abs(found.peak_s), 1)
        if found.coherence < DELAY_KNOWN or not late_ms:
            return None
        return f"the {'second' if found.peak_s > 0 else 'first'} hears it {late_ms} ms later"

    def close(self, end: int) -> list[Detection]:
        """Close an open episode."""
        episode, self.open = self.open, None
        return [] if episode is None else [episode.step("close", max(end, episode.start))]


class DualMono:
    """Whether a pair's channels carry the same."""

    def __init__(self, pair: tuple[int, int], sample_rate_hz: int) -> None:
        self._pair = pair
        self._rate = sample_rate_hz
        self._equal_since: int | None = None
        self._alike = 0
        self._alike_since = self._alike_end = 0
        self._exact = False
        self.open: Episode | None = None

    @property
    def was_equal(self) -> bool:
        """Whether all samples were equal up to now, since some tick."""
        return self._equal_since is not None

    def equal(self, start: int, end: int, *, carries: bool) -> None:
        """Say that samples are equal from ``start`` to ``end``; silence begins no episode."""
        if not carries and not self._exact:
            self._equal_since = end
        elif self._equal_since is None:
            self._equal_since = start

    def unequal(self, tick: int) -> list[Detection]:
        """Say that the sample at ``tick`` differs."""
        self._equal_since = None
        return self.close(tick) if self._exact else []

    def hear(self, found: Likeness, start: int, end: int) -> list[Detection]:
        """Take what an average over [start, end) says."""
        if found.lines < TONE_LINES:
            return []
        if self._equal_since is not None and self._equal_since <= start:
            return self._is_equal()
        if self._exact:
            return []
        limit = SAME if self.open is None else DIFFERS
        if found.residual > limit or found.least < LEAST:
            self._alike = 0
            return self.close(self._alike_end)
        self._alike_since = start if self._alike == 0 else self._alike_since
        self._alike, self._alike_end = self._alike + 1, end
        if self.open is not None or self._alike < ALIKE_FOR:
            return []
        return self._begin(self._alike_since, found)

    def _is_equal(self) -> list[Detection]:
        assert self._equal_since is not None
        if self._exact:
            return []
        steps = self.close(self._equal_since)
        self._exact, self._alike = True, 0
        return steps + self._begin(self._equal_since, None)

    def _begin(self, start: int, found: Likeness | None) -> list[Detection]:
        self.open = Episode(detector="dual_mono", pair=self._pair, start=start, detail="equal")
        if found is not None:
            self.open.worst = round(10 * float(np.log10(max(found.residual, 1e-12))), 1)
            self.open.worst_tick, self.open.unit = start, "dB"
            self.open.detail = self._words(found)
        return [self.open.step("open")]

    def _words(self, found: Likeness) -> str:
        samples = round(found.lag_s * self._rate)
        gain_db = round(20 * float(np.log10(found.gain)), 1) + 0.0  # no minus before a zero
        words = f"the second {gain_db:+.1f} dB".replace("-", "−")
        if not samples:
            return words
        plural = "s" if abs(samples) > 1 else ""
        return f"{words}, {abs(samples)} sample{plural} {'later' if samples > 0 else 'earlier'}"

    def close(self, end: int) -> list[Detection]:
        """Close an open episode."""
        episode, self.open, self._exact = self.open, None, False
        return [] if episode is None else [episode.step("close", max(end, episode.start))]


@listen("pairs", detectors=("polarity", "dual_mono"))
class PairFaults:
    """Polarity and dual mono of every declared pair; costs nothing where none is declared."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        inside = (pair for pair in setup.pairs if max(pair) < channels and pair[0] != pair[1])
        self._pairs = tuple(inside)
        self._frames = PairFrames(self._pairs, sample_rate_hz)
        self._lows = PairLows(self._pairs, sample_rate_hz)
        self._comparer = Comparer(self._frames.length, sample_rate_hz)
        self._averages = [Average(len(self._comparer.hz)) for _ in self._pairs]
        self._starts = [0 for _ in self._pairs]
        self._polarity = [Polarity(pair) for pair in self._pairs]
        self._dual_mono = [DualMono(pair, sample_rate_hz) for pair in self._pairs]
        self._steps: list[Detection] = []
        self._end = 0

    def hear(self, hop: Hop) -> None:
        """Compare the two sides of each pair."""
        if not self._pairs:
            return
        self._end = hop.end
        frames = self._frames
        frames.take(hop)
        self._lows.take(hop)
        maybe = [self._maybe_equal(index) for index in range(len(self._pairs))]
        looked = [0] * len(self._pairs)
        products = self._comparer.products(frames.frames()) if frames.picked else ()
        for (step, index), of_frame in zip(frames.picked, products, strict=True):
            self._look(index, range(looked[index], step + 1), maybe[index])
            looked[index] = step + 1
            self._add(index, frames.start + frames.end_of(step), of_frame)
        for index, done in enumerate(looked):
            self._look(index, range(done, frames.steps), maybe[index])

    def _maybe_equal(self, index: int) -> list[bool]:
        """Say of each new step whether a few of a pair's samples are all equal."""
        frames = self._frames
        span = slice(frames.first, frames.first + frames.steps * frames.step)
        one, other = frames.sound[index, :, span].reshape(2, -1, frames.step)[:, :, ::PROBE]
        equal: list[bool] = (one == other).all(axis=1).tolist()
        return equal

    def _look(self, index: int, steps: range, maybe: list[bool]) -> None:
        """Follow whether a pair's samples are equal, step by step."""
        frames, pair = self._frames, self._dual_mono[index]
        for step in steps:
            if not (maybe[step] or pair.was_equal):
                continue
            end = frames.end_of(step)
            one, other = frames.sound[index, :, end - frames.step : end]
            same, tick = one == other, frames.start + end - frames.step
            if same.all():
                start = tick - self._equal_before(index, end - frames.step)
                pair.equal(start, tick + frames.step, carries=bool((one != one[0]).any()))
            elif pair.was_equal:
                self._steps += pair.unequal(tick + int(np.argmin(same)))

    def _equal_before(self, index: int, at: int) -> int:
        """Return how many samples of the step before frame ``at`` were equal, up to its end."""
        one, other = self._frames.sound[index, :, max(0, at - self._frames.step) : at]
        unlike = np.flatnonzero(one != other)
        return len(one) - 1 - int(unlike[-1]) if len(unlike) else 0

    def _add(self, index: int, end: int, products: Products) -> None:
        """Add what a frame that ends at tick ``end`` gives to its pair's average; judge it full."""
        average = self._averages[index]
        if average.count == 0:
            self._starts[index] = end - self._frames.length
        if not average.add(products):
            return
        start, found = self._starts[index], self._comparer.compare(average)
        self._steps += self._dual_mono[index].hear(found, start, end)
        self._steps += self._polarity[index].hear(found, self._lows.common(index, end), start, end)
        average.clear()

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: pairs are told by events."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        steps, self._steps = self._steps, []
        return steps

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes where the stream ends."""
        for index in range(len(self._pairs)):
            self._steps += self._polarity[index].close(self._end)
            self._steps += self._dual_mono[index].close(self._end)
