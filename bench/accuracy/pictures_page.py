"""The picture section of ``docs/accuracy.md``: pure text, nothing here measures."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from bench.accuracy.page import HALF_NAMES, prose, table
from bench.accuracy.pictures import COMPARED, Extent, Kept, hours, long_clean
from bench.corpus.material import HALVES, Half
from bench.corpus.score import rate_bound, recall_bound
from bench.pictures.faults.fault import FAULTS, Fault
from bench.pictures.scenes.scene import scenes_of
from bench.pictures.score import Result, auc
from monitor.metrics import METRICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one fault did on one half; ``by_frame``: pictures bad, told, and rightly told."""

    fault: Fault
    labels: int
    hits: int
    late: int
    latencies: tuple[int, ...]
    beside: int
    by_frame: tuple[int, int, int]
    area: float | None
    false: int
    clean_h: float


def clean_of(results: Kept, extent: Extent, half: Half) -> list[Result]:
    """Return the long clean shots of a half; of the tuning half the short ones."""
    if half != "held_out":
        return results.of(half, COMPARED)
    return [r for lines in extent.clean_h for r in results.of(half, long_clean(lines))]


def row(results: Kept, extent: Extent, fault: Fault, half: Half) -> Row:
    """Add up one fault's results on one half."""
    spoilt, clean = results.of(half, fault.name), clean_of(results, extent, half)
    compared = results.of(half, COMPARED)
    bad = [value for r in spoilt for value in r.bad]
    good = [value for r in compared for value in r.good.get(fault.metric or "", [])]
    return Row(
        fault=fault,
        labels=sum(r.labels for r in spoilt),
        hits=sum(r.hits for r in spoilt),
        late=sum(r.late for r in spoilt),
        latencies=tuple(n for r in spoilt for n in r.latencies),
        beside=sum(sum(r.false.values()) for r in spoilt),
        by_frame=(
            sum(r.frames_bad for r in spoilt),
            sum(r.frames_told for r in spoilt),
            sum(r.frames_right for r in spoilt),
        ),
        area=auc(bad, good, less=fault.less),
        false=sum(r.false.get(name, 0) for r in clean for name in fault.detectors),
        clean_h=hours(clean),
    )


def is_measured(fault: Fault, known: set[str]) -> bool:
    """Say whether a detector or a metric that is meant to find the fault exists."""
    return bool(set(fault.detectors) & known) or fault.metric in METRICS


def _recall(row: Row, known: set[str]) -> str:
    if not set(row.fault.detectors) & known or not row.labels:
        return "no detector" if row.labels else "–"
    if row.fault.by_frame:
        bad, told, right = row.by_frame
        return f"by picture: recall {right / max(bad, 1):.4f}, precision {right / max(told, 1):.4f}"
    late = f", {row.late} too late" if row.late else ""
    return (
        f"{row.hits / row.labels:.3f} ({row.hits}/{row.labels}, "
        f"≥ {recall_bound(row.hits, row.labels):.3f}{late})"
    )


def _false(row: Row, known: set[str]) -> str:
    if not set(row.fault.detectors) & known or not row.clean_h:
        return "–"
    bound = rate_bound(row.false, row.clean_h)
    return f"{row.false / row.clean_h:.2f} ({row.false}, ≤ {bound:.2f})"


def _told(row: Row) -> str:
    told = sorted(row.latencies)
    return f"{median(told):g} / {told[ceil(0.95 * (len(told) - 1))]}" if told else "–"


def _area(row: Row) -> str:
    return "–" if row.area is None else f"{row.area:.3f} (`{row.fault.metric}`)"


