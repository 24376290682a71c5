"""Write ``docs/accuracy.md`` from what was measured: pure text, nothing here measures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.detection import CONSEQUENCES_TAKES, Row
from bench.accuracy.ebu import Case, Outcome
from bench.corpus.faults.fault import Fault
from bench.corpus.material import HALVES, PACKAGES, Half
from bench.corpus.score import rate_bound, recall_bound
from monitor.metrics import METRICS

AIM_DB = 0.05
HALF_NAMES: dict[Half, str] = {"held_out": "held out", "tune": "tuning"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What stands behind one half's figures."""

    half: Half
    clean_h: float
    spoilt_h: float
    speech_min: float
    music_min: float
    recordings: int
    used_min: float
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a crew was told on one half's clean takes; ``by_rule`` has "SEVERITY rule" as keys."""

    half: Half
    clean_h: float
    by_severity: Mapping[str, int]
    by_rule: Mapping[str, int]
    in_slate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """How somebody else's detector did on one fault."""

    name: str
    fault: str
    labels: int
    hits: int
    false: int
    clean_h: float


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def prose(name: str) -> list[str]:
    """Return the lines of a text beside this module."""
    return Path(__file__).with_name(f"{name}.md").read_text().strip().splitlines()


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, a real minus, and no sign on zero."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


# ---- meters ---------------------------------------------------------------------------------


