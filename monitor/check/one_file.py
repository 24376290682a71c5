"""Measure one recorded file and judge it: the kernels and rules of live monitoring, at full speed.

A file is one take, rolling throughout. Media time is the engine's time, and metrics are drained at
fixed steps of it, so that results never depend on the machine's speed.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from itertools import count
from operator import itemgetter
from pathlib import Path

from capture.source import (
    Block,
    Changed,
    Ended,
    Frame,
    Item,
    Packet,
    SourceError,
    SourceLost,
    StreamInfo,
)
from capture.sources.media_file import MediaFile, MediaFileOptions
from config.spec import Limit, Rule, Spec, Stage
from monitor.check.figures import Measured, audio_stream, traces, video_stream
from monitor.check.joining import JoinedBlocks
from monitor.lines import Event, Gap, Hello, OutLine, Reading, State
from monitor.measure.measurement import MEASUREMENTS
from monitor.measure.pipeline import Pipeline, describe
from monitor.metrics import Value
from monitor.report.document import CheckAlert, CheckDocument, MediaTime, Verdict
from monitor.report.wording import figure
from monitor.rules.engine import Engine
from monitor.rules.model import RANK, Alert, LevelTrace, Place, Transition
from monitor.rules.sources import SourceFacts
from monitor.rules.table import RULE_NAMES, detector_limits, rules_for

STEP_NS = 100_000_000
"""Media time between two drains with pictures: the rules' delays are 0.25 s and more."""
SOUND_STEP_NS = 1_000_000_000
"""The same of sound alone: a third of the cost; its readings' pieces and its events are finer."""
TRACE_STEP_S = 0.1  # of what is drawn, until there is too much of it
READ_TIMEOUT_S = 5.0  # of one read of a local file; the source itself gives up at its stall time
STAMPED_ELSEWHERE_NS = 1_000_000_000
"""A first time-stamp beyond this is a transport stream's own clock, not this file's time."""
NS = 1_000_000_000
FILE = "file"
HELD = ("picture_size_px", "pixel_format", "scan")
"""Metrics that are told once and hold until they change: the rules hear them in every reading."""
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
) -> CheckDocument:
    """Measure a file and judge it by a spec's stage; without a spec, hard faults only.

    ``progress`` is told how much of the file has been read, 0 to 1. Never raises for a bad file:
    what cannot be read has the verdict ``unreadable`` and one line in ``error``.
    """
    source = MediaFile(MediaFileOptions.model_construct(path=os.fspath(path)))
    try:
        streams = source.open()
        session = _Session(
            shown_path(Path(path.name)),
            streams,
            rules_for(spec, stage),
            detector_limits(spec, stage),
        )
        _read_through(source, session, progress or _unheard)
    except (SourceError, OSError) as error:
        return unreadable(path, spec_name, stage, one_cause(error, path))
    finally:
        source.close()
    return _document(session, path, spec, spec_name, stage)


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


def _read_through(
    source: MediaFile, session: "_Session", progress: Callable[[float], None]
) -> None:
    """Feed every item of a source; a file that stops being readable is a short one."""
    while not session.ended:
        try:
            item = source.read(READ_TIMEOUT_S)
        except SourceLost as error:
            if not session.measured_anything:
                raise
            item = session.broken_off(str(error))
        if item is not None and session.take(item):
            progress(source.progress)


