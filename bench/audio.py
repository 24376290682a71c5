"""Speed of the sound kernels against libebur128 and FFmpeg: ``python -m bench.audio``.

All in one run on one thread: every meter and detector of the pipeline, fed with 24-bit blocks and
drained at 10 Hz, beside libebur128 (Debian ``libebur128-1``; one mono state a channel, polled at
10 Hz for momentary and short-term, and not polled) and FFmpeg's ``ebur128=peak=true``. Figures are
CPU nanoseconds a channel-sample; the median of the rounds, interleaved so that load hits all alike.
"""

import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads its BLAS

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, StreamInfo
from monitor.measure.pipeline import Pipeline

RATE = 48000
SECONDS = 4
ROUNDS = 7
HOP = RATE // 10
MODE_M, MODE_S, MODE_I, MODE_LRA, MODE_TRUE_PEAK = 0x01, 0x03, 0x07, 0x0B, 0x31

Samples = NDArray[np.float32]


def takewatch(samples: Samples) -> Callable[[], None]:
    """Every registered measurement over int32 blocks of 100 ms."""
    codes = (samples * 2.0**31).astype(np.int32) & -256
    info = StreamInfo(
        index=0,
        kind="audio",
        time_base=Fraction(1, RATE),
        sample_rate_hz=RATE,
        channels=samples.shape[1],
        bit_depth=24,
    )
    hops = [
        Block(stream=0, epoch=0, start=at, samples=codes[at : at + HOP], t_arrival_ns=0)
        for at in range(0, len(codes), HOP)
    ]

    def measure() -> None:
        pipeline = Pipeline("bench", [info])
        for hop in hops:
            pipeline.feed(hop)
            pipeline.events()
            pipeline.readings(0)

    return measure


def libebur128(samples: Samples, *, polled: bool) -> Callable[[], None]:
    """One mono state a channel, with every mode on."""
    library = ctypes.CDLL("libebur128.so.1")
    library.ebur128_init.restype = ctypes.c_void_p
    add = library.ebur128_add_frames_float
    add.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    polls = [library.ebur128_loudness_momentary, library.ebur128_loudness_shortterm]
    for poll in polls:
        poll.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_double)]
    library.ebur128_destroy.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
    channels = [np.ascontiguousarray(column) for column in samples.T]
    modes = MODE_M | MODE_S | MODE_I | MODE_LRA | MODE_TRUE_PEAK
    out = ctypes.c_double()

    def measure() -> None:
        for channel in channels:
            state = ctypes.c_void_p(library.ebur128_init(1, RATE, modes))
            for at in range(0, len(channel), HOP):
                add(state, channel[at:].ctypes.data, HOP)
                if polled:
                    for poll in polls:
                        poll(state, ctypes.byref(out))
            library.ebur128_destroy(ctypes.byref(state))

    return measure


def ffmpeg(samples: Samples) -> Callable[[], None]:
    """FFmpeg's filter on one thread, less what FFmpeg takes to start and read the same samples."""
    path = shutil.which("ffmpeg")
    assert path is not None, "the benchmark needs ffmpeg on the PATH"
    data = samples.tobytes()
    layout = ["-f", "f32le", "-ar", str(RATE), "-ac", str(samples.shape[1])]
    command = [path, "-v", "quiet", "-threads", "1", *layout, "-i", "-"]
    command += ["-filter_threads", "1", "-af", "ebur128=peak=true", "-f", "null", "-"]

    def measure() -> None:
        subprocess.run(command, input=data, check=True)

    return measure


def cpu_s(work: Callable[[], None]) -> float:
    """Run once; return the CPU seconds of this process and its children."""

    def used() -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + children.ru_utime + children.ru_stime

    start = used()
    work()
    return used() - start


def main() -> None:
    """Print one table for 2 and one for 32 channels."""
    for channels in (2, 32):
        generator = np.random.default_rng(channels)
        samples = (0.05 * generator.standard_normal((RATE * SECONDS, channels))).astype(np.float32)
        works = {
            "takewatch, all meters and detectors": takewatch(samples),
            "libebur128, mono states, polled at 10 Hz": libebur128(samples, polled=True),
            "libebur128, mono states, not polled": libebur128(samples, polled=False),
            "ffmpeg ebur128=peak=true": ffmpeg(samples if channels <= 2 else samples[:, :2].copy()),
        }
        # FFmpeg's filter sums the channels of one layout: at 32 it is given 2, and counted so.
        counted = {name: 2 if name.startswith("ffmpeg") else channels for name in works}
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(ROUNDS + 1):
            for name, work in works.items():
                times[name].append(cpu_s(work))
        print(f"{channels} channels", file=sys.stdout)
        ours = None
        for name, rounds in times.items():
            cost_ns = statistics.median(rounds[1:]) / (len(samples) * counted[name]) * 1e9
            ours = cost_ns if ours is None else ours
            print(f"  {name:42} {cost_ns:7.1f} ns/channel-sample   {cost_ns / ours:5.2f}x")


if __name__ == "__main__":
    main()
