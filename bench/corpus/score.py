"""Run the pipeline over takes and count: recall, false alarms a channel-hour, how soon it was told.

The pipeline is fed as a worker feeds it live: blocks of 20 ms of int32, events taken at once,
readings drained at 25 Hz, arrival stamps with up to 5 ms of jitter. Clean takes come in blocks of
100 ms, which is quicker: what is told does not depend on how sound is cut, only how soon it is.
"""

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from scipy.special import betaincinv, gammaincinv

from bench.corpus.faults.fault import FAULTS, Fault, Label
from bench.corpus.happenings import Span
from bench.corpus.material import RATE, Half, Material
from bench.corpus.takes import Take, take
from bench.crew import Crew, Raised
from capture.source import Block, Ended
from monitor.lines import Event, Gap
from monitor.measure.measurement import MEASUREMENTS
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.listener import LISTENERS
from monitor.metrics import Value, baseline_of
from monitor.rules.sources import SourceFacts
from monitor.rules.table import detector_limits

BLOCK = RATE // 50
LARGE_BLOCK = RATE // 10  # where it does not matter how soon something is told: quicker
DRAIN_EVERY = 2  # blocks: readings at 25 Hz
JITTER_S = 0.005
LINE_UP_S = 30.0
TOLERANCE_S = 0.25  # an episode may begin this much before its label or after its end
CONFIDENCE = 0.95

# What may be told of an innocent happening: a clap may really clip, a closed fader is silent.
ALLOWED = {("slate", "clipping"), ("closed fader", "silence"), ("closed fader", "dropout")}


@dataclass(slots=True, kw_only=True)
class Heard:
    """One episode of a detector: where, and the samples by which more and more of it was told.

    ``told``: of its opening and of every update that counts further faults: several faults that
    lie close together are one episode, and each must be told. No channels: all of them.
    """

    detector: str
    channels: tuple[int, ...]
    start: int
    end: int | None
    told: list[int]
    detail: str = ""
    worst: float | None = None


def blocks(take_: Take, size: int = BLOCK) -> Iterator[Block]:
    """Yield the take as a device delivers it."""
    samples = take_.samples if take_.as_float is None else take_.as_float
    generator = np.random.default_rng(take_.seed)
    for at in range(0, len(samples), size):
        due_s = (at + size) / RATE * (1 + take_.clock_ppm * 1e-6)
        late_s = generator.uniform(0, JITTER_S)
        yield Block(
            stream=0,
            epoch=0,
            start=at,
            samples=samples[at : at + size],
            t_arrival_ns=round((due_s + late_s) * 1e9),
        )


@contextmanager
def only(detectors: Collection[str] | None) -> Iterator[None]:
    """Let pipelines made and fed inside run only what gives these detectors' events.

    None: every detector. Meters give no events and take most of the time, so they are left out.
    """
    with _narrowed(MEASUREMENTS, detectors), _narrowed(LISTENERS, detectors):
        yield


class _Kind(Protocol):
    @property
    def detectors(self) -> Sequence[str]: ...


_K = TypeVar("_K", bound=_Kind)


@contextmanager
def _narrowed(registry: dict[str, _K], detectors: Collection[str] | None) -> Iterator[None]:
    kept = dict(registry)
    for name, kind in kept.items():
        given = set(kind.detectors)
        if not (given if detectors is None else given & set(detectors)):
            del registry[name]
    try:
        yield
    finally:
        registry.clear()
        registry.update(kept)  # in the order they were in


def _pipeline(take_: Take, baseline: Mapping[str, Value]) -> Pipeline:
    return Pipeline(
        "corpus",
        [take_.info],
        limits=detector_limits(None, "feed"),
        programme=take_.programme,
        pairs=take_.pairs,
        baseline=baseline,
    )


def line_up(clean: Take) -> dict[str, Value]:
    """Return what a line-up learns of a clean take's first half minute: same room, same people."""
    pipeline = _pipeline(clean, {})
    values: dict[str, Value] = {}
    for block in blocks(clean, LARGE_BLOCK):
        if block.start >= LINE_UP_S * RATE:
            break
        pipeline.feed(block)
        for reading in pipeline.readings(block.t_arrival_ns):
            values.update(reading.values)
    return baseline_of(values)


