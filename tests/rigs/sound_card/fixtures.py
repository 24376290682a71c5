"""The compiled virtual sound card, once a test session."""

from pathlib import Path

import pytest

from tests.rigs.sound_card import build


@pytest.fixture(scope="session")
def card_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ALSA plugin of the virtual sound card."""
    return build(tmp_path_factory.mktemp("card"))
