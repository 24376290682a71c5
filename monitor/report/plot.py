"""Geometry of the pictures in a report, pure: what the page's inline SVG draws, in its own units.

Plots are for looking, tables are for reading. Nothing here is text from outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil, floor, log10

from monitor.report import wording
from monitor.report.document import CheckAlert, CheckDocument, DayAlert, TakeRow, Trace

WIDTH = 1000.0
HEIGHT = 170.0
SPARK_WIDTH = 200.0
SPARK_HEIGHT = 24.0
LEVEL_UNITS = ("dBTP", "dBFS", "LUFS")
LEVEL_FLOOR = -60.0  # what lies below is silence to the eye
SPARK_FLOOR = -80.0  # a room at -60 is told from digital silence
LEVEL_TOP = 3.0  # true peaks of full-scale material lie above 0
LAST_LABEL = 0.95  # of the length: a label further right would run over the edge
X_LABELS = 8  # at most; more run into each other at a page's width


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An alert on the time axis: its left edge and width, and its severity."""

    x: float
    width: float
    severity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One trace: what it is called, its place in the key, and its pieces as SVG path data."""

    label: str
    index: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """Words at a place on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One plot: everything in units of WIDTH by HEIGHT, the origin top left."""

    title: str
    lines: list[Line]
    limits: list[Label]
    marks: list[Mark]
    x_labels: list[Label]
    y_labels: list[Label]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """An alert's level trace: a bar a step as SVG path data, and where the fault lies."""

    path: str
    stroke: float
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A take's bar: marks of alerts, and spans in which something was not monitored."""

    marks: list[Mark]
    holes: list[Mark]
    x_labels: list[Label]


def check_plots(checked: CheckDocument) -> list[Plot]:
    """Return a file's plots: for every stream its levels, and its bit rate if it is picture."""
    if not checked.duration_s:
        return []
    ordered = sorted(checked.traces, key=_axis)
    return [
        _plot(checked, stream, list(traces), checked.duration_s)
        for (stream, _), traces in groupby(ordered, key=_axis)
    ]


def _axis(trace: Trace) -> tuple[int, str]:
    return (trace.stream, "level" if trace.unit in LEVEL_UNITS else trace.unit)


def _plot(checked: CheckDocument, stream: int, traces: Sequence[Trace], length_s: float) -> Plot:
    level = traces[0].unit in LEVEL_UNITS
    low, high = (LEVEL_FLOOR, LEVEL_TOP) if level else (0.0, _ceiling(traces))
    ticks = [0.0, -10.0, -20.0, -30.0, -40.0, -50.0] if level else [high / 2, high]

    def y(value: float) -> float:
        return round(HEIGHT * (1 - (min(max(value, low), high) - low) / (high - low)), 1)

    return Plot(
        title=f"Stream {stream + 1}",
        lines=[
            Line(label=trace.metric, index=at, path=_path(trace, length_s, y, low))
            for at, trace in enumerate(traces)
        ],
        limits=[Label(at=y(at), text=word) for trace in traces for word, at in trace.limits],
        marks=[_mark(alert, length_s) for alert in checked.alerts if alert.stream == stream],
        x_labels=time_labels(length_s),
        y_labels=[
            Label(at=y(tick), text=wording.figure(tick, 0) if level else wording.bit_rate(tick))
            for tick in ticks
        ],
    )


def _ceiling(traces: Sequence[Trace]) -> float:
    """Return the next 1, 2 or 5 above everything in the plot, its limits too."""
    drawn = [value for trace in traces for value in trace.values if value is not None]
    top = max([*drawn, *(at for trace in traces for _, at in trace.limits), 1.0])
    decade = 10.0 ** floor(log10(top))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= top)


def _path(trace: Trace, length_s: float, y: object, low: float) -> str:
    """Return the trace as path data, broken where nothing is known."""
    assert callable(y)
    pieces: list[str] = []
    pen_down = False
    for at, value in enumerate(trace.values):
        x = round(min(WIDTH, (at + 0.5) * trace.step_s / length_s * WIDTH), 1)
        if value is None or value < low:
            pen_down = False
            continue
        pieces.append(f"{'L' if pen_down else 'M'}{x:g} {y(value):g}")
        pen_down = True
    return "".join(pieces)


def _mark(alert: CheckAlert, length_s: float) -> Mark:
    start = alert.start_s or 0.0
    end = length_s if alert.end_s is None else alert.end_s
    return _span(start, end, length_s, alert.severity)


def _span(start_s: float, end_s: float, length_s: float, severity: str) -> Mark:
    left = min(max(start_s / length_s, 0.0), 1.0) * WIDTH
    right = min(max(end_s / length_s, 0.0), 1.0) * WIDTH
    width = max(right - left, 3.0)  # the shortest fault must still be seen
    return Mark(x=round(min(left, WIDTH - width), 1), width=round(width, 1), severity=severity)


def time_labels(length_s: float) -> list[Label]:
    """Return round times along an axis: whole steps that people count in."""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
    step = next((step for step in steps if length_s / step <= X_LABELS), 28800)
    return [
        Label(at=round(at * step / length_s * WIDTH, 1), text=wording.clock(at * step))
        for at in range(ceil(length_s * LAST_LABEL / step))
    ]


def spark(alert: DayAlert) -> Spark | None:
    """Return an alert's level trace as a small picture, or None where there is none."""
    trace = alert.trace
    if trace is None or not trace.values:
        return None
    each = SPARK_WIDTH / len(trace.values)

    def y(level: float) -> float:
        return SPARK_HEIGHT * min(1.0, max(0.02, 1 - level / SPARK_FLOOR))

    bars = [
        f"M{(at + 0.5) * each:.1f} {SPARK_HEIGHT:g}v{-y(level):.1f}"
        for at, level in enumerate(trace.values)
        if level is not None
    ]
    scale = each / trace.step_s
    left = min(SPARK_WIDTH, max(0.0, -trace.start_s * scale))
    right = SPARK_WIDTH
    if alert.length_s is not None:
        right = max(0.0, min(SPARK_WIDTH, (alert.length_s - trace.start_s) * scale))
    width = max(right - left, 2.0)
    mark = Mark(x=round(min(left, SPARK_WIDTH - width), 1), width=round(width, 1),
                severity=alert.severity)  # fmt: skip
    return Spark(path="".join(bars), stroke=round(each * 0.7, 2), mark=mark)


def take_bar(row: TakeRow, now_utc_ns: int) -> Bar:
    """Return a take's bar: its length, marks where alerts begin, hatching where nobody looked."""
    length_s = row.length_s
    if length_s is None:
        length_s = (now_utc_ns - row.start.utc_ns) / 1e9
    if length_s <= 0:
        return Bar(marks=[], holes=[], x_labels=[])
    marks = [
        _span(alert.start.position_s, alert.start.position_s + (alert.length_s or 0.0), length_s,
              alert.severity)
        for alert in reversed(row.alerts)
        if alert.start.position_s is not None
    ]  # fmt: skip
    holes = [
        _span(hole.start.position_s, hole.start.position_s + (hole.length_s or length_s), length_s,
              "hole")
        for hole in row.holes
        if hole.start.position_s is not None
    ]  # fmt: skip
    return Bar(marks=marks, holes=holes, x_labels=time_labels(length_s))
