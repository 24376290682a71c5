"""Recall and false alarms of every rule on the corpus, take by take; broken off runs go on.

Each take's result is a line in ``.make/accuracy/KEY.jsonl``, where KEY is a hash of the measuring
code, the default rules and the corpus: change any of them and everything is measured anew.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from pydantic import TypeAdapter

import bench.corpus.faults  # noqa: F401  fills the registry
from bench.corpus.faults.fault import FAULTS, Fault
from bench.corpus.material import HALVES, Half, Material
from bench.corpus.score import Result, owns, score

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".make" / "accuracy"
MEASURED = (
    "monitor/measure/sound",
    "monitor/measure/sound_faults",
    "monitor/measure/pipeline.py",
    "monitor/measure/measurement.py",
    "monitor/metrics.py",
    "monitor/rules",
    "config/presets/rules.toml",
    "bench/corpus",
    "bench/crew.py",
)
CLEAN_S = 60.0
CONSEQUENCES_TAKES = 8  # spoilt ones of each fault on which everything runs, not its finders alone
Shape = tuple[float, tuple[str, ...] | None]  # seconds and roles of a take
Told = Callable[[str], None]
_LINE = TypeAdapter(Result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured, by half: hours of clean channels, and labels of every fault.

    ``certain`` labels where the aim is a recall of 0.99, since with no miss 299 show that at 95 %;
    ``labels`` of the others. ``takes``: a fault that finds few places is given up after so many.
    """

    clean_h: Mapping[Half, float]
    certain: Mapping[Half, int]
    labels: Mapping[Half, int]
    takes: int
    faults: frozenset[str] | None = None

    def wanted(self, half: Half, fault: Fault) -> int:
        """Return how many labels of a fault are wanted."""
        if self.faults is not None and fault.name not in self.faults:
            return 0
        sharp = fault.recall is not None and 0.99 <= fault.recall < 1.0
        return (self.certain if sharp else self.labels)[half]


# With no false alarm, 30 h show a rate of 0.1/h.
WHOLE = Extent(
    clean_h={"held_out": 32.0, "tune": 8.0},
    certain={"held_out": 300, "tune": 100},
    labels={"held_out": 120, "tune": 40},
    takes=400,
)
QUICK = Extent(
    clean_h={"held_out": 0.1, "tune": 0.0},
    certain={"held_out": 1, "tune": 0},
    labels={"held_out": 1, "tune": 0},
    takes=1,
    faults=frozenset({"clip at full scale", "dropout", "dual mono", "DC step"}),
)


def code_key(names: Sequence[str] = MEASURED) -> str:
    """Return a hash of all code and data that a result depends on."""
    digest = hashlib.sha256()
    for name in names:
        path = ROOT / name
        files = [path] if path.is_file() else sorted(path.rglob("*.py"))
        for file in files:
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]


class Results:
    """What has been measured so far, kept in a file of lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[tuple[str, str | None, int], Result] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                self._keep(_LINE.validate_json(line))

    def _keep(self, result: Result) -> None:
        self._known[result.half, result.fault, result.seed] = result

    def add(self, result: Result) -> None:
        """Keep a result and write it down at once."""
        self._keep(result)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(_LINE.dump_json(result).decode() + "\n")

    def get(self, half: Half, fault: str | None, seed: int) -> Result | None:
        """Return one take's result, or None when it has not been measured."""
        return self._known.get((half, fault, seed))

    def of(self, half: Half, fault: str | None) -> list[Result]:
        """Return all results of a fault, or of clean takes, in order of seed."""
        found = [r for (h, f, _), r in self._known.items() if h == half and f == fault]
        return sorted(found, key=lambda result: result.seed)


def _wanting(results: Results, half: Half, name: str | None, extent: Extent) -> bool:
    """Say whether more takes are wanted."""
    done = results.of(half, name)
    if name is None:
        return sum(r.channel_s for r in done) / 3600 < extent.clean_h[half]
    wanted = extent.wanted(half, FAULTS[name])
    return sum(r.labels for r in done) < wanted and len(done) < extent.takes


