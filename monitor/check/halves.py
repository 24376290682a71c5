"""Divide the measuring of a long file of sound over two processes, each with some measurements.

Both read the whole file and measure it in the same steps; one sends what it finds to the other,
which joins the two and judges. No measurement is cut in time, so the result is exactly that of
one process. What is read and converted twice is a tenth of measuring PCM, and far more of any
compressed sound: only WAV is divided.
"""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

from capture.source import StreamInfo
from capture.sources.media_file import MediaFile, MediaFileOptions
from config.spec import Spec, Stage
from monitor.check.measuring import Found, Measuring, Step
from monitor.lines import Gap, Reading
from monitor.measure.measurement import MEASUREMENTS
from monitor.measure.sound.listener import LISTENERS
from monitor.metrics import Value
from monitor.rules.table import detector_limits

LOST_S = 60.0  # without a step: the other half hangs, and all is measured by one
BOTH = "listening"  # cuts the hops all listeners share, and keeps the trace events carry
JUDGING_NS = 10.0
COSTS_NS: Mapping[str, float] = {
    "meters": 15.5, "low_band": 12.0, "pairs": 8.0, "repeated_buffer": 7.5, "dropout": 5.0,
    "clap": 3.3, "stuck": 2.6, "clicks": 2.5, "rounded_tops": 2.4, "flat_tops": 6.5, "tone": 1.4,
    "silence": 0.7, "bit_depth": 0.5, "clipping": 0.5, "nan": 0.4, "level_low": 0.3,
    "floor_moved": 0.3, "swapped": 0.1, "clock_drift": 0.1, "audio_bit_rate": 0.1,
}  # fmt: skip
"""CPU time a channel-sample of a stereo file, of each among all: beside each other they are dearer
than alone (``bench.check costs``), and only a real file has a pair.

It only balances the halves; results do not depend on it.
"""
OTHERS_NS = 5.0  # a detector not in the table
SOUND = StreamInfo(index=0, kind="audio", time_base=Fraction(1, 48_000))


class HalfLost(Exception):
    """The other half ended, hangs, or read something else."""


@cache
def shares() -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of what the judging process measures, and of what the other one does.

    The dearest first, each to whom has less; the meters stay here, for they have most to tell.
    """
    names = [name for name in (*MEASUREMENTS, *LISTENERS) if name not in (BOTH, "meters")]
    ours, theirs = ["meters"], list[str]()
    ours_ns, theirs_ns = JUDGING_NS + COSTS_NS["meters"], 0.0
    for name in sorted(names, key=lambda one: (-_cost_ns(one), one)):
        if ours_ns < theirs_ns:
            ours.append(name)
            ours_ns += _cost_ns(name)
        else:
            theirs.append(name)
            theirs_ns += _cost_ns(name)
    return frozenset([*ours, BOTH]), frozenset([*theirs, BOTH])


def _cost_ns(name: str) -> float:
    if name in MEASUREMENTS and not MEASUREMENTS[name].suits(SOUND):
        return 0.0
    return COSTS_NS.get(name, OTHERS_NS)


class Half:
    """What the other process sends, step by step. ``ours``: names of what is measured here."""

    def __init__(self, pipe: Connection, ours: frozenset[str]) -> None:
        self.ours = ours
        self._pipe = pipe

    def close(self) -> None:
        """Hear no more: the other process ends."""
        self._pipe.close()

    def joined(self, ours: Step) -> Step:
        """Return a step with what the other half found in it. Raises ``HalfLost``."""
        theirs = self._next()
        if (ours.length_ns, ours.ended) != (theirs.length_ns, theirs.ended):
            raise HalfLost(f"one half is at {ours.length_ns} ns, the other at {theirs.length_ns}")
        return joined(ours, theirs)

    def _next(self) -> Step:
        try:
            if not self._pipe.poll(LOST_S):
                raise HalfLost(f"no step for {LOST_S:g} s")
            step = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise HalfLost("the other half has ended") from error
        assert isinstance(step, Step)
        return step


def joined(ours: Step, theirs: Step) -> Step:
    """Return one step out of two halves of it.

    Whole readings of a stream become one. What no measurement found, gaps and changes of format,
    both halves tell; ours is taken.
    """
    wholes = {_span(one): one.line for one in theirs.found if one.whole}
    found = [_with(one, wholes.get(_span(one))) if one.whole else one for one in ours.found]
    rest = [one for one in theirs.found if not one.whole and not _told_twice(one)]
    return replace(ours, found=found + rest)


def _span(found: Found) -> tuple[int, int, int]:
    line = found.line
    return (line.stream, line.epoch, found.start_ns)


def _with(ours: Found, theirs: object) -> Found:
    if not isinstance(ours.line, Reading) or not isinstance(theirs, Reading):
        return ours
    values: dict[str, Value] = {**theirs.values, **ours.line.values}
    return replace(ours, line=ours.line.model_copy(update={"values": values}))


def _told_twice(found: Found) -> bool:
    line = found.line
    return isinstance(line, Gap) or (not isinstance(line, Reading) and line.detector not in _own())


@cache
def _own() -> frozenset[str]:
    """Return the detectors that belong to a measurement."""
    return frozenset(name for kind in MEASUREMENTS.values() for name in kind.detectors)


def measure_half(
    pipe: Connection, path: Path, spec: Spec | None, stage: Stage, only: frozenset[str]
) -> None:
    """Measure the other half of a file and send its steps. Raises ``OSError``, ``SourceError``."""
    source = MediaFile(MediaFileOptions.model_construct(path=str(path)))
    try:
        measuring = Measuring(source.open(), detector_limits(spec, stage), only)
        for step in measuring.steps(source, lambda fraction: None):
            pipe.send(step)
    finally:
        source.close()
        pipe.close()
