"""What memory grows by over a long day of faults: ``python -m bench.memory [MINUTES]``.

32 channels of noise at 48 kHz with faults on all of them, as fast as it can be measured: runs of
full scale, held samples, zeros, clicks, an offset, two tracks alike and one inverted, by turns and
never twice at the same place. Through the pipeline with every metric on, then its lines through the
rules, whose alerts are acknowledged every 10 s as a crew would. Printed: resident memory every 30 s
of sound, and its slope over the second half. Linux only (``/proc``).
"""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads its BLAS

import numpy as np
from numpy.typing import NDArray

import monitor.measure  # noqa: F401  fills the registries
from bench.crew import rolling_engine
from bench.hostile import CHANNELS, PAIRS, RATE, blocks_of
from capture.source import Block
from monitor.measure.pipeline import Pipeline
from monitor.rules.sources import SourceFacts
from monitor.rules.table import detector_limits

CART = SourceFacts(
    id="cart",
    name="cart",
    department="sound",
    group="sound",
    channel_names=tuple(f"channel {number + 1}" for number in range(CHANNELS)),
)
BLOCK = RATE // 10
LOOP_S = 7  # the noise repeats, the faults do not
TOLD_S = 30
ACKNOWLEDGE_S = 10
FAULTS_A_BLOCK = 3

Codes = NDArray[np.int32]


def resident_mib() -> float:
    """Return this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def spoil(samples: Codes, generator: np.random.Generator) -> None:
    """Put a few faults into a block."""
    for kind in generator.integers(0, 7, FAULTS_A_BLOCK):
        channel = int(generator.integers(CHANNELS))
        at = int(generator.integers(len(samples) - 600))
        track = samples[:, channel]
        if kind == 0:
            track[at : at + 5] = 0x7FFFFF00
        elif kind == 1:
            track[at : at + 60] = track[at]
        elif kind == 2:
            track[at : at + 500] = 0
        elif kind == 3:
            track[at] = 0x60000000
        elif kind == 4:
            track += 1 << 24
        elif kind == 5:
            samples[:, 1] = samples[:, 0]
        else:
            samples[:, 3] = -samples[:, 2]


def main(minutes: float) -> None:
    """Run and print."""
    generator = np.random.default_rng(1)
    noise = 0.05 * generator.standard_normal((LOOP_S * RATE, CHANNELS), np.float32)
    info, _ = blocks_of(noise[:RATE].astype(np.float64))
    codes = np.rint(noise * 2**23).astype(np.int32) << 8
    pipeline = Pipeline(CART.id, [info], limits=detector_limits(None, "feed"), pairs=PAIRS)
    engine = rolling_engine(CART, info)
    began, told, points = time.process_time(), 0, list[tuple[float, float]]()
    for number in range(round(minutes * 600)):
        at = number * BLOCK
        samples = codes[at % len(codes) : at % len(codes) + BLOCK].copy()
        spoil(samples, generator)
        now_ns = (at + BLOCK) * 10**9 // RATE
        pipeline.feed(Block(stream=0, epoch=0, start=at, samples=samples, t_arrival_ns=now_ns))
        steps = [
            step
            for line in (*pipeline.events(), *pipeline.readings(now_ns))
            for step in engine.line(line, now_ns)
        ]
        steps += engine.tick(now_ns)
        told += len(steps)
        if number % (10 * ACKNOWLEDGE_S) == 0:
            for alert in [one for one in engine.alerts() if one.condition != "pending"]:
                engine.acknowledge(alert.id, "bench", now_ns, now_ns)
        if number % (10 * TOLD_S) == 0:
            points.append((at / RATE / 60, resident_mib()))
            print(f"{points[-1][0]:5.1f} min {points[-1][1]:7.1f} MiB {told} steps", flush=True)
    late = np.array(points[len(points) // 2 :])
    slope = np.polyfit(late[:, 0], late[:, 1], 1)[0] if len(late) > 1 else float("nan")
    spent = time.process_time() - began
    print(f"{slope:+.3f} MiB a minute over the second half; {spent:.0f} s of CPU")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 12)
