"""Speed of the sound kernels against libebur128 and FFmpeg: ``python -m bench.audio``.

All in one run on one thread: every meter and detector of the pipeline, fed with 24-bit blocks and
drained at 10 Hz, beside libebur128 (Debian ``libebur128-1``; one mono state a channel, polled at
10 Hz for momentary and short-term, and not polled) and FFmpeg's ``ebur128=peak=true``, less what
the same command takes with ``anull``. Figures are CPU nanoseconds a channel-sample; the median of
the rounds, interleaved so that load hits all alike.
"""

import ctypes
import os
import resource
import shutil
import statistics
import subprocess
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
FFMPEG_TIMES = 5  # longer, so that its start is a small part
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


def ffmpeg(samples: Samples, layout: str, audio_filter: str) -> Callable[[], None]:
    """FFmpeg's filter on one thread, reading raw floats; ``anull`` is what starting costs."""
    path = shutil.which("ffmpeg")
    assert path is not None, "the benchmark needs ffmpeg on the PATH"
    data = samples.tobytes()
    source = ["-f", "f32le", "-ar", str(RATE), "-ac", str(samples.shape[1])]
    command = [path, "-v", "quiet", "-threads", "1", *source, "-channel_layout", layout, "-i", "-"]
    command += ["-filter_threads", "1", "-af", audio_filter, "-f", "null", "-"]

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


def medians_s(works: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Run all works in turn, once to warm up and ROUNDS times; return the medians."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS + 1):
        for name, work in works.items():
            times[name].append(cpu_s(work))
    return {name: statistics.median(rounds[1:]) for name, rounds in times.items()}


def table(channels: int) -> None:
    """Print the table of one channel count; FFmpeg is given 7.1 where it has no such layout."""
    generator = np.random.default_rng(channels)
    samples = (0.05 * generator.standard_normal((RATE * SECONDS, channels))).astype(np.float32)
    layout, peers = ("stereo", 2) if channels == 2 else ("7.1", 8)
    longer = np.tile(samples[:, :peers], (FFMPEG_TIMES, 1))
    spent = medians_s(
        {
            "takewatch": takewatch(samples),
            "polled": libebur128(samples, polled=True),
            "not polled": libebur128(samples, polled=False),
            "ffmpeg": ffmpeg(longer, layout, "ebur128=peak=true"),
            "ffmpeg start": ffmpeg(longer, layout, "anull"),
        }
    )
    values = samples.size
    costs_s = {
        "takewatch, all meters and detectors": spent["takewatch"] / values,
        "libebur128, mono states, polled at 10 Hz": spent["polled"] / values,
        "libebur128, mono states, not polled": spent["not polled"] / values,
        f"ffmpeg ebur128=peak=true, {layout}": (spent["ffmpeg"] - spent["ffmpeg start"])
        / longer.size,
    }
    ours = costs_s["takewatch, all meters and detectors"]
    print(f"{channels} channels")
    for name, cost in costs_s.items():
        print(f"  {name:42} {cost * 1e9:7.1f} ns/channel-sample   {cost / ours:5.2f}x")


def main() -> None:
    """Print the tables."""
    for channels in (2, 32):
        table(channels)


if __name__ == "__main__":
    main()
