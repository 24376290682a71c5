"""JSON: one object a line for a check, one object for a day."""

from monitor.report.document import CheckBatch
from monitor.report.registry import Document, report


@report("json", media_type="application/json")
def render(document: Document) -> str:
    """Return the document as JSON; a check is one object per file, one per line."""
    if isinstance(document, CheckBatch):
        return "".join(f"{checked.model_dump_json()}\n" for checked in document.files)
    return document.model_dump_json(indent=2) + "\n"
