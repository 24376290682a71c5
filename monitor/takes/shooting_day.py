"""Which shooting day a moment belongs to. Pure."""

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo


def zone(name: str | None) -> tzinfo | None:
    """Return a named time zone, or None for the machine's own."""
    return ZoneInfo(name) if name else None


def shooting_day(utc_ns: int, day_starts: str, local: tzinfo | None) -> str:
    """Return the ISO date of the day a moment belongs to; it changes at ``day_starts`` (HH:MM)."""
    hours, minutes = (int(part) for part in day_starts.split(":"))
    moment = datetime.fromtimestamp(utc_ns / 1e9, UTC).astimezone(local)
    wall = moment.replace(tzinfo=None) - timedelta(hours=hours, minutes=minutes)
    return wall.date().isoformat()
