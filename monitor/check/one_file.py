"""Measure one recorded file and judge it: the kernels and rules of live monitoring, at full speed.

A file is one take, rolling throughout. Media time is the engine's time, and metrics are drained at
fixed steps of it, so that results never depend on the machine's speed.
"""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from itertools import count
from pathlib import Path

from capture.source import NeedsOneThread, SourceError
from capture.sources.media_file import MediaFile, MediaFileOptions
from config.spec import Limit, Rule, Spec, Stage
from monitor.check.figures import Measured, audio_stream, traces, video_stream
from monitor.check.halves import Half, HalfLost
from monitor.check.measuring import FILE, NS, Begun, Found, Measuring, Step
from monitor.lines import Event, Gap, Hello, OutLine, Reading, State
from monitor.measure.av_offset import AvOffsets
from monitor.measure.described import describe
from monitor.measure.measurement import MEASUREMENTS
from monitor.measure.picture.picture_format import KEYS as FORMAT_KEYS
from monitor.measure.picture.timecode import label_after
from monitor.metrics import Value
from monitor.report.document import CheckAlert, CheckDocument, MediaTime, Verdict
from monitor.report.wording import figure
from monitor.rules.engine import Engine
from monitor.rules.model import RANK, Alert, LevelTrace, Place, Transition
from monitor.rules.sources import SourceFacts
from monitor.rules.table import RULE_NAMES, detector_limits, rules_for

STAMP_SLACK = 0.01  # of a picture: stamps are rounded to their time base
TRACE_STEP_S = 0.1  # of what is drawn, until there is too much of it
HELD = FORMAT_KEYS
"""Metrics that are told once and hold until they change: the rules hear them in every reading."""
AGAINST_LINE_UP = frozenset({"dead_microphone", "floor_raised", "swapped"})
"""Detectors that compare with what the line-up learned; a file has none."""
SEEN_BY: Mapping[str, tuple[str, ...]] = {
    "pixellation": ("quantiser", "blockiness"),
    "focus_lost": ("sharpness",),
    "flicker": ("flicker_ratio",),
    "hot_pixels": ("hot_pixels",),
    "legal_range": ("illegal_area",),
}
"""Detectors that cannot judge every picture, and the metrics of which one is there when they do."""
KINDS_OF = {"sound": ("audio",), "camera": ("video",), "both": ("audio", "video", "data")}
"""Streams by the department that looks after them."""


