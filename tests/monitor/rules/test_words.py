import string

import pytest

from config.rows import default_rows
from config.spec import Limit, Row
from monitor.rules.model import Place
from monitor.rules.words import (
    TEMPLATE_FIELDS,
    duration_text,
    limit_text,
    missing_text,
    number_text,
    times_text,
    value_text,
)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1 ms"), (20_000_000, "20 ms"), (1_300_000_000, "1.3 s"), (59_940_000_000, "59.9 s"),
        (60_000_000_000, "1 min"), (125_000_000_000, "2 min 5 s"),
    ],
)  # fmt: skip
def test_durations_read_like_a_stopwatch(ns: int, text: str) -> None:
    assert duration_text(ns) == text


def test_counts_are_words_up_to_two() -> None:
    assert [times_text(n) for n in (1, 2, 3)] == ["once", "twice", "3 times"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (-23.04, "LUFS", "−23.0"), (-0.02, "dBFS", "0.0"), (0.0, "dBFS", "0.0"), (0, "", "0"),
        (23.976024, "Hz", "23.976"), (48_000, "Hz", "48000"), (5, "samples", "5"),
        (8_150_000, "bit/s", "8.15 Mbit/s"), (2_304_000, "bit/s", "2.3 Mbit/s"),
        (0, "bit/s", "0 bit/s"), (3.1458, "ms", "3.1"), (120.0, "ms", "120"),
        (-18.26, "ppm", "−18.3"), (96.0, "%", "96"), (0.0, "ppm", "0"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_the_trade_does(value: float, unit: str, text: str) -> None:
    assert number_text(value, unit) == text


SOUND = Place(ticks=0, time_base="1/48000", epoch=0)


@pytest.mark.parametrize(
    ("amount", "unit", "start", "text"),
    [
        (1000.0, "samples", SOUND, "21 ms of sound"), (1000.0, "samples", None, "1000 samples"),
        (1.0, "packets", None, "1 packet"), (3, "frames", None, "3 frames"),
        (10.0, "s", None, "10.0 s"), (None, "s", None, "unknown"),
    ],
)  # fmt: skip
def test_what_is_missing_is_told_as_time_where_it_is_known(
    amount: float | None, unit: str, start: Place | None, text: str
) -> None:
    assert missing_text(amount, unit, start) == text


def test_sizes_words_and_unknown_values() -> None:
    assert value_text([1920.0, 1080.0], "px") == "1920×1080"
    assert value_text("interlaced", "") == "interlaced"
    assert value_text(None, "Hz") == "unknown"


@pytest.mark.parametrize(
    ("limit", "unit", "text"),
    [
        (Limit(value=-23.0, tolerance=0.2), "LUFS", "−23.0 ±0.2"),
        (Limit(value="24000/1001", tolerance=0.005), "Hz", "23.976"),
        (Limit(min=8e6), "bit/s", "at least 8 Mbit/s"),
        (Limit(max=-1.0), "dBTP", "at most −1.0"),
        (Limit(min=5, max=9), "", "5 to 9"),
        (Limit(value="progressive"), "", "progressive"),
        (None, "", ""),
    ],
)
def test_limits_are_words(limit: Limit | None, unit: str, text: str) -> None:
    assert limit_text(limit, unit) == text


@pytest.mark.parametrize("row", default_rows(), ids=lambda row: row.key)
def test_messages_name_only_fields_there_are(row: Row) -> None:
    message = row.message
    names = {name for _, name, _, _ in string.Formatter().parse(message) if name is not None}
    assert names <= TEMPLATE_FIELDS
