"""Latency: from a clipped sample leaving the virtual sound card to its alert.

``python -m bench.latency [--clips N] [--channels N]`` plays noise with a clip every 1.3 s through
the virtual sound card, the real PortAudio and a real worker, whose lines the default rules judge as
the service does, and prints the median, the 99th percentile and the worst until the alert stands,
with the worker's CPU time and memory over the run. The card tells when it started; a frame leaves
it at that time plus its number over the rate. At full scale it counts from the clip's last sample;
below it, of a loud 90 Hz tone cut flat at -12 dBFS, from the end of the third flat excursion.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from monitor.lines import Gap, Hello, OutLine, Reading, State
from monitor.rules.engine import Engine
from monitor.rules.model import Alert
from monitor.rules.sources import SourceFacts
from monitor.rules.table import rules_for
from tests.rigs.sound_card import SoundCard, build
from tests.rigs.workers import Worker, opening

RATE_HZ = 48_000
STEP = 62_881  # 1.31 s, a prime: clips fall anywhere in a block, and each is an episode of its own
RUN = 5
TONE_HZ = 90.0
CEILING = 0.25  # -12 dBFS


@dataclass(frozen=True, slots=True)
class Clip:
    """What is played, and after how many of its frames it counts as a clip."""

    name: str
    samples: NDArray[np.int32]
    frames: int


def full_scale() -> Clip:
    """Return a run at the end code."""
    return Clip("at full scale", np.full(RUN, (2**23 - 1) << 8, np.int32), RUN)


def below_full_scale() -> Clip:
    """Return a tone cut flat at -12 dBFS, its third excursion the last that is waited for."""
    tone = 0.6 * np.sin(2 * np.pi * TONE_HZ * np.arange(RATE_HZ * 3 // 10) / RATE_HZ)
    ends = np.flatnonzero(np.diff((np.abs(tone) > CEILING).astype(np.int8)) < 0)
    cut = np.clip(tone, -CEILING, CEILING)
    return Clip("below full scale", np.rint(cut * (2**23 - 1)).astype(np.int32) << 8, ends[2] + 1)


def programme(clip: Clip, channels: int, clips: int) -> NDArray[np.int32]:
    """Return 24-bit noise with one clip a ``STEP``, on one channel after the other."""
    random = np.random.default_rng(1)
    size = (STEP * (clips + 1), channels)
    samples = random.integers(-(2**14), 2**14, size, np.int32) << 8
    for number in range(1, clips + 1):
        at = number * STEP
        samples[at : at + len(clip.samples), number % channels] = clip.samples
    return samples


def cpu_s(pid: int) -> float:
    """Return the CPU seconds a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    """Return a process's resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


class _Judge:
    """The rules as the service runs them, and what they raised last."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._seen: set[str] = set()
        self.raised: Alert | None = None
        self.raised_ns = 0

    def raises(self, line: OutLine) -> bool:
        """Judge a line; say whether an alert of clipping stands anew."""
        if self._engine is None:
            if not isinstance(line, Hello):
                return False
            facts = SourceFacts(id=line.source, name="cart", department="sound", group="sound")
            self._engine = Engine(
                rules_for(None, "feed"), {line.source: facts}, live=True, new_id=lambda: uuid4().hex
            )
            self._engine.set_phase("rolling", 0)
        for step in self._engine.line(line, time.monotonic_ns()):
            alert = step.alert
            if alert.rule != "audio.clipping" or alert.id in self._seen:
                continue
            if step.what != "dropped" and alert.active_ns is not None:
                self._seen.add(alert.id)
                self.raised, self.raised_ns = alert, time.monotonic_ns()
                return True
        return False


def measure(clip: Clip, channels: int, clips: int, folder: Path) -> None:
    """Run once and print one line of the table."""
    samples = programme(clip, channels, clips)
    judge = _Judge()
    with (
        SoundCard(folder, build(folder), samples, form="S24_3LE") as card,
        Worker(opening("audio_device", device=card.name), env=card.env) as worker,
    ):
        first = worker.until(lambda line: judge.raises(line) or isinstance(line, Reading))
        assert isinstance(first, Reading)
        pid, cpu_before = worker.process.pid, cpu_s(worker.process.pid)
        latencies_ms: list[float] = []
        for number in range(1, clips + 1):
            worker.until(judge.raises)
            assert judge.raised is not None
            assert judge.raised.channels == [number % channels], "an alert too many, or one missed"
            left_ns = card.leaves_ns(number * STEP + clip.frames)
            latencies_ms.append((judge.raised_ns - left_ns) / 1e6)
        last = next(line for line in reversed(worker.lines) if isinstance(line, Reading))
        used_s, memory = cpu_s(pid) - cpu_before, memory_mib(pid)
        gaps = sum(isinstance(line, Gap) for line in worker.lines)
        state = next(line for line in reversed(worker.lines) if isinstance(line, State))
    seconds = (last.t_arrival_ns - first.t_arrival_ns) / 1e9
    median, high = np.percentile(latencies_ms, [50, 99])
    print(
        f"| {clip.name} | {channels} | {clips} | {median:.1f} | {high:.1f} "
        f"| {max(latencies_ms):.1f} | {100 * used_s / seconds:.1f} | {memory:.0f} | {gaps} "
        f"| {state.coarser} |",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency")
    parser.add_argument("--clips", type=int, default=100)
    parser.add_argument("--channels", type=int, action="append")
    options = parser.parse_args()
    print(
        "| clip | channels | clips | median ms | p99 ms | worst ms | CPU % of a core | memory MiB "
        "| gaps | readings merged |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for channels in options.channels or [8, 32]:
        for clip in (full_scale(), below_full_scale()):
            with tempfile.TemporaryDirectory() as folder:
                measure(clip, channels, options.clips, Path(folder))


if __name__ == "__main__":
    main()