def shown_path(path: Path) -> str:
    """Return a path as text; bytes that are not UTF-8 are spelt out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def check_file(
    path: Path,
    spec: Spec | None,
    spec_name: str | None,
    stage: Stage,
    progress: Callable[[float], None] | None = None,
    other: Half | None = None,
    threads: int = 1,
) -> CheckDocument:
    """Measure a file and judge it by a spec's stage; without a spec, hard faults only.

    ``progress`` is told how much of the file has been read, 0 to 1. Never raises for a bad file:
    what cannot be read has the verdict ``unreadable`` and one line in ``error``. ``other``: a
    process that measures the other half; if it fails, all is measured here. ``threads``: that
    decode pictures; a file that needs one is measured again.
    """
    heard = progress or _unheard
    try:
        try:
            session = _measured(path, spec, stage, heard, other, threads)
        except (HalfLost, NeedsOneThread):
            session = _measured(path, spec, stage, heard, None, 1)
    except (SourceError, OSError) as error:
        return unreadable(path, spec_name, stage, one_cause(error, path))
    finally:
        if other is not None:
            other.close()
    return _document(session, path, spec, spec_name, stage)


def _measured(
    path: Path,
    spec: Spec | None,
    stage: Stage,
    progress: Callable[[float], None],
    other: Half | None,
    threads: int,
) -> "_Session":
    source = MediaFile(MediaFileOptions.model_construct(path=os.fspath(path)), threads)
    only = None if other is None else other.ours
    try:
        measuring = Measuring(source.open(), detector_limits(spec, stage), only)
        session = _Session(shown_path(Path(path.name)), measuring, rules_for(spec, stage))
        for step in measuring.steps(source, progress):
            session.take(step if other is None else other.joined(step))
    finally:
        source.close()
    return session


def unreadable(path: Path, spec_name: str | None, stage: Stage, error: str) -> CheckDocument:
    """Return the document of a file that gave nothing."""
    return CheckDocument(
        file=shown_path(path),
        spec=spec_name,
        stage=stage,
        verdict="unreadable",
        not_checked=list(RULE_NAMES),
        error=error,
    )


def one_cause(error: Exception, path: Path) -> str:
    """Return an error's message in one line, without the file's name in front of it."""
    return " ".join(str(error).removeprefix(f"{path}: ").split()) or type(error).__name__


def _unheard(fraction: float) -> None:
    """Tell nobody."""


class _Session:
    """One file being judged: the rules, and what they and the measurements have said so far."""

    def __init__(self, name: str, measuring: Measuring, rules: Sequence[Rule]) -> None:
        self.rules = rules
        self.measuring = measuring
        self.measured: dict[tuple[int, int], Measured] = {}
        self._held: dict[tuple[int, int], dict[str, Value]] = {}
        self.alerts: dict[str, Alert] = {}
        self._offsets = AvOffsets()
        self._labelled: tuple[int, str, Fraction] | None = None
        """When the first labelled picture is, its timecode, and the frame rate."""
        self.detectors: set[tuple[str, str]] = set()
        """Kind of stream, and a detector that listened to one."""
        facts = SourceFacts(id=FILE, name=name, department="both", group=FILE)
        ids = count(1)
        self._engine = Engine(rules, {FILE: facts}, live=False, new_id=lambda: f"alert-{next(ids)}")
        self._hear(self._engine.set_phase("rolling", 0))
        self._greet(measuring.begun, 0)
        self._hear(self._engine.line(State(source=FILE, state="live", t_mono_ns=0), 0))

    def take(self, step: Step) -> None:
        """Judge what was found in a step."""
        if step.begun is not None:
            self._greet(step.begun, step.length_ns)
        for found in sorted(step.found, key=_order):
            self._judge(found)
        if step.ended:
            self._hear(self._engine.finish(step.length_ns))
        else:
            self._hear(self._engine.tick(step.low_ns))

    def _greet(self, begun: Begun, at_ns: int) -> None:
        for info in begun.streams:
            self.measured[(begun.epoch, info.index)] = Measured(
                info=info, programme=self.measuring.programme_of(info.index), step_s=TRACE_STEP_S
            )
            kinds = (kind for kind in MEASUREMENTS.values() if kind.suits(info))
            self.detectors.update((info.kind, name) for kind in kinds for name in kind.detectors)
        self._hear(self._engine.line(_hello(begun), at_ns))

    def _judge(self, found: Found) -> None:
        line = found.line
        if isinstance(line, Reading):
            measured = self.measured[(line.epoch, line.stream)]
            measured.put(found.start_ns / NS, found.at_ns / NS, line.values)
            label, rate = line.values.get("timecode_first"), measured.info.frame_rate
            if self._labelled is None and isinstance(label, str) and rate:
                self._labelled = found.start_ns, label, rate
            line = self._with_held(line) if found.whole else line
        self._hear(self._engine.line(line, found.at_ns))
        if isinstance(line, Event) and (known := self._offsets.take(line)):
            self._judge(Found(line=known, start_ns=found.start_ns, at_ns=found.at_ns))

    def timecode(self, at_s: float) -> str | None:
        """Return the timecode of the picture shown at a time, counted on from the file's first."""
        if self._labelled is None:
            return None
        first_ns, label, rate = self._labelled
        pictures = math.floor((at_s - first_ns / NS) * rate + STAMP_SLACK)
        return label_after(label, pictures, rate)

    def _with_held(self, reading: Reading) -> Reading:
        """Return a reading with what holds until it changes: an alert on it lasts as long.

        Its metrics in an order of their own, however many processes they come from.
        """
        held = self._held.setdefault((reading.epoch, reading.stream), {})
        held.update((key, reading.values[key]) for key in HELD if key in reading.values)
        values = sorted({**held, **reading.values}.items())
        return reading.model_copy(update={"values": dict(values)})

    def _hear(self, told: Iterable[Transition]) -> None:
        for transition in told:
            if transition.alert.active_ns is not None:
                self.alerts[transition.alert.id] = transition.alert


def _order(found: Found) -> tuple[int, int, int, int, str]:
    """Return a line's place among others: media time, since steps are long beside some delays.

    At one moment losses come first, being causes; then events in the order in which detectors are
    registered, pieces of readings, and whole readings.
    """
    line = found.line
    if isinstance(line, Gap):
        return found.at_ns, 0, line.stream, 0, ""
    if isinstance(line, Event):
        return found.at_ns, 1, _ranks().get(line.detector, len(_ranks())), line.stream, ""
    return found.at_ns, 2, line.stream, int(found.whole), min(line.values, default="")


@cache
def _ranks() -> dict[str, int]:
    """Return the place of each detector in the registry."""
    names = [name for kind in MEASUREMENTS.values() for name in kind.detectors]
    return {name: rank for rank, name in enumerate(names)}


def _hello(begun: Begun) -> OutLine:
    return Hello(
        node="", boot_id="", pid=0, source=FILE, kind="media_file", epoch=begun.epoch,
        latency_s=0.0, streams=[describe(info) for info in begun.streams],
    )  # fmt: skip


# ---- the document


