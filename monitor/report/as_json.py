"""JSON: one object a line for a check, one object for a day."""

from monitor.report.document import CheckBatch
from monitor.report.registry import Document, report

LINE_ENDS = str.maketrans({char: f"\\u{ord(char):04x}" for char in "\x85\u2028\u2029"})
"""Some readers end a line at these; inside JSON they only occur in strings."""


@report("json", media_type="application/json")
def render(document: Document) -> str:
    """Return the document as JSON; a check is one object per file, one per line."""
    if isinstance(document, CheckBatch):
        lines = [checked.model_dump_json() for checked in document.files]
        return "".join(f"{line.translate(LINE_ENDS)}\n" for line in lines)
    return document.model_dump_json(indent=2).translate(LINE_ENDS) + "\n"
