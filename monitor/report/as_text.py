"""Text: for a terminal, aligned, no colour and no control character of anybody else's."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from monitor.report import wording
from monitor.report.document import (
    AudioStream,
    CheckAlert,
    CheckBatch,
    CheckDocument,
    DayAlert,
    DayDocument,
    Loudness,
    TakeRow,
    VideoStream,
)
from monitor.report.folding import Fold, folded
from monitor.report.registry import Document, report

NAME_WIDTH = 56  # leaves the verdict on an 80-column line
LINE_WIDTH = 100


@report("text", media_type="text/plain", suffix="txt")
def render(document: Document) -> str:
    """Return the document as lines for a terminal."""
    lines = _batch(document) if isinstance(document, CheckBatch) else _day(document)
    return "".join(f"{line}".rstrip() + "\n" for line in lines)


def _aligned(rows: Sequence[Sequence[str]], indent: str = "  ") -> Iterator[str]:
    """Yield rows with their columns aligned; the last column runs on."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]) - 1)] if rows else []
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        yield indent + "  ".join([*cells, row[-1]])


# ---- check


def _batch(batch: CheckBatch) -> Iterator[str]:
    for checked in batch.files:
        yield from _checked(checked)
        yield ""
    if len(batch.files) > 1:
        yield _summary(batch)


def _summary(batch: CheckBatch) -> str:
    verdicts = [checked.verdict for checked in batch.files]
    counts = {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}
    told = ", ".join(f"{count} {wording.VERDICTS[key]}" for key, count in counts.items())
    return f"{wording.counted(len(verdicts), 'file')}: {told}"


def _checked(checked: CheckDocument) -> Iterator[str]:
    name = wording.one_line(checked.file)
    yield f"{name.ljust(NAME_WIDTH)}  {wording.VERDICTS[checked.verdict]}"
    if checked.error is not None:
        yield f"  {wording.one_line(checked.error)}"
        return
    spec = f"spec {wording.one_line(checked.spec)}" if checked.spec else "no spec: hard faults only"
    yield f"  {spec} · stage {checked.stage} · {wording.clock(checked.duration_s, 1)}"
    for video in checked.video:
        yield from _video(video)
    for audio in checked.audio:
        yield from _audio(audio)
    if checked.alerts:
        yield from _aligned([_alert(alert) for alert in checked.alerts])
    if left_out := wording.not_checked(checked.not_checked):
        yield from wrap(
            f"not checked: {left_out}", LINE_WIDTH, initial_indent="  ", subsequent_indent="    "
        )


def _video(video: VideoStream) -> Iterator[str]:
    declared = wording.frame_rate(video.frame_rate.declared)
    measured = wording.figure(video.frame_rate.measured, 3)
    yield f"  stream {video.stream + 1}  picture  {wording.video_format(video)}"
    yield f"            {measured} frames/s measured, {declared} declared"
    yield (
        f"            {wording.counted(video.frames, 'frame')}, {video.frames_dropped} dropped, "
        f"{video.frames_repeated} repeated"
    )
    if video.av_offset is not None:
        yield f"            {wording.av_offset(video.av_offset)}"
    rate = video.bit_rate_bps
    low, high = wording.bit_rate(rate.min_1s), wording.bit_rate(rate.max_1s)
    yield f"            bit rate in 1 s: {low} to {high}"


def _audio(audio: AudioStream) -> Iterator[str]:
    yield f"  stream {audio.stream + 1}  sound    {wording.audio_format(audio)}"
    head = ["", "I LUFS", "LRA LU", "M max", "S max", "TP dBTP", "peak dBFS"]
    rows = [head]
    if audio.loudness is not None:
        rows.append(["programme", *_loudness(audio.loudness), _top(audio.true_peak_dbtp), ""])
        rows[-1][-1] = _top(audio.sample_peak_dbfs)
    for channel, (loudness, true_peak, peak) in enumerate(
        zip(audio.channel_loudness, audio.true_peak_dbtp, audio.sample_peak_dbfs, strict=True)
    ):
        levels = [wording.figure(true_peak), wording.figure(peak)]
        rows.append([f"channel {channel + 1}", *_loudness(loudness), *levels])
    for row in rows:
        figures = "".join(text.rjust(11) for text in row[1:])
        yield f"            {row[0].ljust(11)}{figures}"
    if silent := wording.silent_channels(audio):
        yield f"            {silent}"


def _loudness(loudness: Loudness) -> list[str]:
    return [
        wording.figure(loudness.integrated_lufs),
        wording.figure(loudness.range_lu),
        wording.figure(loudness.momentary_max_lufs),
        wording.figure(loudness.short_term_max_lufs),
    ]


