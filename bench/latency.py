"""Latency: from a clipped sample leaving the virtual sound card to its event on standard output.

``python -m bench.latency [--clips N] [--channels N]`` plays noise with a clip every 1.3 s through
the virtual sound card, the real PortAudio and a real worker, and prints the median, the 99th
percentile and the worst, with the worker's CPU time and memory over the run. The card tells when
it started; a frame leaves it at that time plus its number over the rate.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np

from monitor.lines import Event, Gap, Reading, State
from tests.rigs.sound_card import SoundCard, build
from tests.rigs.workers import Worker, is_a, opening

RATE_HZ = 48_000
STEP = 62_881  # 1.31 s, a prime: clips fall anywhere in a block, and each is an episode of its own
RUN = 5


def programme(channels: int, clips: int) -> np.ndarray:
    """Return 24-bit noise with one clip a ``STEP``, on one channel after the other."""
    random = np.random.default_rng(1)
    size = (STEP * (clips + 1), channels)
    samples = random.integers(-(2**18), 2**18, size, np.int32) << 8
    for number in range(1, clips + 1):
        at = number * STEP
        samples[at : at + RUN, number % channels] = (2**23 - 1) << 8
    return samples


def cpu_s(pid: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(channels: int, clips: int, folder: Path) -> None:
    """Run once and print one line of the table."""
    samples = programme(channels, clips)
    with (
        SoundCard(folder, build(folder), samples, form="S24_3LE") as card,
        Worker(opening("audio_device", device=card.name), env=card.env) as worker,
    ):
        first = worker.until(is_a("reading"))
        assert isinstance(first, Reading)
        pid, cpu_before = worker.process.pid, cpu_s(worker.process.pid)
        latencies_ms: list[float] = []
        while len(latencies_ms) < clips:
            event = worker.until(lambda line: isinstance(line, Event) and line.phase == "open")
            assert isinstance(event, Event)
            clip = round(event.start / STEP) * STEP  # ticks after a gap are right to a millisecond
            left_ns = card.leaves_ns(clip + RUN)
            latencies_ms.append((worker.arrived_ns[-1] - left_ns) / 1e6)
        last = next(line for line in reversed(worker.lines) if isinstance(line, Reading))
        used_s, memory = cpu_s(pid) - cpu_before, memory_mib(pid)
        gaps = sum(isinstance(line, Gap) for line in worker.lines)
        state = next(line for line in reversed(worker.lines) if isinstance(line, State))
    seconds = (last.t_arrival_ns - first.t_arrival_ns) / 1e9
    median, high = np.percentile(latencies_ms, [50, 99])
    print(
        f"| {channels} | {clips} | {median:.1f} | {high:.1f} | {max(latencies_ms):.1f} "
        f"| {100 * used_s / seconds:.1f} | {memory:.0f} | {gaps} | {state.coarser} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--channels", type=int, action="append")
    options = parser.parse_args()
    print(
        "| channels | clips | median ms | p99 ms | worst ms | CPU % of a core | memory MiB "
        "| gaps | readings merged |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for channels in options.channels or [8, 32]:
        with tempfile.TemporaryDirectory() as folder:
            measure(channels, options.clips, Path(folder))


if __name__ == "__main__":
    main()
