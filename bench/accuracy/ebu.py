"""EBU Tech 3341 v4 (1-6, 9-23) and Tech 3342 v4 (1-4) on several meters: who is how far off."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.accuracy import meters
from bench.accuracy.meters import Meter, Samples, Trace
from tests.monitor.measure.sound import ebu_signals as signals

LU = (0.1, 0.1)
TRUE_PEAK_DB = (0.4, 0.2)  # below, above
RANGE_LU = (1.0, 1.0)
METERS: dict[str, Meter] = {
    "Takewatch": meters.takewatch,
    "libebur128, polled at 10 Hz": meters.libebur128,
    "FFmpeg": meters.ffmpeg,
}
Expected = list[tuple[float, float]]  # shown, asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: its signal, and how it is judged; ``tolerance`` below and above, in dB or LU."""

    number: str
    says: str
    expects: str
    tolerance: tuple[float, float]
    judge: Callable[[Meter, int], Expected]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one meter did in one case at one rate."""

    case: str
    meter: str
    rate: int
    expectations: int
    failed: int
    worst: float


def _integrated(name: str) -> Callable[[Meter, int], Expected]:
    steps, level = signals.INTEGRATED[name]

    def judge(meter: Meter, rate: int) -> Expected:
        trace = meter(signals.pair(signals.tone(steps, rate)), rate, "stereo")
        shown = [trace.integrated]
        if name in ("1", "2"):
            shown += [trace.momentary[-1], trace.short_term[-1]]
        return [(float(value), level) for value in shown]

    return judge


def _surround(meter: Meter, rate: int) -> Expected:
    front, centre, rear = (signals.tone([(20, level)], rate) for level in (-28, -24, -30))
    samples = signals.side_by_side([front, front, centre, rear, rear])
    return [(meter(samples, rate, "5.0").integrated, -23)]


def _constant(
    steps: signals.Steps, after_s: float, read: Callable[[Trace], np.ndarray[tuple[int]]]
) -> Callable[[Meter, int], Expected]:
    def judge(meter: Meter, rate: int) -> Expected:
        trace = meter(signals.pair(signals.tone(steps, rate)), rate, "stereo")
        shown = read(trace)[trace.times_s > after_s + 1e-6]
        return [(float(shown.min()), -23), (float(shown.max()), -23)]

    return judge


def _files(
    files: list[signals.Steps], read: Callable[[Trace], np.ndarray[tuple[int]]]
) -> Callable[[Meter, int], Expected]:
    def judge(meter: Meter, rate: int) -> Expected:
        made = (signals.pair(signals.tone(steps, rate)) for steps in files)
        return [(float(read(meter(samples, rate, "stereo"))[-1]), -23) for samples in made]

    return judge


def _live(
    parts: list[signals.Steps], each_s: float, read: Callable[[Trace], np.ndarray[tuple[int]]]
) -> Callable[[Meter, int], Expected]:
    """Levels rise from part to part, so the maximum at a part's end is that part's own."""

    def judge(meter: Meter, rate: int) -> Expected:
        samples = signals.pair(signals.tone([step for part in parts for step in part], rate))
        trace = meter(samples, rate, "stereo")
        ends = np.arange(1, len(parts) + 1) * each_s
        last = np.searchsorted(trace.times_s, ends + 1e-6) - 1
        shown = read(trace)[np.minimum(last, len(trace.times_s) - 1)]
        return list(zip(shown.tolist(), map(float, signals.LIVE_LEVELS), strict=True))

    return judge


def _true_peak(index: int) -> Callable[[Meter, int], Expected]:
    def judge(meter: Meter, rate: int) -> Expected:
        signal, level = signals.true_peak_signals(rate)[index]
        samples: Samples = np.ascontiguousarray(signal[:, None], np.float32)
        return [(meter(samples, rate, "mono").true_peaks_dbtp[0], level)]

    return judge


def _range(index: int) -> Callable[[Meter, int], Expected]:
    levels, expected = signals.RANGES[index]

    def judge(meter: Meter, rate: int) -> Expected:
        steps = [(20.0, level) for level in levels]
        trace = meter(signals.pair(signals.tone(steps, rate)), rate, "stereo")
        return [(trace.range_lu, expected)]

    return judge


def _m(trace: Trace) -> np.ndarray[tuple[int]]:
    return trace.momentary


def _s(trace: Trace) -> np.ndarray[tuple[int]]:
    return trace.short_term


def _m_max(trace: Trace) -> np.ndarray[tuple[int]]:
    return trace.momentary_max


def _s_max(trace: Trace) -> np.ndarray[tuple[int]]:
    return trace.short_term_max


def _loudness_cases() -> Iterator[tuple[str, str, str, Callable[[Meter, int], Expected]]]:
    yield "1", "20 s at −23", "M, S, I −23", _integrated("1")
    yield "2", "20 s at −33", "M, S, I −33", _integrated("2")
    yield "3", "−36, −23, −36: gating", "I −23", _integrated("3")
    yield "4", "−72, −36, −23, −36, −72: both gates", "I −23", _integrated("4")
    yield "5", "−26, −20, −26", "I −23", _integrated("5")
    yield "6", "5.0 surround", "I −23", _surround
    steps = signals.SHORT_TERM_CONSTANT
    yield "9", "1.34 s −20, 1.66 s −30, …", "S −23 at all times", _constant(steps, 3, _s)
    files, live = signals.SHORT_TERM_FILES, signals.SHORT_TERM_LIVE
    yield "10", "3 s of tone, 20 files", "max S −23", _files(files, _s_max)
    yield "11", "the same live, rising", "max S −38…−19", _live(live, 6.0, _s_max)
    steps = signals.MOMENTARY_CONSTANT
    yield "12", "0.18 s −20, 0.22 s −30, …", "M −23 at all times", _constant(steps, 1, _m)
    files, live = signals.MOMENTARY_FILES, signals.MOMENTARY_LIVE
    yield "13", "400 ms of tone, 20 files", "max M −23", _files(files, _m_max)
    yield "14", "the same live, rising", "max M −38…−19", _live(live, 0.8, _m_max)


PEAK_SIGNALS = (
    "fs/4, 0°", "fs/4, 45°", "fs/6, 60°", "fs/8, 67.5°", "fs/4, 45°, +3 dB",
    "burst, offset 0", "burst, offset 1", "burst, offset 2", "burst, offset 3",
)  # fmt: skip


def cases() -> list[Case]:
    """Return all cases that can be synthesised."""
    found = [
        Case(number=f"3341-{number}", says=says, expects=expects, tolerance=LU, judge=judge)
        for number, says, expects, judge in _loudness_cases()
    ]
    for index, says in enumerate(PEAK_SIGNALS):
        level = -6 if index < 4 else 3 if index == 4 else 0
        found.append(
            Case(
                number=f"3341-{15 + index}",
                says=says,
                expects=f"true peak {level:+d}".replace("-", "−") if level else "true peak 0",
                tolerance=TRUE_PEAK_DB,
                judge=_true_peak(index),
            )
        )
    for index, (levels, expected) in enumerate(signals.RANGES):
        steps = ", ".join(f"{level:.0f}" for level in levels).replace("-", "−")
        found.append(
            Case(
                number=f"3342-{index + 1}",
                says=f"20 s each at {steps}",
                expects=f"LRA {expected:.0f}",
                tolerance=RANGE_LU,
                judge=_range(index),
            )
        )
    return found


def outcome(case: Case, meter: str, rate: int) -> Outcome:
    """Give one case to one meter at one rate."""
    shown = case.judge(METERS[meter], rate)
    errors = np.array([value - wanted for value, wanted in shown])
    below, above = case.tolerance
    rounding = 1e-6
    failed = (errors < -below - rounding) | (errors > above + rounding)
    return Outcome(
        case=case.number,
        meter=meter,
        rate=rate,
        expectations=len(shown),
        failed=int(failed.sum()),
        worst=float(errors[np.abs(errors).argmax()]),
    )