def shape_of(fault: Fault | None) -> Shape:
    """Return what take a fault wants; clean takes are those of a usual cart."""
    return (CLEAN_S, None) if fault is None else (fault.seconds, fault.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One take of a shape and what it is spoilt with; None leaves it clean."""

    half: Half
    shape: Shape
    seed: int
    names: tuple[str | None, ...]

    def __str__(self) -> str:
        """Say what is measured."""
        return f"{self.half}, take {self.seed}: {', '.join(name or 'clean' for name in self.names)}"


def _scored(task: _Task, material: Material | None) -> list[Result]:
    seconds, roles = task.shape
    found = score(
        task.seed,
        task.half,
        task.names,
        seconds=seconds,
        roles=roles,
        material=material,
        consequences=task.seed < CONSEQUENCES_TAKES,
    )
    return list(found)


def measure(
    results: Results,
    extent: Extent,
    told: Told,
    *,
    known: Callable[[Fault], bool] = lambda _: True,
    jobs: int = 1,
    material: Material | None = None,
) -> None:
    """Measure what is missing: one take of a shape at a time, spoilt by all faults that want it.

    Only faults that are ``known`` to have a detector. With more than one job takes are shared out
    over processes, which load the material themselves.
    """
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) if jobs > 1 else None
    for half in HALVES[::-1]:
        names: dict[Shape, list[str | None]] = {shape_of(None): [None]}
        for fault in filter(known, FAULTS.values()):
            names.setdefault(shape_of(fault), []).append(fault.name)
        for shape, of_shape in names.items():
            while tasks := _missing(results, half, shape, of_shape, extent, jobs):
                told("; ".join(map(str, tasks)))
                over = pool.map if pool else map
                for found in over(_scored, tasks, [material] * len(tasks)):
                    for result in found:
                        results.add(result)
    if pool:
        pool.shutdown()


def _missing(
    results: Results,
    half: Half,
    shape: Shape,
    names: Sequence[str | None],
    extent: Extent,
    count: int,
) -> list[_Task]:
    """Return the next takes to be measured, at most ``count``; none when nothing is wanted."""
    wanted = [name for name in names if _wanting(results, half, name, extent)]
    tasks: list[_Task] = []
    seed = 0
    while wanted and len(tasks) < count:
        todo = tuple(name for name in wanted if results.get(half, name, seed) is None)
        if todo:
            tasks.append(_Task(half=half, shape=shape, seed=seed, names=todo))
        seed += 1
    return tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one fault's rule did on one half."""

    fault: Fault
    labels: int
    hits: int
    late: int
    latencies_s: tuple[float, ...]
    beside: int
    """False alarms on the spoilt takes, off every label."""
    false: int
    clean_h: float
    consequences: Mapping[str, int]


def row(results: Results, fault: Fault, half: Half) -> Row:
    """Add up one fault's results and what its detectors said on clean takes."""
    spoilt, clean = results.of(half, fault.name), results.of(half, None)
    false = [heard for result in clean for heard in result.false_at]
    others: dict[str, int] = {}
    for result in spoilt:
        for key, count in result.others.items():
            others[key] = others.get(key, 0) + count
    return Row(
        fault=fault,
        labels=sum(r.labels for r in spoilt),
        hits=sum(r.hits for r in spoilt),
        late=sum(r.late for r in spoilt),
        latencies_s=tuple(latency for r in spoilt for latency in r.latencies_s),
        beside=sum(sum(r.false.values()) for r in spoilt),
        false=sum(owns(fault, heard) for heard in false),
        clean_h=sum(r.channel_s for r in clean) / 3600,
        consequences=others,
    )


def false_by_detector(results: Results, half: Half) -> dict[str, int]:
    """Return what every detector said on clean takes, by name."""
    found: dict[str, int] = {}
    for result in results.of(half, None):
        for key, count in result.false.items():
            found[key] = found.get(key, 0) + count
    return found


def sources_used(results: Results, half: Half) -> set[str]:
    """Return the names of all recordings that stand behind one half's results."""
    names = [None, *FAULTS]
    return {s for name in names for result in results.of(half, name) for s in result.sources}
