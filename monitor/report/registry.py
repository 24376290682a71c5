"""The registry of report formats: a format is one file and one ``@report`` on its function.

A format turns a document into text and touches nothing else: no clock, no file, no network.
"""

from collections.abc import Callable
from dataclasses import dataclass

from monitor.report.document import CheckBatch, DayDocument

Document = CheckBatch | DayDocument
Render = Callable[[Document], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportKind:
    """A registered format: its name, what browsers and files call it, and its function."""

    name: str
    media_type: str
    suffix: str
    render: Render


REPORTS: dict[str, ReportKind] = {}


def report(name: str, *, media_type: str, suffix: str | None = None) -> Callable[[Render], Render]:
    """Register a format under a name. ``suffix``: of a file's name, without the dot."""

    def register(render: Render) -> Render:
        assert name not in REPORTS, f"report format registered twice: {name}"
        REPORTS[name] = ReportKind(
            name=name, media_type=media_type, suffix=suffix or name, render=render
        )
        return render

    return register
