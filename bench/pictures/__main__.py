"""Tune a picture detector: ``python -m bench.pictures DETECTOR --half tune --minutes 10``.

Prints its false alarms on clean shots and, for every fault it should find, recall, precision, how
many pictures later it was told, what was missed, and the AUC of the fault's metric.
"""

import argparse
import os
import time
from collections.abc import Iterator
from itertools import count
from statistics import median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads its BLAS

import cv2

import bench.pictures.faults
import bench.pictures.scenes  # noqa: F401  both fill a registry
from bench.corpus.material import HALVES, MaterialMissing
from bench.corpus.score import rate_bound, recall_bound
from bench.pictures.coders import BY_NAME
from bench.pictures.faults.fault import FAULTS, Fault, Stage
from bench.pictures.scenes import recorded
from bench.pictures.scenes.scene import scenes_of
from bench.pictures.score import Result, auc, in_minutes, score_clean, score_spoilt
from bench.pictures.shots import Wanted
from monitor.measure.measurement import MEASUREMENTS
from monitor.metrics import METRICS

LISTED = 12  # misses and false alarms shown of each
CLEAN_S = 20.0


def _shown(result: Result) -> str:
    return f"shot {result.seed}, {result.scene}, {result.coder}, {result.height} lines"


def _print_clean(detector: str, results: list[Result]) -> None:
    hours = sum(r.seconds for r in results) / 3600
    false = sum(r.false.get(detector, 0) for r in results)
    print(
        f"clean shots: {false} false alarms in {hours:.2f} h = {false / hours:.1f}/h "
        f"(95 %: ≤ {rate_bound(false, hours):.1f})"
    )
    named = ((r, one) for r in results for one in r.false_at if one.detector == detector)
    for result, one in list(named)[:LISTED]:
        print(f"    false at {one.start}–{one.end}: {_shown(result)} {one.detail}")


def _print_fault(fault: Fault, results: list[Result], clean: list[Result], known: set[str]) -> None:
    hits, labels = sum(r.hits for r in results), sum(r.labels for r in results)
    if not labels:
        print(f"{fault.name}: no shot has a place for it")
        return
    if not set(fault.detectors) & known:
        print(f"{fault.name}: no detector ({', '.join(fault.detectors)}), {labels} labels")
    else:
        _print_recall(fault, results, hits, labels)
    values = [value for r in results for value in r.bad]
    alike = (r for r in clean if fault.wanted.coders(BY_NAME[r.coder]))  # on one codec's scale
    clean_values = [value for r in alike for value in r.good.get(fault.metric or "", [])]
    area = auc(values, clean_values, less=fault.less)
    if area is not None:
        print(
            f"    {fault.metric}: AUC {area:.4f} (aim {fault.auc}), {len(values)} spoilt "
            f"of {median(values):.3g}, {len(clean_values)} clean of {median(clean_values):.3g}"
        )
    elif fault.metric and fault.metric not in METRICS:
        print(f"    {fault.metric}: no such metric")


def _print_recall(fault: Fault, results: list[Result], hits: int, labels: int) -> None:
    false = sum(sum(r.false.values()) for r in results)
    told = sorted(n for r in results for n in r.latencies)
    soon = f"{median(told):g} pictures median, {told[-1]} at most" if told else "-"
    print(
        f"{fault.name}: {hits}/{labels} = {hits / labels:.3f} (95 %: ≥ "
        f"{recall_bound(hits, labels):.3f}, aim {fault.recall}), "
        f"{sum(r.late for r in results)} late, told after {soon}, {false} false beside the labels"
    )
    if fault.by_frame:
        bad, right = sum(r.frames_bad for r in results), sum(r.frames_right for r in results)
        all_told = sum(r.frames_told for r in results)
        print(
            f"    by picture: recall {right / max(bad, 1):.4f} of {bad}, "
            f"precision {right / max(all_told, 1):.4f} of {all_told}"
        )
    missed = [(r, entry) for r in results for entry in r.missed]
    for result, entry in missed[:LISTED]:
        late = f", {entry['late']} late" if "late" in entry else ""
        print(
            f"    missed {entry['start']}–{entry['end']} ({entry['amount']:.3g}){late}: "
            f"{_shown(result)}"
        )


def _spoilt(fault: Fault, options: argparse.Namespace) -> Iterator[Result]:
    detectors = {*fault.detectors, *fault.also}
    for seed in count(options.first):
        yield score_spoilt(seed, options.half, fault, detectors=detectors)


def _clean(options: argparse.Namespace, metrics: set[str], stage: Stage) -> Iterator[Result]:
    wanted = Wanted(seconds=CLEAN_S, heights=tuple(options.heights))
    for seed in count(options.first):
        yield score_clean(
            seed,
            options.half,
            wanted,
            detectors={options.detector},
            metrics=metrics,
            stage=stage,
        )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__)
    parser.add_argument("detector")
    parser.add_argument("--half", choices=HALVES, default="tune")
    parser.add_argument("--minutes", type=float, default=5.0, help="clean, and of every fault")
    parser.add_argument("--first", type=int, default=0, help="seed of the first shot")
    parser.add_argument(
        "--heights", type=int, nargs="+", default=[360, 1080], help="clean shots' lines"
    )
    parser.add_argument("--fault", action="append", default=[], help="only this fault (repeatable)")
    parser.add_argument("--no-clean", action="store_true", help="leave the clean shots out")
    options = parser.parse_args()
    known = {name for kind in MEASUREMENTS.values() for name in kind.detectors}
    wanted = [f for f in FAULTS.values() if options.detector in (*f.detectors, *f.also)]
    chosen = [FAULTS[name] for name in options.fault] if options.fault else wanted
    if not chosen and options.detector not in known:
        named = sorted(known | {name for f in FAULTS.values() for name in f.detectors})
        parser.error(f"no fault for and no detector {options.detector!r}; there are {named}")
    print(f"{options.half}: {len(scenes_of(options.half))} scenes")
    try:
        recorded.fetch()
        _measure(options, chosen, known)
    except MaterialMissing as missing:
        parser.exit(1, f"{missing}\n")


def _measure(options: argparse.Namespace, chosen: list[Fault], known: set[str]) -> None:
    cv2.setNumThreads(1)
    spent = time.process_time()
    clean: list[Result] = []
    if not options.no_clean:
        metrics = {f.metric for f in chosen if f.metric in METRICS and f.metric is not None}
        stage: Stage = chosen[0].stage if chosen else "feed"
        clean = list(in_minutes(_clean(options, metrics, stage), options.minutes))
        _print_clean(options.detector, clean)
    for fault in chosen:
        results = list(in_minutes(_spoilt(fault, options), options.minutes))
        _print_fault(fault, results, clean, known)
    print(f"{time.process_time() - spent:.0f} s of CPU")


if __name__ == "__main__":
    main()