def _aim(fault: Fault) -> str:
    parts = [
        f"recall {fault.recall:g}" if fault.recall is not None else "",
        f"precision {fault.precision:g}" if fault.precision is not None else "",
        f"AUC {fault.auc:g}" if fault.auc is not None else "",
        f"≤ {fault.false_per_h:g}/h" if fault.false_per_h is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "stated"


def met(row: Row, known: set[str]) -> str:
    """Say whether every aim of a fault is met, by the figures themselves."""
    fault = row.fault
    bad, told, right = row.by_frame
    recall = right / max(bad, 1) if fault.by_frame else row.hits / max(row.labels, 1)
    found = right if fault.by_frame else row.hits
    precision = found / max(told if fault.by_frame else row.hits + row.beside, 1)
    rate = row.false / row.clean_h if row.clean_h else 0.0
    here = bool(set(fault.detectors) & known)
    short = [
        fault.recall is not None and (not here or recall < fault.recall),
        fault.precision is not None and (not here or precision < fault.precision),
        fault.auc is not None and (row.area is None or row.area < fault.auc),
        fault.false_per_h is not None and (not here or rate > fault.false_per_h),
    ]
    return "no aim" if _aim(fault) == "stated" else "**no**" if any(short) else "yes"


def section(results: Kept, extent: Extent, known: set[str]) -> Iterator[str]:
    """Yield the section."""
    yield "## Picture faults"
    yield ""
    yield (
        "Faults are put at known pictures of clean shots (below); an event counts when it overlaps "
        "the fault within 0.25 s and is told in time. False alarms: events an hour on long clean "
        "held-out shots through every coder. In brackets the one-sided 95 % bound. AUC: of the "
        "metric named, half-second windows of spoilt shots against those of short clean ones. "
        "Damage on the link is counted picture by picture, against both decoded streams compared."
    )
    yield ""
    both = {
        half: {f.name: row(results, extent, f, half) for f in FAULTS.values()} for half in HALVES
    }
    measured = [f for f in FAULTS.values() if is_measured(f, known)]
    head = ["fault", "aim", "held out: recall", "false alarms/h", "AUC"]
    yield from table(
        [*head, "told after, pictures, median / 95 %", "tuning: recall", "AUC", "aim met"],
        [
            _row(both["held_out"][f.name], both["tune"][f.name], known)
            for f in measured
            if both["held_out"][f.name].labels
        ],
    )
    yield ""
    missing = [f.name for f in FAULTS.values() if not is_measured(f, known)]
    if missing:
        yield f"**Not measured**, because nothing that tells them exists yet: {'; '.join(missing)}."
        yield ""
    yield "What is injected:"
    yield ""
    yield from table(["fault", "injected"], [[f.name, f.says] for f in FAULTS.values()])
    yield ""
    yield from clean_section(results, extent)
    yield ""
    yield from prose("pictures")


def _row(held_out: Row, tune: Row, known: set[str]) -> list[str]:
    name = held_out.fault.name
    theirs = [_recall(tune, known), _area(tune)]
    ours = [_recall(held_out, known), _false(held_out, known), _area(held_out), _told(held_out)]
    return [name, _aim(held_out.fault), *ours, *theirs, met(held_out, known)]


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counter.most_common()) or "none"


def clean_section(results: Kept, extent: Extent) -> Iterator[str]:
    """Yield what was told where nothing was wrong."""
    yield "### When nothing is wrong"
    yield ""
    yield (
        "Long clean held-out shots, faster than real time, with the default rules rolling over "
        "them; a fade through black that is told as black is no false alarm."
    )
    yield ""
    rows = []
    for lines in extent.clean_h:
        clean = results.of("held_out", long_clean(lines))
        if clean:
            rows.append([f"{lines}", f"{hours(clean):.2f}", str(len(clean)), *_heard(clean)])
    yield from table(["lines", "hours", "shots", "scenes", "events", "alerts"], rows)
    yield ""
    scenes = " and ".join(f"{len(scenes_of(half))} ({HALF_NAMES[half]})" for half in HALVES[::-1])
    yield f"Scenes: {scenes}, none in both halves."


def _heard(clean: Sequence[Result]) -> list[str]:
    events = Counter(one.detector for r in clean for one in r.false_at)
    alerts = Counter(f"{one.severity} `{one.rule}`" for r in clean for one in r.alerts)
    return [str(len({r.scene for r in clean})), _counts(events), _counts(alerts)]
