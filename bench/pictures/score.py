"""Run the pipeline over shots and count: recall, precision, false alarms an hour, AUC, latency.

A shot reaches the pipeline as a worker feeds it live: encoded into memory, read by capture's
demuxer, events taken after every item, readings drained twice a second.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction

import numpy as np

import monitor.measure  # noqa: F401  fills the registry
from bench.corpus.material import Half
from bench.crew import Crew, Raised
from bench.pictures.faults.fault import FAULTS, Fault, Stage
from bench.pictures.paint import Happening
from bench.pictures.shots import Label, Shot, Wanted, shot
from capture.source import Ended, Frame, StreamInfo
from monitor.lines import Event, Gap, Reading
from monitor.measure.measurement import MEASUREMENTS
from monitor.measure.picture.viewer import VIEWERS
from monitor.measure.pipeline import Pipeline
from monitor.rules.sources import SourceFacts
from monitor.rules.table import detector_limits

CAMERA = SourceFacts(id="pictures", name="cam", department="camera", group="camera")
TOLERANCE_S = 0.25  # an episode may begin this much before its label or after its end
SETTLES_S = 1.5  # of a label whose metric is not looked at: faults come on, windows fill
EARLY = 2  # pictures: a damaged packet tells of a picture before the decoder shows it
DRAIN_S = 0.5
KEPT_VALUES = 400  # of a metric a shot, so that results stay small

# What may be told of an innocent happening: a fade through black is black.
ALLOWED = {("fade through black", "black")}


@dataclass(slots=True, kw_only=True)
class Heard:
    """One episode of a detector, in pictures counted by stamps.

    ``told``: pictures that had come when its opening, and every update that counts more, was told.
    """

    detector: str
    start: int
    end: int | None
    told: list[int]
    detail: str = ""
    worst: float | None = None


@dataclass(slots=True, kw_only=True)
class Run:
    """What one shot gave: episodes, and (start, end, value) of the metrics that were asked for."""

    heard: list[Heard] = field(default_factory=list[Heard])
    values: dict[str, list[tuple[int, int, float]]] = field(default_factory=dict)
    frames: int = 0
    alerts: list[Raised] = field(default_factory=list[Raised])


class _Numbers:
    """Turns ticks into pictures counted from the first stamp."""

    def __init__(self, info: StreamInfo, rate: Fraction) -> None:
        self._a_tick = info.time_base * rate
        self._first: int | None = None

    def at(self, tick: int) -> int:
        """Return the picture that is shown at a tick."""
        self._first = tick if self._first is None else self._first
        return round((tick - self._first) * self._a_tick)

    def first(self, tick: int | None) -> None:
        """Note the first stamp."""
        if self._first is None and tick is not None:
            self._first = tick


def measurements_of(detectors: Collection[str] | None) -> set[str] | None:
    """Return the measurements and viewers that give these detectors' events; None: all."""
    if detectors is None:
        return None
    given = [(name, kind.detectors) for name, kind in MEASUREMENTS.items()]
    given += [(name, kind.detectors) for name, kind in VIEWERS.items()]
    return {name for name, names in given if set(names) & set(detectors)}


def hear(
    shot_: Shot,
    *,
    detectors: Collection[str] | None = None,
    metrics: Collection[str] = (),
    stage: Stage = "feed",
    rolling: bool = False,
) -> Run:
    """Run the pipeline over a shot; with metrics, or no detectors named, every measurement.

    ``rolling``: the default rules hear it too, as while a take rolls.
    """
    infos, items = shot_.items()
    only = None if metrics else measurements_of(detectors)
    pipeline = Pipeline(
        "pictures", infos, limits=detector_limits(None, stage), live=stage == "feed", only=only
    )
    numbers = _Numbers(infos[0], shot_.rate)
    found: dict[str, tuple[Heard, int]] = {}
    run = Run()
    now = -1
    every = max(1, round(DRAIN_S * float(shot_.rate)))
    crew = Crew(CAMERA, infos[0], float(shot_.rate)) if rolling else None
    for item in items:
        if isinstance(item, Frame):
            numbers.first(item.pts)
            now = numbers.at(item.pts) if item.pts is not None else now + 1
            run.frames += 1
        pipeline.feed(item)
        readings: list[Reading] = []
        if isinstance(item, Ended) or (isinstance(item, Frame) and run.frames % every == 0):
            readings = pipeline.readings(item.t_arrival_ns)
            _keep_values(run, readings, metrics, numbers)
        events = pipeline.events()
        for event in events:
            if isinstance(event, Event):
                _keep_event(found, event, now, numbers)
        if crew is not None:
            _tell(crew, [*events, *readings], max(now, 0))
    run.heard = [heard for heard, _ in found.values()]
    run.alerts = crew.raised() if crew is not None else []
    return run


