"""The thread that gives up on a worker stuck in native code: reading, opening or measuring."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from monitor.worker.measuring import Measuring


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogLimits:
    """How long a thread may be away before the process is given up, in seconds."""

    read_slack_s: float = 0.3  # over the stall time: a healthy source reports its own stall
    measuring_s: float = 5.0
    tick_s: float = 0.1


def watch(
    measuring: Measuring,
    give_up: Callable[[str], None],
    limits: WatchdogLimits | None = None,
) -> None:
    """Start the watchdog: a thread that gives up on a process stuck in native code."""
    bounds = limits or WatchdogLimits()

    def look() -> None:
        woke_ns = time.monotonic_ns()
        while True:
            time.sleep(bounds.tick_s)
            now = time.monotonic_ns()
            late = now - woke_ns > (bounds.tick_s + 0.5) * 1e9
            woke_ns = now
            why = None if late else _stuck(measuring, now, bounds)
            if why is not None:
                give_up(why)

    threading.Thread(target=look, name="watchdog", daemon=True).start()


def _stuck(measuring: Measuring, now: int, bounds: WatchdogLimits) -> str | None:
    """Say who has been away for too long, or None.

    A process that was stopped as a whole is let off: the look that comes late says nothing.
    """
    reader_s = (now - measuring.reader.beat_ns) / 1e9
    measuring_s = (now - measuring.beat_ns) / 1e9
    if measuring.reader.is_open and reader_s > measuring.stall_s + bounds.read_slack_s:
        return f"the source did not answer for {reader_s:.1f} s"
    if not measuring.reader.is_open and reader_s > measuring.open_limit_s:
        return f"the source did not open within {measuring.open_limit_s:.0f} s"
    if measuring_s > bounds.measuring_s:
        return f"measuring stood still for {measuring_s:.1f} s"
    return None