def ebu_section(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the table of EBU Tech 3341 and 3342."""
    meters = list(dict.fromkeys(outcome.meter for outcome in outcomes))
    rates = sorted({outcome.rate for outcome in outcomes})
    at = " / ".join(f"{rate / 1000:g}" for rate in rates)
    yield "## Loudness and true peak against EBU's own signals"
    yield ""
    yield (
        "Every case of EBU Tech 3341 v4 and Tech 3342 v4 that is defined by a formula (7, 8 and "
        "3342's 5 and 6 are recordings), synthesised from its definition and given to three meters "
        "in the same run. Levels are peaks of a 1 kHz sine in both channels of a stereo pair. Ours "
        "is read 25 times a second, as live. Figures are the worst error over all expectations of "
        f"a case, in LU or dB, at {at} kHz; **bold** with a count where it is outside the "
        "tolerance."
    )
    yield ""
    yield from table(
        ["meter", "expectations", "failed"],
        [[m, *_failed([o for o in outcomes if o.meter == m])] for m in meters],
    )
    yield ""
    found = {(o.case, o.meter, o.rate): o for o in outcomes}
    yield from table(
        ["case", "signal", "expected", "tolerance", *meters],
        [
            [
                case.number,
                case.says,
                case.expects,
                _tolerance(case.tolerance),
                *(" / ".join(_error(found[case.number, m, r]) for r in rates) for m in meters),
            ]
            for case in cases
            if (case.number, meters[0], rates[0]) in found
        ],
    )


def _failed(outcomes: Sequence[Outcome]) -> list[str]:
    return [str(sum(o.expectations for o in outcomes)), str(sum(o.failed for o in outcomes))]


def _tolerance(tolerance: tuple[float, float]) -> str:
    below, above = tolerance
    return f"±{below:g}" if below == above else f"+{above:g}/−{below:g}"


def _error(outcome: Outcome) -> str:
    text = signed(outcome.worst, 3)
    return f"**{text} ({outcome.failed} of {outcome.expectations})**" if outcome.failed else text


def true_peak_section(curves: Mapping[str, NDArray[np.float64]], image: str) -> Iterator[str]:
    """Yield the true-peak picture and its extremes."""
    yield "## True peak of tones, over frequency"
    yield ""
    yield (
        "Unit tones from 0.01 to 0.45 of the sample rate at 24 phases; the continuous peak is "
        "0 dBTP. Where a tone's period fits a four-fold grid (0.2, 0.25, 0.4) a meter that only "
        "takes the largest interpolated value reads low; ours fits a parabola through the top. "
        f"The band of ±{AIM_DB} dB is our aim."
    )
    yield ""
    yield f"![true-peak error over frequency]({image})"
    yield ""
    yield from table(
        ["meter", "lowest error, dB", "highest error, dB"],
        [
            [m, signed(rows[:, 1].min(), 3), signed(rows[:, 2].max(), 3)]
            for m, rows in curves.items()
        ],
    )


# ---- detection ------------------------------------------------------------------------------


def detection_section(
    rows: Mapping[Half, Sequence[Row]], known: set[str], grounds: Sequence[Ground]
) -> Iterator[str]:
    """Yield recall and false alarms of every rule, and what they were measured on."""
    held_out, tune = rows["held_out"], {row.fault.name: row for row in rows["tune"]}
    yield "## Fault detection"
    yield ""
    yield (
        "Faults are injected at known samples into clean takes (below); an event counts when it "
        "names the channel, overlaps the fault within 0.25 s and is told in time. Recall: found of "
        "injected. False alarms: events on clean takes, an hour of one channel; a slate's clap "
        "that really clips and a mix whose fader is closed are no false alarms. In brackets the "
        "one-sided 95 % bound: at least so much recall, at most so many false alarms. Held-out "
        "material is never used to set a threshold."
    )
    yield ""
    measured = [row for row in held_out if is_measured(row.fault, known) and row.labels]
    head = ["fault", "aim", "held out: recall", "false alarms/h", "told after, median / 95 %"]
    yield from table(
        [*head, "tuning: recall", "false alarms/h", "aim met"],
        [_detection_row(row, tune.get(row.fault.name)) for row in measured],
    )
    yield ""
    yield from _injections(held_out)
    missing = [row.fault for row in held_out if not is_measured(row.fault, known)]
    if missing:
        yield ""
        names = "; ".join(fault.name for fault in missing)
        yield f"**Not measured**, because no detector of theirs is registered yet: {names}."
    yield ""
    yield from _ground(grounds)


def is_measured(fault: Fault, known: set[str]) -> bool:
    """Say whether a detector or metric that is meant to find the fault exists."""
    return fault.metric in METRICS if fault.metric else bool(set(fault.detectors) & known)


def _recall(row: Row | None) -> str:
    if row is None or not row.labels:
        return "–"
    return (
        f"{row.hits / row.labels:.3f} ({row.hits}/{row.labels}, "
        f"≥ {recall_bound(row.hits, row.labels):.3f})"
    )


def _false(row: Row | None) -> str:
    if row is None or not row.clean_h:
        return "–"
    bound = rate_bound(row.false, row.clean_h)
    return f"{row.false / row.clean_h:.2f} ({row.false}, ≤ {bound:.2f})"


def _aim(fault: Fault) -> str:
    recall = "–" if fault.recall is None else f"≥ {fault.recall:.2f}"
    false = "–" if fault.false_per_h is None else f"≤ {fault.false_per_h:g}/h"
    return "stated" if recall == false == "–" else f"{recall}, {false}"


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _met(row: Row) -> str:
    """Return whether the aim is met, and whether 95 % bounds show so too."""
    fault = row.fault
    if fault.recall is None and fault.false_per_h is None:
        return "no aim"
    recall, rate = row.hits / row.labels, row.false / max(row.clean_h, 1e-9)
    aim_recall = fault.recall or 0.0
    aim_rate = np.inf if fault.false_per_h is None else fault.false_per_h
    if recall < aim_recall or rate > aim_rate:
        return "**no**"
    if aim_recall == 1.0 or aim_rate == 0.0:
        return "yes"  # never and always cannot be shown by counting
    certain = recall_bound(row.hits, row.labels) >= aim_recall
    quiet = rate_bound(row.false, row.clean_h) <= aim_rate
    return "yes, at 95 %" if certain and quiet else "yes, not yet at 95 %"


def _detection_row(row: Row, tune: Row | None) -> list[str]:
    told = sorted(row.latencies_s)
    soon = (
        f"{_seconds(median(told))} / {_seconds(told[int(0.95 * (len(told) - 1))])}" if told else "–"
    )
    name = row.fault.name + (f" ({row.late} too late)" if row.late else "")
    ours, theirs = [_recall(row), _false(row)], [_recall(tune), _false(tune)]
    return [name, _aim(row.fault), *ours, soon, *theirs, _met(row)]


def _injections(rows: Sequence[Row]) -> Iterator[str]:
    yield (
        "What is injected, and what else was told (consequences and mistakes) on the first "
        f"{CONSEQUENCES_TAKES} takes of each; on the others only what finds the fault was run:"
    )
    yield ""
    yield from table(
        ["fault", "injected", "in time", "false beside it", "other events"],
        [
            [
                row.fault.name,
                row.fault.says,
                f"{row.fault.within_s:g} s after its {'end' if row.fault.from_end else 'start'}",
                str(row.beside),
                ", ".join(f"{k} {n}" for k, n in sorted(row.consequences.items())) or "none",
            ]
            for row in rows
        ],
    )


def alerts_section(told: Sequence[Told]) -> Iterator[str]:
    """Yield what a crew would have been told on takes where nothing is wrong."""
    yield "## What a crew is told when nothing is wrong"
    yield ""
    yield (
        "The default rules over the same clean takes, live, rolling from their first sample; "
        "alerts an hour of a channel, with the 95 % bound. The slate is each take's first 10 s."
    )
    yield ""
    yield from table(
        ["half", "channel-hours", "FAULT", "CHECK", "NOTE", "CHECK or FAULT within the slate"],
        [
            [
                HALF_NAMES[one.half],
                f"{one.clean_h:.1f}",
                *(
                    _rate(one.by_severity.get(s, 0), one.clean_h)
                    for s in ("FAULT", "CHECK", "NOTE")
                ),
                str(one.in_slate),
            ]
            for one in told
            if one.clean_h
        ],
    )
    yield ""
    by_rule = sorted({rule for one in told for rule in one.by_rule})
    listed = "; ".join(
        f"`{rule}` " + " / ".join(str(one.by_rule.get(rule, 0)) for one in told) for rule in by_rule
    )
    halves = " / ".join(HALF_NAMES[one.half] for one in told)
    yield f"By severity and rule ({halves}): {listed or 'none'}."


def _rate(count: int, hours: float) -> str:
    return f"{count / hours:.2f} ({count}, ≤ {rate_bound(count, hours):.2f})"


def _ground(grounds: Sequence[Ground]) -> Iterator[str]:
    yield "## What it was measured on"
    yield ""
    yield from table(
        ["half", "clean channel-hours", "spoilt channel-hours", "distinct speech", "music", "used"],
        [
            [
                HALF_NAMES[g.half],
                f"{g.clean_h:.1f}",
                f"{g.spoilt_h:.1f}",
                f"{g.speech_min:.1f} min",
                f"{g.music_min:.1f} min",
                f"{g.used_min:.1f} min of them, in {g.used} of {g.recordings} recordings",
            ]
            for g in grounds
        ],
    )
    yield ""
    yield from prose("corpus")
    yield ""
    yield from table(
        ["Debian package", "what", "licence"],
        [[f"`{p.name}`", f"{p.kind}: {p.voice}", p.licence] for p in PACKAGES],
    )
    yield ""
    yield from prose("limits")


def peers_section(peers: Sequence[Peer], ours: Mapping[str, Row]) -> Iterator[str]:
    """Yield what other people's detectors did on the same labels."""
    yield "## Against other detectors"
    yield ""
    yield from prose("peers")
    yield ""
    yield from table(
        ["fault", "detector", "recall", "false alarms/h on clean takes"],
        [
            row
            for fault in dict.fromkeys(p.fault for p in peers)
            for row in _peer_rows(fault, peers, ours)
        ],
    )


def _peer_rows(fault: str, peers: Sequence[Peer], ours: Mapping[str, Row]) -> Iterator[list[str]]:
    if fault in ours and ours[fault].labels:
        yield [fault, "Takewatch", _recall(ours[fault]), _false(ours[fault])]
    for peer in peers:
        if peer.fault == fault and peer.labels:
            bound = rate_bound(peer.false, peer.clean_h)
            yield [
                fault,
                peer.name,
                f"{peer.hits / peer.labels:.3f} ({peer.hits}/{peer.labels}, "
                f"≥ {recall_bound(peer.hits, peer.labels):.3f})",
                f"{peer.false / peer.clean_h:.1f} ({peer.false}, ≤ {bound:.1f})",
            ]


def head(versions: str) -> list[str]:
    """Return the page's beginning."""
    return [
        "# Accuracy",
        "",
        "Written by `make accuracy`, which measures everything on this page; not edited by hand.",
        "",
        f"Measured with {versions}.",
        "",
    ]


def halves_in_order() -> tuple[Half, ...]:
    """Return the halves, the one that counts first."""
    return HALVES[::-1]
