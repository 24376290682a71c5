"""Speed of the sound kernels against libebur128 and FFmpeg: ``python -m bench.audio``.

All in one run on one thread, fed with 24-bit blocks and drained at 10 Hz: the meters alone, and
every meter and detector of the pipeline, beside libebur128 (Debian ``libebur128-1``; one mono state
a channel, polled at 10 Hz for momentary and short-term, and not polled) and FFmpeg's
``ebur128=peak=true``, less what the same command takes with ``anull``. Figures are CPU nanoseconds
a channel-sample: the median and the least of the rounds, interleaved so that load hits all alike.
The signal is white noise; a steady tone, whose every top is refined, is the meters' worst case.
"""

import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads its BLAS

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, StreamInfo
from monitor.measure.measurement import Setup
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.layout import default_programme
from monitor.measure.sound.listener import LISTENERS
from monitor.measure.sound.listening import Listening

RATE = 48000
SECONDS = 4
ROUNDS = 7
HOP = RATE // 10
FFMPEG_TIMES = 5  # longer, so that its start is a small part
MODE_M, MODE_S, MODE_I, MODE_LRA, MODE_TRUE_PEAK = 0x01, 0x03, 0x07, 0x0B, 0x31

Samples = NDArray[np.float32]


def blocks_of(samples: Samples, hop: int, rate_hz: int = RATE) -> tuple[StreamInfo, list[Block]]:
    """Return a 24-bit stream of samples, (frames, channels), in blocks of ``hop`` frames."""
    codes = (samples * 2.0**31).astype(np.int32) & -256
    info = StreamInfo(
        index=0,
        kind="audio",
        time_base=Fraction(1, rate_hz),
        sample_rate_hz=rate_hz,
        channels=samples.shape[1],
        bit_depth=24,
    )
    return info, [
        Block(stream=0, epoch=0, start=at, samples=codes[at : at + hop], t_arrival_ns=0)
        for at in range(0, len(codes), hop)
    ]


def everything(samples: Samples) -> Callable[[], None]:
    """Every registered measurement over blocks of 100 ms."""
    info, hops = blocks_of(samples, HOP)

    def measure() -> None:
        pipeline = Pipeline("bench", [info])
        for hop in hops:
            pipeline.feed(hop)
            pipeline.events()
            pipeline.readings(0)

    return measure


def meters(samples: Samples, hop: int = HOP, rate_hz: int = RATE) -> Callable[[], None]:
    """Measure with the meters alone, drained after every hop."""
    info, hops = blocks_of(samples, hop, rate_hz)

    def measure() -> None:
        with only_meters():
            listening = Listening(Setup(stream=info, programme=default_programme(*_layout(info))))
            for block in hops:
                listening.feed(block)
                listening.drain()

    return measure


def _layout(info: StreamInfo) -> tuple[int, str | None]:
    return info.channels or 1, info.layout


@contextmanager
def only_meters() -> Iterator[None]:
    """Take every listener but the meters off the list for a while."""
    all_kinds = dict(LISTENERS)
    LISTENERS.clear()
    LISTENERS["meters"] = all_kinds["meters"]
    try:
        yield
    finally:
        LISTENERS.clear()
        LISTENERS.update(all_kinds)


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


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds of one work over all rounds."""

    median_s: float
    least_s: float


def spent(works: dict[str, Callable[[], None]], rounds: int = ROUNDS) -> dict[str, Spent]:
    """Run all works in turn, once to warm up and then ``rounds`` times."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds + 1):
        for name, work in works.items():
            times[name].append(cpu_s(work))
    return {name: Spent(statistics.median(t[1:]), min(t[1:])) for name, t in times.items()}


def noise(frames: int, channels: int) -> Samples:
    """White noise at -26 dBFS."""
    generator = np.random.default_rng(channels)
    return (0.05 * generator.standard_normal((frames, channels))).astype(np.float32)


def tones(frames: int, channels: int) -> Samples:
    """Return a line-up tone in every channel."""
    wave = 0.1 * np.sin(2 * np.pi * 1000 / RATE * np.arange(frames))
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def table(channels: int) -> None:
    """Print the table of one channel count; FFmpeg is given 7.1 where it has no such layout."""
    samples = noise(RATE * SECONDS, channels)
    layout, peers = ("stereo", 2) if channels == 2 else ("7.1", 8)
    longer = np.tile(samples[:, :peers], (FFMPEG_TIMES, 1))
    all_spent = spent(
        {
            "meters": meters(samples),
            "meters on a tone": meters(tones(len(samples), channels)),
            "everything": everything(samples),
            "libebur128 polled": libebur128(samples, polled=True),
            "libebur128 not polled": libebur128(samples, polled=False),
            "ffmpeg": ffmpeg(longer, layout, "ebur128=peak=true"),
            "ffmpeg start": ffmpeg(longer, layout, "anull"),
        }
    )
    costs_ns = {
        name: (one.median_s / samples.size * 1e9, one.least_s / samples.size * 1e9)
        for name, one in all_spent.items()
        if "ffmpeg" not in name
    }
    own, start = all_spent["ffmpeg"], all_spent["ffmpeg start"]
    costs_ns[f"ffmpeg {layout}"] = (
        (own.median_s - start.median_s) / longer.size * 1e9,
        (own.least_s - start.least_s) / longer.size * 1e9,
    )
    load = os.getloadavg()[0]
    print(f"{channels} channels, ns/channel-sample, ratios of medians; load {load:.1f}")
    print(f"  {'':24} {'median':>8} {'least':>8} {'/ meters':>9} {'/ everything':>13}")
    for name, (median, least) in costs_ns.items():
        to_meters, to_all = (median / costs_ns[key][0] for key in ("meters", "everything"))
        print(f"  {name:24} {median:8.1f} {least:8.1f} {to_meters:9.2f} {to_all:13.2f}")
    print(f"  channels a core, meters: {1e9 / RATE / costs_ns['meters'][0]:.0f}")


def main() -> None:
    """Print the tables."""
    for channels in (2, 32):
        table(channels)


if __name__ == "__main__":
    main()