def _tell(crew: Crew, lines: Sequence[Event | Gap | Reading], now: int) -> None:
    for line in lines:
        crew.line(line, now)
    crew.pass_time(now)


def _keep_event(
    found: dict[str, tuple[Heard, int]], event: Event, now: int, numbers: _Numbers
) -> None:
    heard, count = found.get(event.id) or (
        Heard(detector=event.detector, start=numbers.at(event.start), end=None, told=[]),
        0,
    )
    if event.count > count:
        heard.told.append(now)
    heard.end = numbers.at(event.end) if event.end is not None else heard.end
    heard.detail, heard.worst = event.detail or heard.detail, event.worst
    found[event.id] = heard, max(count, event.count)


def _keep_values(
    run: Run, readings: Sequence[Reading], metrics: Collection[str], numbers: _Numbers
) -> None:
    for reading in readings:
        for key in metrics:
            value = reading.values.get(key)
            values = value if isinstance(value, list) else [value]
            known = [v for v in values if isinstance(v, int | float)]
            if known and reading.start is not None and reading.end is not None:
                span = numbers.at(reading.start), numbers.at(reading.end)
                run.values.setdefault(key, []).append((*span, float(max(known))))


@dataclass(slots=True, kw_only=True)
class Result:
    """What one shot gave. ``false`` and ``others`` count episodes by detector.

    ``false``: of the fault's own detectors, off every label (on a clean shot: of any detector).
    ``others``: of others on a spoilt shot: consequences, not counted as false.
    ``frames_*``: pictures, where a fault is counted by picture. ``bad``, ``good``: values
    of the fault's metric inside its labels and on clean shots, there by metric.
    """

    seed: int
    half: Half
    fault: str | None
    scene: str
    coder: str
    height: int
    seconds: float
    labels: int = 0
    hits: int = 0
    late: int = 0
    latencies: list[int] = field(default_factory=list[int])
    missed: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    false: dict[str, int] = field(default_factory=dict[str, int])
    false_at: list[Heard] = field(default_factory=list[Heard])
    others: dict[str, int] = field(default_factory=dict[str, int])
    frames_bad: int = 0
    frames_told: int = 0
    frames_right: int = 0
    bad: list[float] = field(default_factory=list[float])
    good: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    alerts: list[Raised] = field(default_factory=list[Raised])
    """Of a clean shot: all that a crew would have been told."""


def _end(heard: Heard) -> int:
    return max(heard.told, default=heard.start) + 1 if heard.end is None else heard.end


def matches(shot_: Shot, span: Label | Happening, heard: Heard) -> bool:
    """Say whether an episode lies on a label's or a happening's stretch."""
    tolerance = TOLERANCE_S * float(shot_.rate)
    return heard.start < span.end + tolerance and _end(heard) > span.start - tolerance


def allowed(shot_: Shot, heard: Heard) -> bool:
    """Say whether an episode tells an innocent happening truly."""
    return any(
        (one.kind, heard.detector) in ALLOWED and matches(shot_, one, heard)
        for one in shot_.happenings
    )


def judge(shot_: Shot, fault: Fault | None, run: Run) -> Result:
    """Match episodes with labels and count."""
    result = Result(
        seed=shot_.seed,
        half=shot_.half,
        fault=None if fault is None else fault.name,
        scene=shot_.scene.name,
        coder=shot_.coder.name,
        height=shot_.canvas.height,
        seconds=shot_.seconds,
        labels=len(shot_.labels),
        alerts=run.alerts,
    )
    finders = () if fault is None else (*fault.detectors, *fault.also)
    of_kind = [one for one in run.heard if one.detector in finders]
    for label in shot_.labels:
        assert fault is not None
        _judge_label(result, shot_, fault, label, of_kind)
    for one in run.heard:
        off = not any(matches(shot_, label, one) for label in shot_.labels)
        if allowed(shot_, one):
            continue
        if fault is None or (one.detector in fault.detectors and off):
            result.false[one.detector] = result.false.get(one.detector, 0) + 1
            result.false_at.append(one)
        elif one.detector not in finders:
            result.others[one.detector] = result.others.get(one.detector, 0) + 1
    if fault is not None and fault.by_frame:
        _count_frames(result, shot_, of_kind)
    _sort_values(result, shot_, fault, run)
    return result


