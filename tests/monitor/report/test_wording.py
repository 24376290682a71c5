from typing import get_args

import pytest

from config.spec import Cause
from monitor.report.document import AvOffset
from monitor.report.wording import CAUSES, av_offset, lasted, likely, position


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (-16.5, "at roll"), (0.0, "0:00.0"), (83.39, "1:23.3")]
)
def test_what_was_there_before_the_roll_began_with_the_take(
    seconds: float | None, text: str
) -> None:
    assert position(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0.0002, "< 0.1 s"), (4.3, "4.3 s"), (401.0, "6:41")]
)
def test_a_handful_of_samples_lasted_longer_than_nothing(seconds: float | None, text: str) -> None:
    assert lasted(seconds) == text


def test_every_cause_has_words_and_none_is_left_unsaid() -> None:
    assert set(CAUSES) == set(get_args(Cause))
    assert likely("link") == "likely the link: packets are lost"
    assert likely(None) == ""


def test_an_offset_is_said_by_the_side_on_which_sound_is() -> None:
    late = av_offset(AvOffset(offset_ms=-85.3, error_ms=5.6, pairs=12))
    assert late == "sound 85 ms late ±6 ms, by 12 flashes"
    assert "41 ms early" in av_offset(AvOffset(offset_ms=41.2, error_ms=3.0, pairs=5))
