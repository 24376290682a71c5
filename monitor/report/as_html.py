"""HTML: one self-contained page for screen and paper; no script, nothing fetched from anywhere.

Everything that came from outside is escaped by jinja2's autoescape; pictures are inline SVG drawn
from numbers only.
"""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from monitor.report import plot, wording
from monitor.report.document import CheckBatch
from monitor.report.folding import folded
from monitor.report.registry import Document, report

if TYPE_CHECKING:
    from jinja2 import Environment

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Content security policy of the page: nothing but its own style sheet."""


@report("html", media_type="text/html")
def render(document: Document) -> str:
    """Return the document as one HTML page."""
    if isinstance(document, CheckBatch):
        return _environment().get_template("check.html.jinja").render(document=document)
    now_utc_ns = int(datetime.fromisoformat(document.generated).timestamp() * 1000) * 1_000_000
    page = _environment().get_template("day.html.jinja")
    return page.render(document=document, document_now=now_utc_ns)


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("monitor.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(policy=POLICY, plot=plot, say=wording, folded=folded)
    return environment