def hear(
    take_: Take,
    baseline: Mapping[str, Value] | None = None,
    crew: Crew | None = None,
    *,
    timely: bool = True,
) -> list[Heard]:
    """Run the pipeline over a take; return every episode, in order of telling.

    A ``crew`` is told all lines as the service tells the rules. ``timely``: in blocks of 20 ms, so
    that it shows how soon things are told; what is told does not depend on it.
    """
    pipeline = _pipeline(take_, baseline or {})
    found: dict[str, tuple[Heard, int]] = {}
    told = 0
    size, every = (BLOCK, DRAIN_EVERY) if timely else (LARGE_BLOCK, 1)
    for count, block in enumerate(blocks(take_, size), 1):
        pipeline.feed(block)
        told = block.start + len(block.samples)
        readings = pipeline.readings(block.t_arrival_ns) if count % every == 0 else []
        events = pipeline.events()
        _collect(found, events, told)
        if crew is not None:
            for line in (*events, *readings):
                crew.line(line, told)
            crew.pass_time(told)
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    _collect(found, pipeline.events(), told)
    return [heard for heard, _ in found.values()]


def _collect(found: dict[str, tuple[Heard, int]], events: Iterable[Event | Gap], told: int) -> None:
    """Put the pipeline's events to the episodes found, each with its count of faults so far."""
    for event in events:
        if not isinstance(event, Event):
            continue
        heard, count = found.get(event.id) or (_opened(event), 0)
        if event.count > count:
            heard.told.append(told)
        found[event.id] = heard, max(count, event.count)
        heard.end = event.end if event.end is not None else heard.end
        heard.detail = event.detail or heard.detail
        heard.worst = event.worst


def metric_rules() -> set[str]:
    """Return the rules that find a fault by judging a metric."""
    return {name for fault in FAULTS.values() if fault.metric for name in fault.detectors}


def _as_heard(raised: Raised) -> Heard:
    """Return an alert of a rule that judges a metric as if a detector had told it."""
    return Heard(
        detector=raised.rule,
        channels=raised.channels,
        start=raised.start,
        end=raised.end,
        told=[raised.told],
        detail=raised.message,
    )


def _opened(event: Event) -> Heard:
    return Heard(
        detector=event.detector,
        channels=tuple(event.channels),
        start=event.start,
        end=event.end,
        told=[],
    )


def finds(fault: Fault, heard: Heard) -> bool:
    """Say whether an episode is of the kind that finds a fault."""
    if heard.detector not in (*fault.detectors, *fault.also):
        return False
    if any(word in heard.detail for word in fault.not_words):
        return False
    return not fault.words or any(word in heard.detail for word in fault.words)


def owns(fault: Fault, heard: Heard) -> bool:
    """Say whether an episode is one that a fault's own detectors answer for."""
    return heard.detector in fault.detectors and finds(fault, heard)


def matches(label: Label, heard: Heard) -> bool:
    """Say whether an episode lies on a label's channels and stretch."""
    tolerance = round(TOLERANCE_S * RATE)
    in_time = heard.start < label.end + tolerance and _end(heard) > label.start - tolerance
    return in_time and (not heard.channels or bool(set(heard.channels) & set(label.channels)))


def _end(heard: Heard) -> int:
    """Return where an episode ends, or how far it was known to last."""
    return max(heard.told) if heard.end is None else heard.end


def allowed(take_: Take, heard: Heard) -> bool:
    """Say whether an episode tells an innocent happening truly: a closed fader, a clapped slate."""
    return any(
        (span.kind, heard.detector) in ALLOWED and _on(span, heard) for span in take_.happenings
    )


def _on(span: Span, heard: Heard) -> bool:
    here = not span.channels or bool(set(span.channels) & set(heard.channels))
    return here and heard.start < span.end + RATE and _end(heard) > span.start - RATE


@dataclass(slots=True, kw_only=True)
class Result:
    """What one take gave. ``false`` and ``others`` count episodes by detector.

    ``false``: of the fault's own detectors, off every label (on a clean take: of any detector).
    ``others``: of other detectors on a spoilt take: consequences, not counted as false.
    """

    seed: int
    half: Half
    fault: str | None
    channel_s: float
    labels: int = 0
    hits: int = 0
    late: int = 0
    latencies_s: list[float] = field(default_factory=list)
    missed: list[dict[str, object]] = field(default_factory=list)
    false: dict[str, int] = field(default_factory=dict)
    false_at: list[Heard] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    alerts: list[Raised] = field(default_factory=list)
    """Of a clean take: all that a crew would have been told."""


def key_of(heard: Heard) -> str:
    """Return what an episode is counted under: clipping below full scale is a rule of its own."""
    below = heard.detector == "clipping" and "below full scale" in heard.detail
    return "clipping, below full scale" if below else heard.detector