def _top(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return wording.figure(max(known) if known else None)


def _alert(alert: CheckAlert) -> list[str]:
    return [
        alert.severity,
        wording.clock(alert.start_s, 3),
        wording.place(alert),
        alert.rule,
        wording.one_line(alert.message) + _likely(alert),
    ]


def _likely(alert: CheckAlert | DayAlert) -> str:
    return f" ({wording.likely(alert.cause)})" if alert.cause else ""


# ---- day


def _day(day: DayDocument) -> Iterator[str]:
    one = wording.one_line
    yield f"{one(day.production)} · {one(day.unit)} · {one(day.day)}"
    yield f"spec {one(day.spec or 'not known')} · {day.seen} · times in {day.time_zone}"
    yield f"generated {day.generated} by {day.software}"
    yield ""
    yield from _circled(day)
    yield ""
    yield "TAKES"
    if not day.takes:
        yield "  no take was logged"
    for row in day.takes:
        yield from _take(row)
    yield from _rest(day)
    yield ""
    yield _day_totals(day)


def _circled(day: DayDocument) -> Iterator[str]:
    yield "CIRCLED TAKES WITH FAULTS"
    rows = {row.id: row for row in day.takes}
    faulty = [rows[key] for key in day.circled_with_faults]
    if not faulty:
        yield f"  none of {wording.counted(day.totals.circled, 'circled take')}"
    for row in faulty:
        yield f"  {wording.one_line(row.title)}  {row.verdict}"
        yield from _aligned([_fold(fold) for fold in folded(row.alerts)], "    ")
    blind = [rows[key] for key in day.circled_not_monitored]
    if blind:
        yield "CIRCLED TAKES NOT, OR NOT WHOLLY, MONITORED"
        for row in blind:
            yield f"  {wording.one_line(row.title)}  {row.verdict}"


def _take(row: TakeRow) -> Iterator[str]:
    marks = [
        "circled" if row.circled else "",
        "false start" if row.false_start else "",
        "" if row.complete or row.verdict == "NOT MONITORED" else "not wholly monitored",
    ]
    length = "rolling" if row.length_s is None else wording.clock(row.length_s)
    words = [wording.one_line(row.title).ljust(20), row.verdict.ljust(13)]
    words += [wording.wall(row.start), length, ", ".join(mark for mark in marks if mark)]
    yield "  " + "  ".join(words)
    if row.notes:
        yield f"      note: {wording.one_line(row.notes)}"
    yield from _aligned([_fold(fold) for fold in folded(row.alerts)], "      ")
    for hole in row.holes:
        span = f"{wording.wall(hole.start)} for {wording.clock(hole.length_s, 1)}"
        name, reason = wording.one_line(hole.source_name), wording.one_line(hole.reason)
        yield f"      not monitored: {name}, {span} ({reason})"
    for since in row.integrated_since:
        name = wording.one_line(since.source_name)
        yield f"      {name}: integrated since {wording.wall(since.since)}"
    for loss in row.losses:
        amount = wording.worst(loss.amount, loss.unit)
        name, reason = wording.one_line(loss.source_name), wording.one_line(loss.reason)
        yield f"      lost: {amount} of {name} at {wording.wall(loss.at)} ({reason})"


def _fold(fold: Fold) -> list[str]:
    alert, first = fold.worst, fold.first.start
    who, often = wording.noted(fold), wording.often(fold)
    worst = "" if alert.worst is None else f" (worst {wording.worst(alert.worst, alert.unit)})"
    code = f" TC {first.timecode}" if first.timecode else ""
    return [
        alert.severity,
        wording.wall(first),
        wording.position(first.position_s) + code,
        wording.day_place(alert),
        alert.rule,
        f"{often}; worst: " * bool(often)
        + f"{wording.one_line(alert.message)}{worst}{_likely(alert)}"
        + f", acknowledged by {who}" * bool(who),
    ]


def _rest(day: DayDocument) -> Iterator[str]:
    if day.between_takes:
        yield ""
        yield "BETWEEN TAKES"
        yield from _aligned([_fold(fold) for fold in folded(day.between_takes)])
    if day.line_up:
        yield ""
        yield "LINE-UP"
        for row in day.line_up:
            yield f"  {wording.one_line(row.source_name)}: {wording.line_up(row)}"
    if day.holes or day.losses or day.notices:
        yield ""
        yield "THE MONITORING ITSELF"
    for hole in day.holes:
        length, reason = wording.clock(hole.length_s, 1), wording.one_line(hole.reason)
        yield f"  nothing monitored from {wording.wall(hole.start)} for {length} ({reason})"
    for loss in day.losses:
        amount = wording.worst(loss.amount, loss.unit)
        yield f"  lost: {amount} of {wording.one_line(loss.source_name)} at {wording.wall(loss.at)}"
    for notice in day.notices:
        yield f"  {wording.one_line(notice)}"


def _day_totals(day: DayDocument) -> str:
    totals = day.totals
    parts = [
        wording.counted(totals.takes, "take"),
        f"{totals.circled} circled",
        *(f"{count} {word}" for word, count in totals.verdicts.items()),
        f"{wording.clock(totals.rolled_s)} rolled",
        f"{wording.clock(totals.not_monitored_s)} of it not wholly monitored",
    ]
    coarser = sum(totals.coarser.values())
    if coarser:
        parts.append(f"{wording.counted(coarser, 'reading')} coarser in time")
    return "totals: " + ", ".join(parts)