def _judge_label(
    result: Result, shot_: Shot, fault: Fault, label: Label, of_kind: Iterable[Heard]
) -> None:
    mine = [one for one in of_kind if matches(shot_, label, one)]
    first = min((n for one in mine for n in one.told if n >= label.start - EARLY), default=None)
    if first is None:
        result.missed.append(asdict(label))
        return
    within = fault.within_s * float(shot_.rate)
    if first > (label.end if fault.from_end else label.start) + within:
        result.late += 1
        result.missed.append({**asdict(label), "late": first - label.start})
        return
    result.hits += 1
    result.latencies.append(first - label.start)


def _count_frames(result: Result, shot_: Shot, of_kind: Iterable[Heard]) -> None:
    bad, told = (np.zeros(shot_.frames, np.bool_) for _ in range(2))
    for label in shot_.labels:
        bad[label.start : label.end] = True
    for one in of_kind:
        told[max(0, one.start) : one.end if one.end is not None else shot_.frames] = True
    told[sorted(shot_.absent)] = bad[sorted(shot_.absent)] = False
    result.frames_bad, result.frames_told = int(bad.sum()), int(told.sum())
    result.frames_right = int((bad & told).sum())


def _sort_values(result: Result, shot_: Shot, fault: Fault | None, run: Run) -> None:
    if fault is None:
        result.good = {
            key: [value for _, _, value in rows][:KEPT_VALUES] for key, rows in run.values.items()
        }
        return
    settled = SETTLES_S * float(shot_.rate)
    for start, end, value in run.values.get(fault.metric or "", []):
        inside = (one.start + settled <= start and end <= one.end for one in shot_.labels)
        if any(inside) and len(result.bad) < KEPT_VALUES:
            result.bad.append(value)


def spoilt(seed: int, half: Half, fault: Fault) -> Shot:
    """Return a shot with a fault injected."""
    number = sorted(FAULTS).index(fault.name) + 1
    made = shot(seed, half, fault.wanted, salt=number)
    fault.inject(made, np.random.default_rng([seed, number]))
    return made


def score_clean(
    seed: int,
    half: Half,
    wanted: Wanted,
    *,
    detectors: Collection[str] | None = None,
    metrics: Collection[str] = (),
    stage: Stage = "feed",
    rolling: bool = False,
) -> Result:
    """Return what one clean shot gives."""
    made = shot(seed, half, wanted)
    run = hear(made, detectors=detectors, metrics=metrics, stage=stage, rolling=rolling)
    return judge(made, None, run)


def score_spoilt(
    seed: int, half: Half, fault: Fault, *, detectors: Collection[str] | None = None
) -> Result:
    """Return what one shot spoilt by a fault gives."""
    made = spoilt(seed, half, fault)
    metrics = [fault.metric] if fault.metric else []
    run = hear(made, detectors=detectors, metrics=metrics, stage=fault.stage)
    return judge(made, fault, run)


def auc(bad: Sequence[float], good: Sequence[float], *, less: bool = False) -> float | None:
    """Return the chance that a spoilt stretch's value is over a clean one's; ties count half."""
    if not bad or not good:
        return None
    signed = -1.0 if less else 1.0
    ordered = np.sort(signed * np.asarray(good))
    values = signed * np.asarray(bad)
    under = np.searchsorted(ordered, values, "left")
    upto = np.searchsorted(ordered, values, "right")
    return float(np.mean((under + upto) / 2) / len(ordered))


def in_minutes(results: Iterator[Result], minutes: float) -> Iterator[Result]:
    """Yield results until they hold so many minutes."""
    seconds = 0.0
    for result in results:
        yield result
        seconds += result.seconds
        if seconds >= 60 * minutes:
            return