def judge(take_: Take, fault: Fault | None, labels: list[Label], heard: list[Heard]) -> Result:
    """Match episodes with labels and count."""
    result = Result(
        seed=take_.seed,
        half=take_.half,
        fault=None if fault is None else fault.name,
        channel_s=take_.samples.size / RATE,
        labels=len(labels),
        sources=sorted(take_.sources),
    )
    of_kind = [one for one in heard if fault is None or finds(fault, one)]
    for label in labels:
        assert fault is not None
        _judge_label(result, fault, label, [one for one in of_kind if matches(label, one)])
    for one in heard:
        mine = fault is None or owns(fault, one)
        if mine and not any(matches(label, one) for label in labels) and not allowed(take_, one):
            result.false[key_of(one)] = result.false.get(key_of(one), 0) + 1
            result.false_at.append(one)
    for one in heard:
        if one not in of_kind and not allowed(take_, one):
            result.others[key_of(one)] = result.others.get(key_of(one), 0) + 1
    return result


def _judge_label(result: Result, fault: Fault, label: Label, heard: list[Heard]) -> None:
    told = [at for one in heard for at in one.told if at > label.start]
    first = min(told, default=None)
    if first is None:
        result.missed.append(asdict(label))
        return
    latency_s = (first - label.start) / RATE
    deadline = (label.end if fault.from_end else label.start) + fault.within_s * RATE
    if first > deadline:
        result.late += 1
        result.missed.append({**asdict(label), "late_s": latency_s})
        return
    result.hits += 1
    result.latencies_s.append(latency_s)


def spoil(clean: Take, fault: Fault) -> tuple[Take, list[Label]]:
    """Return a copy of a clean take with a fault injected, and its labels."""
    spoilt = copy.copy(clean)
    spoilt.samples = clean.samples.copy()
    spoilt.happenings = list(clean.happenings)
    number = sorted(FAULTS).index(fault.name)
    return spoilt, fault.inject(spoilt, np.random.default_rng([clean.seed, number]))


def score(
    seed: int,
    half: Half,
    names: Iterable[str | None],
    *,
    seconds: float = 60.0,
    channels: int = 8,
    roles: tuple[str, ...] | None = None,
    material: Material | None = None,
    detectors: Collection[str] | None = None,
    consequences: bool = True,
) -> Iterator[Result]:
    """Yield the result of one clean take (name None) and of copies spoilt by the named faults.

    With ``detectors`` only what gives their events is run, which is quicker; without
    ``consequences`` a spoilt take meets only what finds its fault. A take that has no place for a
    fault yields a result without labels.
    """
    clean = take(seed, half, seconds=seconds, channels=channels, roles=roles, material=material)
    baseline = line_up(clean)
    for name in names:
        fault = None if name is None else FAULTS[name]
        spoilt, labels = (clean, list[Label]()) if fault is None else spoil(clean, fault)
        if fault is not None and not labels:
            yield Result(seed=seed, half=half, fault=name, channel_s=0.0)
        elif (fault is None and detectors is None) or (fault and fault.metric):
            crew = _crew(spoilt)
            heard = hear(spoilt, baseline, crew, timely=fault is not None)
            raised = crew.raised()
            heard += [_as_heard(one) for one in raised if one.rule in metric_rules()]
            result = judge(spoilt, fault, labels, heard)
            result.alerts = raised if fault is None else []
            yield result
        else:
            finders = None if fault is None or consequences else (*fault.detectors, *fault.also)
            with only(detectors or finders):
                heard = hear(spoilt, baseline, timely=fault is not None)
            yield judge(spoilt, fault, labels, heard)


def _crew(take_: Take) -> Crew:
    """Return the crew of a cart with the take's tracks."""
    facts = SourceFacts(
        id="corpus",
        name="cart",
        department="sound",
        group="sound",
        channel_names=take_.names,
        programme=take_.programme,
    )
    return Crew(facts, take_.info, RATE)


def recall_bound(hits: int, labels: int) -> float:
    """Return the lower 95 % bound of a recall (Clopper and Pearson, one-sided)."""
    return 0.0 if hits == 0 else float(betaincinv(hits, labels - hits + 1, 1 - CONFIDENCE))


def rate_bound(count: int, hours: float) -> float:
    """Return the upper 95 % bound of a rate, events an hour (exact Poisson, one-sided)."""
    return float(gammaincinv(count + 1, CONFIDENCE)) / hours
