"""``takewatch check`` against ffmpeg, whole processes: ``python -m bench.check [ROUNDS]``.

Prints one line a case: processor seconds of either (user and system, of all child processes) and
their ratio. Processor time, since wall time on a shared machine measures the neighbours.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 3  # unless said; the least of them counts
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Case:
    """One file and what ffmpeg does with it for comparison."""

    name: str
    file: str
    make: tuple[str, ...]
    measure: tuple[str, ...]


CASES = (
    Case(
        "10 min stereo 48 kHz 24 bit", "sound.wav",
        ("-f", "lavfi", "-i", "anoisesrc=d=600:c=pink:r=48000:a=0.2",
         "-af", "aformat=channel_layouts=stereo", "-c:a", "pcm_s24le"),
        ("-af", "ebur128=peak=true"),
    ),
    Case(
        "60 s 1080p25 H.264", "picture.mp4",
        ("-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25,noise=alls=6:allf=t", "-t", "60",
         "-c:v", "libx264", "-preset", "veryfast", "-b:v", "8M"),
        (),
    ),
)  # fmt: skip


def ffmpeg(*arguments: str) -> list[str]:
    """Return a quiet ffmpeg command, one thread as one takewatch checker is."""
    return ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-v", "error", "-y", *arguments]


def processor_s(command: Sequence[str]) -> float:
    """Run a command and return the processor seconds it and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(case: Case, folder: Path, rounds: int) -> str:
    """Return one line of the table: both times and their ratio, the least of the rounds."""
    path = str(folder / case.file)
    subprocess.run(ffmpeg(*case.make, path), check=True)
    ours = [sys.executable, "-m", "api", "check", "--output", str(folder / "out.txt"), path]
    theirs = ffmpeg("-threads", "1", "-i", path, *case.measure, "-f", "null", "-")
    pairs = [(processor_s(ours), processor_s(theirs)) for _ in range(rounds)]
    ours_s, theirs_s = (min(times) for times in zip(*pairs, strict=True))
    return f"| {case.name} | {ours_s:.1f} | {theirs_s:.1f} | {ours_s / theirs_s:.1f} |"


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    print("| file | takewatch check, s | ffmpeg, s | ratio |")
    print("| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            print(compare(case, Path(folder), rounds), flush=True)


if __name__ == "__main__":
    main()
