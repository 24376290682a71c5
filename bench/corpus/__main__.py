"""Tune a detector on the corpus: ``python -m bench.corpus DETECTOR --half tune --takes 20``.

Prints its false alarms on clean takes and, for every fault it should find, recall, lateness and
what was missed. Only measurements that give the named detector's events are run.
"""

import argparse
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict

import bench.corpus.faults  # noqa: F401  fills the registry
import monitor.measure  # noqa: F401  fills the registry
from bench.corpus.faults.fault import FAULTS, Fault
from bench.corpus.material import HALVES, RATE, MaterialMissing, describe, load
from bench.corpus.score import Result, rate_bound, recall_bound, score
from monitor.measure.measurement import MEASUREMENTS

LISTED = 12  # misses and false alarms shown of each


def _where(entry: dict[str, object]) -> str:
    start, end = entry["start"], entry["end"]
    assert isinstance(start, int)
    span = f"{start / RATE:.4f} s"
    if isinstance(end, int):
        span += f" to {end / RATE:.4f} s"
    rest = {k: v for k, v in entry.items() if k not in ("start", "end", "fault", "detector") and v}
    return f"{span} {rest}"


def _print_fault(fault: Fault, results: list[Result]) -> None:
    hits, labels = sum(r.hits for r in results), sum(r.labels for r in results)
    if not labels:
        return
    late = sum(r.late for r in results)
    told = [latency for r in results for latency in r.latencies_s]
    false = sum(sum(r.false.values()) for r in results)
    median = f"{statistics.median(told):.3f} s median, {max(told):.3f} s at most" if told else "-"
    print(
        f"{fault.name}: {hits}/{labels} = {hits / labels:.3f} (95 %: ≥ "
        f"{recall_bound(hits, labels):.3f}, aim {fault.recall}), {late} late, told after {median}, "
        f"{false} false beside the labels"
    )
    missed = [(r.seed, entry) for r in results for entry in r.missed]
    for seed, entry in missed[:LISTED]:
        print(f"    missed in take {seed}: {_where(entry)}")


def _print_clean(detector: str, results: list[Result]) -> None:
    hours = sum(r.channel_s for r in results) / 3600
    count = sum(heard.detector == detector for r in results for heard in r.false_at)
    print(
        f"clean takes: {count} false alarms in {hours:.2f} channel-hours = {count / hours:.2f}/h "
        f"(95 %: ≤ {rate_bound(count, hours):.2f})"
    )
    for result in results:
        for heard in [one for one in result.false_at if one.detector == detector][:LISTED]:
            print(f"    false in take {result.seed}: {_where(asdict(heard))}")


def _chosen(detector: str, wanted: Iterable[str]) -> list[Fault]:
    names = set(wanted)
    return [
        fault
        for fault in FAULTS.values()
        if (fault.name in names if names else detector in fault.detectors)
    ]


def _one(number: int, options: argparse.Namespace, chosen: list[Fault]) -> Iterator[Result]:
    """Score one clean take and, of each shape a fault wants, one for the faults that want it."""
    seed, half = options.first + number, options.half
    detectors = {options.detector, *(name for fault in chosen for name in fault.also)}
    if not options.no_clean:
        usual = {"seconds": options.seconds, "channels": options.channels}
        yield from score(seed, half, [None], detectors=detectors, **usual)
    for shape in dict.fromkeys((fault.seconds, fault.roles) for fault in chosen):
        names = [fault.name for fault in chosen if (fault.seconds, fault.roles) == shape]
        yield from score(seed, half, names, seconds=shape[0], roles=shape[1], detectors=detectors)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.corpus", description=__doc__)
    parser.add_argument("detector")
    parser.add_argument("--half", choices=HALVES, default="tune")
    parser.add_argument("--takes", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="seed of the first take")
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--fault", action="append", default=[], help="only this fault (repeatable)")
    parser.add_argument("--no-clean", action="store_true", help="leave the clean takes out")
    options = parser.parse_args()
    known = {name for kind in MEASUREMENTS.values() for name in kind.detectors}
    if options.detector not in known:
        parser.error(f"no detector {options.detector!r}; there are {', '.join(sorted(known))}")
    try:
        material = load()
    except MaterialMissing as missing:
        parser.exit(1, f"{missing}\n")
    print("\n".join(describe(material, [options.half])))
    chosen = _chosen(options.detector, options.fault)
    spent = time.process_time()
    results = [result for seed in range(options.takes) for result in _one(seed, options, chosen)]
    if not options.no_clean:
        _print_clean(options.detector, [r for r in results if r.fault is None])
    for fault in chosen:
        _print_fault(fault, [r for r in results if r.fault == fault.name])
    print(f"{time.process_time() - spent:.0f} s of CPU")


if __name__ == "__main__":
    main()
