"""CSV (RFC 4180): one table with one header; the first column says what a row is.

Text that a spreadsheet would take for a formula gets an apostrophe in front; figures stay figures.
"""

import csv
import io
from collections.abc import Iterator, Mapping

from monitor.report import wording
from monitor.report.document import (
    AudioStream,
    BitRate,
    CheckAlert,
    CheckBatch,
    CheckDocument,
    DayAlert,
    DayDocument,
    Hole,
    Loss,
    TakeRow,
    VideoStream,
    Worst,
)
from monitor.report.registry import Document, report

Cell = str | float | bool | None
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "|", "%")
"""OWASP's list, the full-width forms that some spreadsheets fold, and DDE's pipe and percent."""

CHECK_COLUMNS = (
    "row", "file", "verdict", "spec", "stage", "error", "duration_s", "stream", "codec",
    "channels", "sample_rate_hz", "width", "height", "pixel_format", "scan", "bit_depth",
    "frame_rate_declared", "frame_rate_measured", "frames", "frames_dropped", "frames_repeated",
    "bit_rate_mean_bps", "bit_rate_min_1s_bps", "bit_rate_max_1s_bps", "integrated_lufs",
    "loudness_range_lu", "momentary_max_lufs", "short_term_max_lufs", "true_peak_dbtp",
    "sample_peak_dbfs", "severity", "rule", "channel", "start_s", "end_s", "timecode", "worst",
    "limit", "unit", "message", "not_checked", "profile", "level", "chroma", "pixel_aspect",
    "field_order", "colour_primaries", "colour_transfer", "colour_matrix", "colour_range",
    "cause",
)  # fmt: skip
DAY_COLUMNS = (
    "row", "production", "unit", "day", "spec", "stage", "seen", "scene", "slate", "take",
    "circled", "false_start", "verdict", "complete", "start", "length_s", "severity", "rule",
    "source", "channel", "position_s", "timecode", "worst", "limit", "value_unit", "count",
    "message", "acknowledged_by", "acknowledged_at", "notes", "cause",
)  # fmt: skip


