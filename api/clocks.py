"""The machine's clocks and boot. Everything else takes time as an argument."""

import time
from pathlib import Path
from uuid import uuid4

_BOOT = Path("/proc/sys/kernel/random/boot_id")


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
    """Return the id of this boot; where the system has none, one of this process."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return uuid4().hex