def _document(
    session: _Session, path: Path, spec: Spec | None, spec_name: str | None, stage: Stage
) -> CheckDocument:
    lines = limit_lines(spec, stage)
    found = list(session.measured.values())
    alerts = [
        _alert(session, alert)
        for alert in sorted(session.alerts.values(), key=lambda one: one.onset_ns)
        if alert.suppressed_by is None
    ]
    return CheckDocument(
        file=shown_path(path),
        spec=spec_name,
        stage=stage,
        verdict=_verdict(session, alerts),
        not_checked=_not_checked(session),
        duration_s=round(session.measuring.length_ns / NS, 6),
        audio=[audio_stream(one) for one in found if one.info.kind == "audio"],
        video=[video_stream(one) for one in found if one.info.kind == "video"],
        alerts=alerts,
        traces=[trace for one in found for trace in traces(one, lines)],
    )


def _verdict(session: _Session, alerts: Sequence[CheckAlert]) -> Verdict:
    if not session.measuring.measured_anything:
        return "not_measured"
    return "fail" if any(RANK[alert.severity] >= RANK["CHECK"] for alert in alerts) else "pass"


def _alert(session: _Session, alert: Alert) -> CheckAlert:
    end_ns = session.measuring.length_ns if alert.end_ns is None else alert.end_ns
    if alert.rule in {rule.name for rule in session.rules if rule.at_end}:  # of the whole file
        whole = {"onset_ns": 0, "start": None, "end": None}
        alert, end_ns = alert.model_copy(update=whole), session.measuring.length_ns
    end = None if alert.end_ns is None else alert.end  # else it is only where it was last seen
    return CheckAlert(
        rule=alert.rule,
        severity=alert.severity,
        stream=alert.stream,
        channel=alert.channel,
        start_s=(start_s := _seconds(session, alert, alert.start, alert.onset_ns)),
        end_s=_seconds(session, alert, end, end_ns),
        start=_media_time(alert.start),
        end=_media_time(end),
        timecode=session.timecode(start_s),
        worst=alert.worst,
        limit=alert.limit,
        unit=alert.unit,
        message=alert.message,
        trace=_trace(session, alert),
        ebu_qc=alert.ebu_qc,
        cause=alert.cause,
    )


def _trace(session: _Session, alert: Alert) -> LevelTrace | None:
    """Return an alert's level trace, counted from the file's start."""
    if alert.trace is None:
        return None
    start_s = _seconds(session, alert, alert.start, alert.onset_ns) + alert.trace.start_s
    return alert.trace.model_copy(update={"start_s": round(start_s, 3)})


def _seconds(session: _Session, alert: Alert, place: Place | None, at_ns: int) -> float:
    """Return a moment from the file's start; from exact ticks where there are any."""
    if place is not None and alert.stream is not None:
        at_ns = session.measuring.place_ns(alert.stream, place.ticks)
    return round(at_ns / NS, 6)


def _media_time(place: Place | None) -> MediaTime | None:
    if place is None:
        return None
    return MediaTime(ticks=place.ticks, time_base=place.time_base)


def _not_checked(session: _Session) -> list[str]:
    judged = {rule.name for rule in session.rules if _was_judged(session, rule)}
    return [name for name in RULE_NAMES if name not in judged]


def _was_judged(session: _Session, rule: Rule) -> bool:
    """Say whether a rule had something to judge in this file: a detector, or a metric."""
    kinds = KINDS_OF[rule.department]
    if rule.event in AGAINST_LINE_UP:
        return False
    needed = SEEN_BY.get(rule.event or "")
    if needed and not any(
        key in one.measured for one in session.measured.values() for key in needed
    ):
        return False
    if rule.event is not None:
        return any((kind, rule.event) in session.detectors for kind in kinds)
    if rule.metric is None:
        return rule.kind == "gap"
    if rule.metric.startswith("stream."):
        field = rule.metric.removeprefix("stream.")
        return any(
            one.info.kind in kinds and getattr(one.info, field, None) is not None
            for one in session.measured.values()
        )
    known = (one.known if rule.at_end else one.measured for one in session.measured.values())
    return any(rule.metric in metrics for metrics in known)


def limit_lines(spec: Spec | None, stage: Stage) -> dict[str, list[tuple[str, float]]]:
    """Return the spec's lines for plots: by rule, the words and the height of each."""
    if spec is None:
        return {}
    limits = getattr(spec, stage).limits
    return {name: lines for name, limit in limits.items() if (lines := _lines(limit))}


def _lines(limit: Limit) -> list[tuple[str, float]]:
    named = [("at least ", limit.min), ("at most ", limit.max), ("", limit.value)]
    return [
        (f"{word}{figure(float(at), 1)}", float(at))
        for word, at in named
        if isinstance(at, int | float)
    ]
