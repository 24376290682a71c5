"""The machine's clocks and boot, for the service and its workers; who judges is told the time."""

import time
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
STEP_S = 10  # the start is told in steps of this: UTC is disciplined meanwhile


def mono_ns() -> int:
    """Return the engine's axis: monotonic nanoseconds of this boot."""
    return time.monotonic_ns()


def utc_ns() -> int:
    """Return UTC as the machine has it."""
    return time.time_ns()


def pair() -> tuple[int, int, int]:
    """Return monotonic, UTC and the error bound of the pair."""
    before = time.monotonic_ns()
    utc = time.time_ns()
    after = time.monotonic_ns()
    return (before + after) // 2, utc, (after - before) // 2 + 1


def boot_id() -> str:
    """Return what tells this boot's monotonic clock from another's."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return f"started-{round((utc_ns() - mono_ns()) / 1e9 / STEP_S)}"
