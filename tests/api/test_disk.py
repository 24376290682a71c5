"""How long the disk lasts."""

from pathlib import Path

import pytest

from api.disk import LEARN_S, MIN_GROWTH_BYTES_S, Filling, free_bytes

S = 1_000_000_000
GIB = 2**30


def test_it_lasts_as_long_as_it_has_filled_so_far() -> None:
    filling = Filling()
    filling.minutes_left(10 * GIB, 0)
    assert filling.minutes_left(9 * GIB, 600 * S) == pytest.approx(90)


def test_an_idle_journal_and_one_just_opened_promise_no_more_than_the_least_growth() -> None:
    filling = Filling()
    most = GIB / MIN_GROWTH_BYTES_S / 60
    assert filling.minutes_left(GIB, 0) == pytest.approx(most)
    assert filling.minutes_left(GIB, 3600 * S) == pytest.approx(most)
    first = Filling()
    first.minutes_left(2 * GIB, 0)
    assert first.minutes_left(GIB, round(LEARN_S / 2) * S) == pytest.approx(most)


def test_a_folder_that_is_not_there_has_no_known_space(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "gone") is None
    assert (free_bytes(tmp_path) or 0) > 0