class _Session:
    """One file being measured: the pipeline, the rules, and what they have said so far."""

    def __init__(
        self,
        name: str,
        streams: Sequence[StreamInfo],
        rules: Sequence[Rule],
        limits: dict[str, object],
    ) -> None:
        self.ended = False
        self.rules = rules
        self.measured: dict[tuple[int, int], Measured] = {}
        self._held: dict[tuple[int, int], dict[str, Value]] = {}
        self.alerts: dict[str, Alert] = {}
        self.detectors: set[tuple[str, str]] = set()
        """Kind of stream, and a detector that listened to one."""
        self.origin_ns: int | None = None
        self.positions_ns: dict[int, int] = {}
        self.kinds: dict[int, str] = {}
        self._ns: dict[int, Fraction] = {}
        self._packet_ns: dict[int, int] = {}
        self._step_ns = self._due_ns = STEP_NS
        self._joined = JoinedBlocks()
        self._pipeline = Pipeline(FILE, streams, limits=limits, live=False)
        facts = SourceFacts(id=FILE, name=name, department="both", group=FILE)
        ids = count(1)
        self._engine = Engine(rules, {FILE: facts}, live=False, new_id=lambda: f"alert-{next(ids)}")
        self._hear(self._engine.set_phase("rolling", 0))
        self._greet(streams)
        self._hear(self._engine.line(State(source=FILE, state="live", t_mono_ns=0), 0))

    @property
    def measured_anything(self) -> bool:
        """Whether a sample or a picture came."""
        return bool(self.positions_ns) or self._joined.holds

    @property
    def length_ns(self) -> int:
        """Media time from the file's start to the end of its last sample or picture."""
        return max(self.positions_ns.values(), default=0)

    def place_ns(self, stream: int, ticks: int) -> int:
        """Return ticks of a stream as nanoseconds from the file's start."""
        return max(0, round(ticks * self._ns[stream]) - (self.origin_ns or 0))

    def take(self, item: Item) -> bool:
        """Measure the next item; say whether a step of media time is full."""
        full = [self._take(one) for one in self._joined.put(item)]  # each of them, full or not
        return any(full)

    def _take(self, item: Item) -> bool:
        self._advance(item)
        if isinstance(item, Changed):
            self._drain()
        self._pipeline.feed(item)
        if isinstance(item, Changed):
            self._greet(item.streams)
        if isinstance(item, Ended):
            self._finish()
            return True
        if self.length_ns < self._due_ns:
            self._judge(self._pipeline.events())
            return False
        self._due_ns = self.length_ns - self.length_ns % self._step_ns + self._step_ns
        self._drain()
        return True

    def broken_off(self, why: str) -> Ended:
        """Return the end of a file that cannot be read on."""
        for block in self._joined.flush():
            self._take(block)
        declared_s = [info.declared_duration_s or 0.0 for info in self._pipeline.streams]
        missing_s = max([*declared_s, 0.0]) - self.length_ns / NS
        return Ended(reason=why, t_arrival_ns=self.length_ns, short_by_s=max(missing_s, 0.001))

    def _greet(self, streams: Sequence[StreamInfo]) -> None:
        epoch = self._pipeline.epoch
        for info in streams:
            self._ns[info.index] = info.time_base * NS
            self.kinds[info.index] = info.kind
            self.measured[(epoch, info.index)] = Measured(
                info=info, programme=self._pipeline.programme_of(info.index), step_s=TRACE_STEP_S
            )
            kinds = (kind for kind in MEASUREMENTS.values() if kind.suits(info))
            self.detectors.update((info.kind, name) for kind in kinds for name in kind.detectors)
        has_pictures = any(info.kind == "video" for info in streams)
        self._step_ns = STEP_NS if has_pictures else SOUND_STEP_NS
        self._joined.limits = {
            info.index: (info.sample_rate_hz or 0) * self._step_ns // NS for info in streams
        }
        self._hear(self._engine.line(_hello(epoch, streams), self.length_ns))

    def _advance(self, item: Item) -> None:
        if isinstance(item, Packet) and item.stream in self._ns:
            self._packet_ns[item.stream] = round((item.duration or 0) * self._ns[item.stream])
        if isinstance(item, Block):
            start, end = item.start, item.start + len(item.samples)
        elif isinstance(item, Packet | Frame) and item.pts is not None:
            start = end = item.pts
        else:
            return
        scale = self._ns.get(item.stream)
        if scale is None:
            return
        if self.origin_ns is None:
            first_ns = round(start * scale)
            self.origin_ns = first_ns if abs(first_ns) > STAMPED_ELSEWHERE_NS else 0
        if not isinstance(item, Packet):
            end_ns = self.place_ns(item.stream, end)
            if isinstance(item, Frame):
                end_ns += self._packet_ns.get(item.stream, 0)
            self.positions_ns[item.stream] = max(self.positions_ns.get(item.stream, 0), end_ns)

    def _drain(self) -> None:
        readings = self._pipeline.readings(self.length_ns)
        self._judge([*self._pipeline.events(), *readings])
        self._hear(self._engine.tick(min(self.positions_ns.values(), default=0)))

    def _finish(self) -> None:
        self.ended = True
        readings = self._pipeline.readings(self.length_ns)
        self._judge([*self._pipeline.events(), *readings])
        self._hear(self._engine.finish(self.length_ns))

    def _judge(self, lines: Iterable[Event | Gap | Reading]) -> None:
        """Let the rules hear lines in order of media time: steps are long beside some delays."""
        for at_ns, line in sorted(((self._at_ns(one), one) for one in lines), key=itemgetter(0)):
            if isinstance(line, Gap):
                line = self._in_seconds(line)
            if isinstance(line, Reading):
                start_s = self.place_ns(line.stream, line.start) / NS
                self.measured[(line.epoch, line.stream)].put(start_s, at_ns / NS, line.values)
                line = self._with_held(line)
            self._hear(self._engine.line(line, at_ns))

    def _at_ns(self, line: Event | Gap | Reading) -> int:
        """Return when a line was known: a reading at its end, an event at the newest it tells."""
        here_ns = self.positions_ns.get(line.stream, 0)
        if isinstance(line, Reading):
            return self.place_ns(line.stream, line.end)
        if isinstance(line, Gap) or self.kinds.get(line.stream) != "audio":
            return here_ns
        ticks = max(line.start, line.end or line.start, line.worst_tick or line.start)
        return min(here_ns, self.place_ns(line.stream, ticks))

    def _with_held(self, reading: Reading) -> Reading:
        """Return a reading with what holds until it changes: an alert on it lasts as long."""
        held = self._held.setdefault((reading.epoch, reading.stream), {})
        held.update((key, reading.values[key]) for key in HELD if key in reading.values)
        return reading.model_copy(update={"values": held | reading.values}) if held else reading

    def _in_seconds(self, gap: Gap) -> Gap:
        """Return a gap in seconds, whatever was counted: gaps of a file must add up."""
        lost_s = gap.amount
        if gap.unit == "samples":
            lost_s *= float(self._ns[gap.stream]) / NS
        elif gap.unit in ("packets", "frames"):
            lost_s *= self._packet_ns.get(gap.stream, 0) / NS
        return gap.model_copy(update={"amount": lost_s, "unit": "s"})

    def _hear(self, told: Iterable[Transition]) -> None:
        for transition in told:
            if transition.alert.active_ns is not None:
                self.alerts[transition.alert.id] = transition.alert


