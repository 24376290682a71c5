from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.takes.shooting_day import shooting_day

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("local", "day"),
    [
        ("2026-11-23 05:59", "2026-11-22"),
        ("2026-11-23 06:00", "2026-11-23"),
        ("2026-11-24 03:30", "2026-11-23"),
        ("2026-03-29 05:59", "2026-03-28"),  # the night clocks go forward
    ],
)
def test_the_day_changes_at_six_local_time(local: str, day: str) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=PARIS).astimezone(UTC)
    assert shooting_day(round(moment.timestamp() * 1e9), "06:00", PARIS) == day
