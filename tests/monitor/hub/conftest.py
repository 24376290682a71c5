"""Clips that feeds of the hub's tests send."""

import pytest

from tests.rigs.clips import Clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))
