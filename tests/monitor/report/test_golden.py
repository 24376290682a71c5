"""Every format against a file that was looked at: ``TAKEWATCH_GOLDEN=write`` writes them anew."""

import os
from pathlib import Path

import pytest

from monitor.report import REPORTS, CheckBatch, DayDocument
from tests.monitor.report.samples import check_batch, whole_day

GOLDEN = Path(__file__).parent / "golden"
DOCUMENTS: dict[str, CheckBatch | DayDocument] = {
    "check": check_batch(),
    "day": whole_day().document(),
}


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("form", sorted(REPORTS))
def test_a_format_is_what_it_was_when_last_looked_at(name: str, form: str) -> None:
    kind = REPORTS[form]
    path = GOLDEN / f"{name}.{kind.suffix}"
    data = kind.render(DOCUMENTS[name]).encode()
    if os.environ.get("TAKEWATCH_GOLDEN") == "write":
        path.write_bytes(data)
    assert path.read_bytes() == data


def test_there_is_no_golden_file_of_a_format_that_is_gone() -> None:
    expected = {f"{name}.{kind.suffix}" for name in DOCUMENTS for kind in REPORTS.values()}
    assert {path.name for path in GOLDEN.iterdir()} == expected