def _hello(epoch: int, streams: Sequence[StreamInfo]) -> OutLine:
    return Hello(
        node="", boot_id="", pid=0, source=FILE, kind="media_file", epoch=epoch, latency_s=0.0,
        streams=[describe(info) for info in streams],
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
        duration_s=round(session.length_ns / NS, 6),
        audio=[audio_stream(one) for one in found if one.info.kind == "audio"],
        video=[video_stream(one) for one in found if one.info.kind == "video"],
        alerts=alerts,
        traces=[trace for one in found for trace in traces(one, lines)],
    )


def _verdict(session: _Session, alerts: Sequence[CheckAlert]) -> Verdict:
    if not session.measured_anything:
        return "not_measured"
    return "fail" if any(RANK[alert.severity] >= RANK["CHECK"] for alert in alerts) else "pass"


def _alert(session: _Session, alert: Alert) -> CheckAlert:
    end_ns = session.length_ns if alert.end_ns is None else alert.end_ns
    if alert.rule in {rule.name for rule in session.rules if rule.at_end}:  # of the whole file
        whole = {"onset_ns": 0, "start": None, "end": None}
        alert, end_ns = alert.model_copy(update=whole), session.length_ns
    end = None if alert.end_ns is None else alert.end  # else it is only where it was last seen
    return CheckAlert(
        rule=alert.rule,
        severity=alert.severity,
        stream=alert.stream,
        channel=alert.channel,
        start_s=_seconds(session, alert, alert.start, alert.onset_ns),
        end_s=_seconds(session, alert, end, end_ns),
        start=_media_time(alert.start),
        end=_media_time(end),
        timecode=alert.timecode,
        worst=alert.worst,
        limit=alert.limit,
        unit=alert.unit,
        message=alert.message,
        trace=_trace(session, alert),
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
        at_ns = session.place_ns(alert.stream, place.ticks)
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
