"""Reports: documents as data, and one file a format. ``REPORTS`` holds the formats by name."""

from monitor.report import as_csv, as_html, as_json, as_text
from monitor.report.document import CheckBatch, CheckDocument, DayDocument
from monitor.report.registry import REPORTS, ReportKind, report

__all__ = [
    "REPORTS",
    "CheckBatch",
    "CheckDocument",
    "DayDocument",
    "ReportKind",
    "as_csv",
    "as_html",
    "as_json",
    "as_text",
    "report",
]
