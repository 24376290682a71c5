"""Timecode labels against a plain count of every label of a day."""

from collections.abc import Iterator
from fractions import Fraction

import pytest

from monitor.measure.picture.timecode import label_after


def counted(nominal: int, dropped: int) -> Iterator[str]:
    """Every label of a day, by the rule as the standard words it."""
    mark = ";" if dropped else ":"
    for minute in range(24 * 60):
        for second in range(60):
            skipped = dropped if second == 0 and minute % 10 else 0
            for frame in range(skipped, nominal):
                yield f"{minute // 60:02}:{minute % 60:02}:{second:02}{mark}{frame:02}"


@pytest.mark.parametrize(
    ("rate", "dropped"), [("25", 0), ("30000/1001", 2), ("24000/1001", 0), ("60000/1001", 4)]
)
def test_every_label_of_a_day_is_the_one_the_standard_counts(rate: str, dropped: int) -> None:
    rate_hz = Fraction(rate)
    labels = list(counted(round(rate_hz), dropped))
    picked = [*range(0, len(labels), 997), len(labels) - 1]
    assert all(label_after(labels[0], at, rate_hz) == labels[at] for at in picked)
    begun = labels[12_345]
    assert all(label_after(begun, at - 12_345, rate_hz) == labels[at] for at in picked)
    assert label_after(labels[-1], 1, rate_hz) == labels[0]


@pytest.mark.parametrize("label", ["", "10:00:00", "10:00:00:25", "aa:00:00:00", "10:00:00:00x"])
def test_what_is_no_label_has_none_after_it(label: str) -> None:
    assert label_after(label, 1, Fraction(25)) is None
