"""A journal for a test."""

from pathlib import Path

import pytest

from tests.monitor.journal.kept import Kept


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)