def cell(value: Cell) -> str:
    """Return one cell: text made harmless, figures as they are, missing as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return repr(value)


@report("csv", media_type="text/csv")
def render(document: Document) -> str:
    """Return the document as one table."""
    if isinstance(document, CheckBatch):
        return _table(CHECK_COLUMNS, _check_rows(document))
    return _table(DAY_COLUMNS, _day_rows(document))


def _table(columns: tuple[str, ...], rows: Iterator[Mapping[str, Cell]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        assert row.keys() <= set(columns), f"no such column: {row.keys() - set(columns)}"
        writer.writerow([cell(row.get(column)) for column in columns])
    return out.getvalue()


def _value(value: Worst) -> Cell:
    return " × ".join(f"{one:g}" for one in value) if isinstance(value, list) else value


def _highest(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def _check_rows(batch: CheckBatch) -> Iterator[Mapping[str, Cell]]:
    for checked in batch.files:
        yield _file_row(checked)
        for audio in checked.audio:
            yield {"row": "audio", "file": checked.file, **_audio_row(audio)}
        for video in checked.video:
            yield {"row": "video", "file": checked.file, **_video_row(video)}
        for alert in checked.alerts:
            yield {"row": "alert", "file": checked.file, **_alert_row(alert)}


def _file_row(checked: CheckDocument) -> Mapping[str, Cell]:
    return {
        "row": "file",
        "file": checked.file,
        "verdict": checked.verdict,
        "spec": checked.spec,
        "stage": checked.stage,
        "error": checked.error,
        "duration_s": checked.duration_s,
        "not_checked": " ".join(checked.not_checked),
    }


def _bit_rates(rate: BitRate) -> dict[str, Cell]:
    return {
        "bit_rate_mean_bps": rate.mean,
        "bit_rate_min_1s_bps": rate.min_1s,
        "bit_rate_max_1s_bps": rate.max_1s,
    }


def _audio_row(audio: AudioStream) -> dict[str, Cell]:
    row: dict[str, Cell] = {
        "stream": audio.stream,
        "codec": audio.codec,
        "channels": audio.channels,
        "sample_rate_hz": audio.sample_rate_hz,
        "bit_depth": audio.bit_depth,
        "true_peak_dbtp": _highest(audio.true_peak_dbtp),
        "sample_peak_dbfs": _highest(audio.sample_peak_dbfs),
        **_bit_rates(audio.bit_rate_bps),
    }
    if audio.loudness is not None:
        row["integrated_lufs"] = audio.loudness.integrated_lufs
        row["loudness_range_lu"] = audio.loudness.range_lu
        row["momentary_max_lufs"] = audio.loudness.momentary_max_lufs
        row["short_term_max_lufs"] = audio.loudness.short_term_max_lufs
    return row


def _video_row(video: VideoStream) -> dict[str, Cell]:
    return {
        "stream": video.stream,
        "codec": video.codec,
        "width": video.width,
        "height": video.height,
        "pixel_format": video.pixel_format,
        "bit_depth": video.bit_depth,
        "scan": video.scan,
        "frame_rate_declared": video.frame_rate.declared,
        "frame_rate_measured": video.frame_rate.measured,
        "frames": video.frames,
        "frames_dropped": video.frames_dropped,
        "frames_repeated": video.frames_repeated,
        "profile": video.profile,
        "level": video.level,
        "chroma": video.chroma,
        "pixel_aspect": video.pixel_aspect,
        "field_order": video.field_order,
        "colour_primaries": video.colour.primaries,
        "colour_transfer": video.colour.transfer,
        "colour_matrix": video.colour.matrix,
        "colour_range": video.colour.range,
        **_bit_rates(video.bit_rate_bps),
    }


def _alert_row(alert: CheckAlert) -> dict[str, Cell]:
    return {
        "severity": alert.severity,
        "rule": alert.rule,
        "stream": alert.stream,
        "channel": alert.channel,
        "start_s": alert.start_s,
        "end_s": alert.end_s,
        "timecode": alert.timecode,
        "worst": _value(alert.worst),
        "limit": _value(alert.limit),
        "unit": alert.unit,
        "message": alert.message,
        "cause": alert.cause,
    }


def _day_rows(day: DayDocument) -> Iterator[Mapping[str, Cell]]:
    head: dict[str, Cell] = {
        "production": day.production,
        "unit": day.unit,
        "day": day.day,
        "spec": day.spec,
        "stage": day.stage,
        "seen": day.seen,
    }
    for row in day.takes:
        take = head | _slate(row)
        yield take | _take_cells(row)
        for alert in row.alerts:
            yield take | _day_alert_cells(alert)
        for hole in row.holes:
            yield take | _hole_cells(hole)
        for loss in row.losses:
            yield take | _loss_cells(loss)
    for alert in day.between_takes:
        yield head | _day_alert_cells(alert)
    for hole in day.holes:
        yield head | _hole_cells(hole)
    for loss in day.losses:
        yield head | _loss_cells(loss)


def _slate(row: TakeRow) -> dict[str, Cell]:
    return {"scene": row.scene, "slate": row.slate, "take": row.take, "circled": row.circled}


def _take_cells(row: TakeRow) -> dict[str, Cell]:
    return {
        "row": "take",
        "false_start": row.false_start,
        "verdict": row.verdict,
        "complete": row.complete,
        "start": row.start.wall,
        "length_s": row.length_s,
        "count": len(row.alerts),
        "notes": row.notes,
    }


def _day_alert_cells(alert: DayAlert) -> dict[str, Cell]:
    took_note = alert.acknowledged
    return {
        "row": "alert",
        "severity": alert.severity,
        "rule": alert.rule,
        "source": alert.source_name,
        "channel": None if alert.channel is None else _channel(alert),
        "start": alert.start.wall,
        "length_s": alert.length_s,
        "position_s": alert.start.position_s,
        "timecode": alert.start.timecode,
        "worst": _value(alert.worst),
        "limit": _value(alert.limit),
        "value_unit": alert.unit,
        "count": alert.count,
        "message": alert.message,
        "cause": alert.cause,
        "acknowledged_by": took_note.who if took_note else None,
        "acknowledged_at": took_note.wall if took_note else None,
    }


def _channel(alert: DayAlert) -> str:
    return alert.channel_name or f"channel {(alert.channel or 0) + 1}"


def _hole_cells(hole: Hole) -> dict[str, Cell]:
    return {
        "row": "not monitored",
        "source": hole.source_name,
        "start": hole.start.wall,
        "length_s": hole.length_s,
        "position_s": hole.start.position_s,
        "message": hole.reason,
    }


def _loss_cells(loss: Loss) -> dict[str, Cell]:
    return {
        "row": "lost",
        "source": loss.source_name,
        "start": loss.at.wall,
        "position_s": loss.at.position_s,
        "worst": loss.amount,
        "value_unit": loss.unit,
        "message": wording.one_line(loss.reason),
    }
