"""``takewatch check`` against ffmpeg, whole processes: ``python -m bench.check [WHAT] [ROUNDS]``.

WHAT: ``hour`` (the default), ``picture``, ``quick``, or ``costs``, what each measurement of a
stereo file takes. ffmpeg takes as many threads as it likes. Prints one line a case: wall clock and
processor seconds of either, all processes counted, rounds in turn, the median of each, and their
ratios. On a machine with other work the wall clock measures the neighbours as well: the least is
given beside the median.
"""

import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from capture.source import Block, StreamInfo
from monitor.check.halves import BOTH, shares
from monitor.measure.measurement import MEASUREMENTS
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.listener import LISTENERS

ROUNDS = 3
ROOT = Path(__file__).parent.parent
BECOME_PARENT_OF_ORPHANS = 36  # Linux, PR_SET_CHILD_SUBREAPER: the fork server is one at the end
RATE_HZ = 48_000
COSTS_S = 120
PINK = "anoisesrc=d={}:c=pink:r=48000:a=0.2:seed={}"
BY_TURNS = "volume='0.02+0.98*gt(sin(2*PI*t/{}),0)':eval=frame"  # speech-like: words and pauses


@dataclass(frozen=True)
class Case:
    """One file and what ffmpeg does with it for comparison."""

    name: str
    file: str
    make: tuple[str, ...]
    measure: tuple[str, ...]


@dataclass(frozen=True)
class Took:
    """What a command took, all its processes together."""

    wall_s: float
    cpu_s: float


def sound(name: str, seconds: int) -> Case:
    """Return a case of 24-bit stereo: two noises that come and go."""
    inputs = [("-f", "lavfi", "-i", PINK.format(seconds, seed)) for seed in (1, 2)]
    graph = (
        f"[0]{BY_TURNS.format(3.1)}[l];[1]{BY_TURNS.format(4.7)}[r];"
        "[l][r]join=inputs=2:channel_layout=stereo"
    )
    make = (*inputs[0], *inputs[1], "-filter_complex", graph, "-c:a", "pcm_s24le")
    return Case(name, f"sound-{seconds}.wav", make, ("-af", "ebur128=peak=true"))


PICTURE_50 = Case(
    "60 s 1080p50 H.264 12 Mb/s, stereo AAC", "picture-50.mp4",
    ("-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=50,noise=alls=6:allf=t",
     "-f", "lavfi", "-i", PINK.format(60, 1), "-t", "60", "-ac", "2", "-c:a", "aac",
     "-c:v", "libx264", "-preset", "veryfast", "-b:v", "12M", "-maxrate", "12M",
     "-bufsize", "12M", "-g", "100", "-pix_fmt", "yuv420p"),
    (),
)  # fmt: skip
PICTURE = Case(
    "60 s 1080p25 H.264", "picture.mp4",
    ("-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25,noise=alls=6:allf=t", "-t", "60",
     "-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M"),
    (),
)  # fmt: skip
CASES = {
    "picture": (PICTURE_50,),
    "hour": (sound("1 h stereo 48 kHz 24 bit", 3600),),
    "quick": (
        sound("10 min stereo 48 kHz 24 bit", 600),
        sound("1 s stereo 48 kHz 24 bit", 1),
        PICTURE,
    ),
}


def ffmpeg(*arguments: str) -> list[str]:
    """Return a quiet ffmpeg command."""
    return ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-v", "error", "-y", *arguments]


def took(command: Sequence[str]) -> Took:
    """Run a command and return its wall clock and the processor time of all its processes."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        command, check=False, stdout=subprocess.DEVNULL, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    wall_s = time.perf_counter() - began
    bury_orphans()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(wall_s, cpu_s)


def bury_orphans() -> None:
    """Wait for what the command left behind, so that its processor time counts."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def compare(case: Case, folder: Path, rounds: int) -> str:
    """Return one line of the table."""
    path, out = str(folder / case.file), folder / "out.txt"
    subprocess.run(ffmpeg(*case.make, path), check=True)
    ours = [sys.executable, "-m", "api", "check", "--output", str(out), path]
    theirs = ffmpeg("-i", path, *case.measure, "-f", "null", "-")
    rows = [(took(ours), took(theirs)) for _ in range(rounds)]
    assert out.stat().st_size, "nothing was measured"
    wall = [[row[side].wall_s for row in rows] for side in (0, 1)]
    cpu = [[row[side].cpu_s for row in rows] for side in (0, 1)]
    return f"| {case.name} | {figures(wall)} | {figures(cpu)} |"


def figures(sides: Sequence[Sequence[float]]) -> str:
    """Return medians (least) of both sides, and the ratio of the medians."""
    ours, theirs = (statistics.median(side) for side in sides)
    told = [f"{statistics.median(side):.1f} ({min(side):.1f})" for side in sides]
    return f"{told[0]} | {told[1]} | {ours / theirs:.2f}"


def costs() -> Iterable[str]:
    """Yield what each measurement costs beside what both halves do, in ns a channel-sample."""
    both_ns = cost_ns({BOTH})
    names = sorted({*MEASUREMENTS, *LISTENERS} - {BOTH})
    each = {name: cost_ns({BOTH, name}) - both_ns for name in names}
    yield "| measurement | ns | measured by |"
    yield "| --- | ---: | --- |"
    yield f"| reading apart, what both do | {both_ns:.1f} | both |"
    for name, ns in sorted(each.items(), key=lambda one: -one[1]):
        yield f"| {name} | {ns:.1f} | {'judging half' if name in shares()[0] else 'other half'} |"


def cost_ns(only: set[str]) -> float:
    """Return the processor time a channel-sample of some measurements on noise, the least of 3."""
    info = StreamInfo(
        index=0, kind="audio", time_base=Fraction(1, RATE_HZ), codec="pcm_s24le",
        sample_rate_hz=RATE_HZ, channels=2, layout="stereo", bit_depth=24,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    noise = (rng.normal(0, 2**27, (RATE_HZ, 2))).clip(-(2**31), 2**31 - 1).astype(np.int32)
    samples = noise >> 8 << 8
    least_s = float("inf")
    for _ in range(3):
        pipeline = Pipeline("file", (info,), live=False, only=only)
        began = time.process_time()
        for second in range(COSTS_S):
            start = second * RATE_HZ
            pipeline.feed(Block(stream=0, epoch=0, start=start, samples=samples, t_arrival_ns=0))
            pipeline.events()
            pipeline.readings(0)
        least_s = min(least_s, time.process_time() - began)
    return least_s * 1e9 / (2 * RATE_HZ * COSTS_S)


def main() -> None:
    """Print the table."""
    what = sys.argv[1] if len(sys.argv) > 1 else "hour"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    if what == "costs":
        print("\n".join(costs()))
        return
    ctypes.CDLL(None).prctl(BECOME_PARENT_OF_ORPHANS, 1, 0, 0, 0)
    print(
        "| file | wall: takewatch, s | ffmpeg, s | ratio | cpu: takewatch, s | ffmpeg, s | ratio |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES[what]:
            print(compare(case, Path(folder), rounds), flush=True)


if __name__ == "__main__":
    main()
