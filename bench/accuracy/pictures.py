"""Picture detectors on the corpus of shots, shot by shot; broken off runs go on.

Each shot's result is a line in ``.make/accuracy/pictures-KEY.jsonl``, where KEY is a hash of the
measuring code, the default rules and the corpus. The clean run is long takes of one to five
minutes through every coder, all detectors and the default rules over it.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
from pydantic import TypeAdapter

import bench.pictures.faults
import bench.pictures.scenes  # noqa: F401  both fill a registry
from bench.accuracy.detection import FOLDER, code_key
from bench.corpus.material import HALVES, Half
from bench.pictures.faults.fault import FAULTS, Fault
from bench.pictures.score import Result, score_clean, score_spoilt
from bench.pictures.shots import Wanted
from monitor.metrics import METRICS

MEASURED = (
    "capture",
    "monitor/measure",
    "monitor/metrics.py",
    "monitor/rules",
    "config/presets/rules.toml",
    "bench/crew.py",
    "bench/pictures",
)
LONG_S = 150.0  # of a clean shot: long enough for baselines to drift
RAW_SHARE, LARGE_LINES = 0.6, 1080  # coding large pictures takes most of the time
SHORT_S = 20.0  # of a clean shot whose metrics are what spoilt ones are compared with
Told = Callable[[str], None]
_LINE = TypeAdapter(Result)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured: hours of clean held-out pictures by lines, and by half the rest.

    ``compared_h``: hours of short clean shots whose metrics stand against spoilt ones'; ``spoilt``:
    shots of every fault.
    """

    clean_h: Mapping[int, float]
    compared_h: Mapping[Half, float]
    spoilt: Mapping[Half, int]
    faults: frozenset[str] | None = None


WHOLE = Extent(
    clean_h={1080: 1.0, 360: 9.0},
    compared_h={"held_out": 0.6, "tune": 0.3},
    spoilt={"held_out": 60, "tune": 30},
)
QUICK = Extent(
    clean_h={1080: 0.0, 360: 0.003},
    compared_h={"held_out": 0.003, "tune": 0.0},
    spoilt={"held_out": 1, "tune": 0},
    faults=frozenset({"black", "freeze", "format change"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One shot: of a fault; or clean, long and of so many lines; or clean and compared with."""

    half: Half
    seed: int
    what: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What its result is kept under."""
        return self.half, self.what, self.seed

    def __str__(self) -> str:
        """Say what is measured."""
        return f"pictures, {self.half}, shot {self.seed}: {self.what}"


def long_clean(lines: int) -> str:
    """Return what long clean shots of so many lines are called."""
    return f"clean, {lines} lines"


COMPARED = "clean, compared with"


def metrics_known() -> list[str]:
    """Return the metrics that tell faults by themselves and exist."""
    return sorted({f.metric for f in FAULTS.values() if f.metric and f.metric in METRICS})


def scored(task: Task) -> tuple[Task, Result]:
    """Measure one shot."""
    cv2.setNumThreads(1)
    if task.what in FAULTS:
        fault = FAULTS[task.what]
        return task, score_spoilt(task.seed, task.half, fault)
    if task.what == COMPARED:
        wanted = Wanted(seconds=SHORT_S)
        return task, score_clean(task.seed, task.half, wanted, metrics=metrics_known())
    lines = int(task.what.split()[1])
    raw_share = RAW_SHARE if lines >= LARGE_LINES else None
    wanted = Wanted(seconds=LONG_S, heights=(lines,), raw_share=raw_share)
    return task, score_clean(task.seed, task.half, wanted, rolling=True)


class Kept:
    """What has been measured so far, kept in a file of lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[tuple[str, str, int], Result] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                what, _, result = line.partition("\t")
                self._keep(what, _LINE.validate_json(result))

    def _keep(self, what: str, result: Result) -> None:
        self._known[result.half, what, result.seed] = result

    def add(self, what: str, result: Result) -> None:
        """Keep a result and write it down at once."""
        self._keep(what, result)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(f"{what}\t{_LINE.dump_json(result).decode()}\n")

    def of(self, half: Half, what: str) -> list[Result]:
        """Return all results of a fault, or of one kind of clean shot, in order of seed."""
        found = [r for (h, w, _), r in self._known.items() if (h, w) == (half, what)]
        return sorted(found, key=lambda result: result.seed)


def kept(*, quick: bool) -> Kept:
    """Return what this very code has measured before."""
    name = "quick-pictures" if quick else "pictures"
    return Kept(FOLDER / f"{name}-{code_key(MEASURED)}.jsonl")


def hours(results: Sequence[Result]) -> float:
    """Return how long the shots are together."""
    return sum(result.seconds for result in results) / 3600


def missing(results: Kept, extent: Extent, known: Callable[[Fault], bool]) -> list[Task]:
    """Return every shot that is still wanted, held-out ones first."""
    tasks: list[Task] = []
    for half in HALVES[::-1]:
        clean = {COMPARED: (extent.compared_h[half], SHORT_S)}
        if half == "held_out":
            clean |= {long_clean(lines): (h, LONG_S) for lines, h in extent.clean_h.items()}
        wanted = {what: round(h * 3600 / seconds + 0.49) for what, (h, seconds) in clean.items()}
        for fault in FAULTS.values():
            if known(fault) and (extent.faults is None or fault.name in extent.faults):
                wanted[fault.name] = extent.spoilt[half]
        for what, number in wanted.items():
            done = {result.seed for result in results.of(half, what)}
            tasks += [Task(half=half, seed=s, what=what) for s in range(number) if s not in done]
    return tasks


def measure(
    results: Kept,
    extent: Extent,
    told: Told,
    *,
    known: Callable[[Fault], bool] = lambda _: True,
    jobs: int = 1,
) -> None:
    """Measure what is missing, one shot after another or shared out over processes."""
    tasks = missing(results, extent, known)
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) if jobs > 1 else None
    try:
        for number, (task, result) in enumerate((pool.map if pool else map)(scored, tasks), 1):
            told(f"{number} of {len(tasks)}: {task}")
            results.add(task.what, result)
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
