"""Measure all and write ``docs/accuracy.md``: ``python -m bench.accuracy [--quick]``."""

import argparse
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads its BLAS

import json
import platform
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.accuracy import detection, ebu, page, peers, pictures, pictures_page, plot, true_peak
from bench.accuracy.detection import FOLDER, QUICK, ROOT, WHOLE, Extent, Results
from bench.corpus.faults.fault import FAULTS
from bench.corpus.happenings import SLATE_S
from bench.corpus.material import RATE, Half, Material, MaterialMissing, load
from bench.pictures.scenes import recorded
from monitor.measure.measurement import MEASUREMENTS
from tests.monitor.measure.sound.ebu_signals import RATES

PAGE = ROOT / "docs" / "accuracy.md"
IMAGE = ROOT / "docs" / "images" / "true-peak-error.svg"
METERED = (
    "monitor/measure/sound",
    "monitor/measure/pipeline.py",
    "monitor/measure/measurement.py",
    "bench/accuracy/ebu.py",
    "bench/accuracy/meters.py",
    "tests/monitor/measure/sound/ebu_signals.py",
)
QUICK_CASES = ("3341-1", "3341-14", "3341-16", "3342-1")
STARTED = time.monotonic()


def say(words: str) -> None:
    """Say how far it is."""
    print(f"{time.monotonic() - STARTED:7.0f} s  {words}", file=sys.stderr, flush=True)


def ebu_outcomes(*, quick: bool) -> list[ebu.Outcome]:
    """Return how every meter did in every case, from the last run where nothing has changed."""
    rates = RATES[1:2] if quick else RATES
    chosen = [case for case in ebu.cases() if not quick or case.number in QUICK_CASES]
    kept = FOLDER / f"ebu-{detection.code_key(METERED)}.jsonl"
    lines = kept.read_text().splitlines() if kept.exists() else []
    known = {(o.case, o.meter, o.rate): o for o in (ebu.Outcome(**json.loads(x)) for x in lines)}
    kept.parent.mkdir(parents=True, exist_ok=True)
    wanted = list(product(rates, chosen, ebu.METERS))
    for rate, case, meter in wanted:
        if (case.number, meter, rate) not in known:
            say(f"EBU {case.number} at {rate} Hz: {meter}")
            found = known[case.number, meter, rate] = ebu.outcome(case, meter, rate)
            with kept.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    return [
        known[case.number, meter, rate] for rate, case, meter in product(rates, chosen, ebu.METERS)
    ]


def peak_curves(*, quick: bool) -> dict[str, NDArray[np.float64]]:
    """Return the true-peak error of every meter over frequency."""
    say("true peak over frequency")
    return {meter: true_peak.curve(meter, 8 if quick else 1) for meter in true_peak.METERS}


def known_detectors() -> set[str]:
    """Return the names of all events that registered measurements give."""
    return {name for kind in MEASUREMENTS.values() for name in kind.detectors}


def ground(results: Results, material: Material, half: Half) -> page.Ground:
    """Return what stands behind one half."""
    used = detection.sources_used(results, half)
    lengths = {r.name: r.seconds for r in material.recordings}
    spoilt = [r for name in FAULTS for r in results.of(half, name)]
    return page.Ground(
        half=half,
        clean_h=sum(r.channel_s for r in results.of(half, None)) / 3600,
        spoilt_h=sum(r.channel_s for r in spoilt) / 3600,
        speech_min=material.minutes(half, "speech"),
        music_min=material.minutes(half, "music"),
        recordings=len(material.of(half, "speech")) + len(material.of(half, "music")),
        used_min=sum(lengths[name] for name in used) / 60,
        used=len(used),
    )


def told(results: Results, half: Half) -> page.Told:
    """Return what a crew was told on one half's clean takes."""
    clean = results.of(half, None)
    alerts = [alert for result in clean for alert in result.alerts]
    grave = [one for one in alerts if one.severity != "NOTE" and one.start < SLATE_S * RATE]
    return page.Told(
        half=half,
        clean_h=sum(r.channel_s for r in clean) / 3600,
        by_severity=Counter(one.severity for one in alerts),
        by_rule=Counter(f"{one.severity} {one.rule}" for one in alerts),
        in_slate=len(grave),
    )


