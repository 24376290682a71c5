"""What the rules cost: four sources of 32 channels at 25 readings a second, calm and in trouble.

Run with ``python -m bench.rules``. The cost is CPU time over media time: per cent of one core.
"""

import itertools
import time

from config.loading import load_spec
from monitor.lines import Event, Hello, Reading, Stream
from monitor.metrics import Value
from monitor.rules.engine import Engine
from monitor.rules.sources import SourceFacts
from monitor.rules.table import rules_for

SOURCES, CHANNELS, HZ, SECONDS, RATE = 4, 32, 25, 20, 48_000
NS = 1_000_000_000
STEP = RATE // HZ


def new_engine() -> Engine:
    """Return an engine for the sources, rolling."""
    names = [f"s{index}" for index in range(SOURCES)]
    facts = {
        name: SourceFacts(id=name, name=name, department="sound", group=name) for name in names
    }
    ids = itertools.count()
    engine = Engine(
        rules_for(load_spec("tv-25p-hd"), "feed"), facts, new_id=lambda: f"a{next(ids)}"
    )
    stream = Stream(
        index=0, kind="audio", time_base="1/48000", sample_rate_hz=RATE, channels=CHANNELS
    )
    for name in names:
        hello = Hello(
            node="n", boot_id="b", pid=1, source=name, kind="synthetic", epoch=0, latency_s=0.0,
            streams=[stream],
        )  # fmt: skip
        engine.line(hello, 0)
    engine.set_phase("rolling", 0)
    return engine


def reading(source: str, number: int, peak_dbfs: float) -> Reading:
    """Return one reading with every audio metric a rule or the channels look at."""
    levels: Value = [peak_dbfs] * CHANNELS
    return Reading(
        source=source, seq=number, stream=0, epoch=0, start=number * STEP,
        end=(number + 1) * STEP, t_arrival_ns=0,
        values={
            "sample_peak_dbfs": levels, "true_peak_dbtp": levels, "rms_dbfs": levels,
            "silent_s": [0.0] * CHANNELS, "clip_runs": [0] * CHANNELS,
        },
    )  # fmt: skip


def clipping(source: str, channel: int) -> Event:
    """Return an episode that stays open."""
    return Event(
        source=source, id=f"{source}-{channel}", phase="open", detector="clipping", stream=0,
        epoch=0, channels=[channel], start=11 * RATE, time_base="1/48000", worst=5.0,
        unit="samples", t_arrival_ns=0,
    )  # fmt: skip


def cost(peak_dbfs: float, clipped: bool) -> float:
    """Return CPU time over media time, as a share of one core."""
    engine = new_engine()
    lines = [
        (reading(f"s{source}", number, peak_dbfs), (number + 1) * NS // HZ)
        for number in range(SECONDS * HZ)
        for source in range(SOURCES)
    ]
    if clipped:
        for source in range(SOURCES):
            for channel in range(CHANNELS):
                engine.line(clipping(f"s{source}", channel), 0)
    begun = time.process_time()
    for line, t_ns in lines:
        engine.line(line, t_ns)
    return (time.process_time() - begun) / SECONDS


def main() -> None:
    """Print the table."""
    for name, peak_dbfs, clipped in (
        ("calm", -20.0, False),
        ("every channel clipped", -20.0, True),
        ("every channel clipped and over its peak limit", 0.0, True),
    ):
        share = min(cost(peak_dbfs, clipped) for _ in range(3))
        print(f"{SOURCES} × {CHANNELS} channels at {HZ} Hz, {name}: {share:.1%} of a core")


if __name__ == "__main__":
    main()