def versions() -> str:
    """Return what the figures depend on, in words."""
    path = shutil.which("ffmpeg")
    told = subprocess.run(
        [path or "ffmpeg", "-version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"version (\S+?)[-+ ]", told.stdout)
    release = found.group(1) if found else "unknown"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return (
        f"Takewatch at {commit or 'an unknown commit'}, FFmpeg {release}, libebur128 "
        f"{_libebur128()}, numpy {np.__version__}, Python {platform.python_version()}"
    )


def _libebur128() -> str:
    import ctypes

    library = ctypes.CDLL("libebur128.so.1")
    numbers = [ctypes.c_int() for _ in range(3)]
    library.ebur128_get_version(*map(ctypes.byref, numbers))
    return ".".join(str(number.value) for number in numbers)


def write(lines: list[str], image: str, *, quick: bool) -> Path:
    """Write the page and its picture; a quick run's go beside the cache, not into the docs."""
    target, picture = (FOLDER / "quick.md", FOLDER / IMAGE.name) if quick else (PAGE, IMAGE)
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(image)
    target.write_text("\n".join(lines).rstrip() + "\n")
    return target


def main() -> None:
    """Measure what is not measured yet, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a little of everything, in a minute")
    parser.add_argument("--hours", type=float, help="clean held-out channel-hours instead of 32")
    parser.add_argument(
        "--labels", type=float, help="share of the injected faults wanted; by default as the hours"
    )
    parser.add_argument(
        "--picture-hours", type=float, help="clean held-out hours of picture instead of 10"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes to share takes out over")
    options = parser.parse_args()
    try:
        material = load()
        recorded.fetch()
    except MaterialMissing as missing:
        parser.exit(1, f"{missing}\n")
    key = detection.code_key()
    extent = QUICK if options.quick else _extent(options.hours, options.labels)
    outcomes = ebu_outcomes(quick=options.quick)
    curves = peak_curves(quick=options.quick)
    results = Results(FOLDER / f"{'quick-' if options.quick else ''}{key}.jsonl")
    known = known_detectors()
    detection.measure(
        results,
        extent,
        say,
        known=lambda fault: page.is_measured(fault, known),
        jobs=options.jobs,
    )
    seen = measure_pictures(options, known)
    others = peers.measure(material, say, quick=options.quick)
    rows = {
        half: [detection.row(results, fault, half) for fault in FAULTS.values()]
        for half in page.halves_in_order()
    }
    image = plot.bands(
        "True peak of a tone: lowest and highest error over 24 phases",
        curves,
        x_says="frequency, of the sample rate",
        y_says="error, dB",
        aim_db=page.AIM_DB,
        limits_db=(-0.5, 0.27),
    )
    lines = [
        *page.head(versions()),
        *page.ebu_section(ebu.cases(), outcomes),
        "",
        *page.true_peak_section(curves, f"images/{IMAGE.name}"),
        "",
        *page.detection_section(
            rows,
            known,
            [ground(results, material, half) for half in page.halves_in_order()],
        ),
        "",
        *page.alerts_section([told(results, half) for half in page.halves_in_order()]),
        "",
        *page.peers_section(others, {row.fault.name: row for row in rows["held_out"]}),
        "",
        *pictures_page.section(*seen, known),
    ]
    say(f"written: {write(lines, image, quick=options.quick)}")


def measure_pictures(
    options: argparse.Namespace, known: set[str]
) -> tuple[pictures.Kept, pictures.Extent]:
    """Measure what is missing of the picture detectors; return all that is known of them."""
    extent = pictures.QUICK if options.quick else _picture_extent(options.picture_hours)
    results = pictures.kept(quick=options.quick)
    pictures.measure(
        results,
        extent,
        say,
        known=lambda fault: pictures_page.is_measured(fault, known),
        jobs=options.jobs,
    )
    return results, extent


def _picture_extent(hours: float | None) -> pictures.Extent:
    """Return what is wanted of pictures: clean hours, and a share of everything else."""
    whole = pictures.WHOLE
    share = 1.0 if hours is None else hours / sum(whole.clean_h.values())
    return replace(
        whole,
        clean_h={lines: share * h for lines, h in whole.clean_h.items()},
        compared_h={half: share * h for half, h in whole.compared_h.items()},
        spoilt={half: max(1, round(share * n)) for half, n in whole.spoilt.items()},
    )


def _extent(hours: float | None, labels: float | None) -> Extent:
    """Return what is wanted: clean held-out hours, and a share of the labels of every fault."""
    clean = 1.0 if hours is None else hours / WHOLE.clean_h["held_out"]
    share = clean if labels is None else labels
    return replace(
        WHOLE,
        clean_h={half: clean * h for half, h in WHOLE.clean_h.items()},
        certain={half: max(1, round(share * n)) for half, n in WHOLE.certain.items()},
        labels={half: max(1, round(share * n)) for half, n in WHOLE.labels.items()},
    )


if __name__ == "__main__":
    main()
