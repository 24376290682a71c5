"""Loudness meters that are given the same signals: ours, libebur128 and FFmpeg.

Each returns a trace: momentary and short-term loudness as often as the meter is read, running
maxima, and what it says of the whole. Ours is read as the worker reads it live, at 25 Hz, or at
100 Hz; libebur128 is polled at 10 Hz, as its users do; FFmpeg's filter refreshes at 10 Hz itself.
"""

import ctypes
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from capture.source import Block, Ended, StreamInfo
from monitor.measure.pipeline import Pipeline
from monitor.metrics import Value
from tests.monitor.measure.signals import METERS
from tests.rigs import ebur128

Samples = NDArray[np.float32]
POLL_S = 0.1
LOWEST_LUFS = -200.0  # what "nothing yet" counts as


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a meter showed: lists over time, the rest at the end. NaN where it has no such value."""

    times_s: NDArray[np.float64]
    momentary: NDArray[np.float64]
    short_term: NDArray[np.float64]
    momentary_max: NDArray[np.float64]
    short_term_max: NDArray[np.float64]
    integrated: float
    range_lu: float
    true_peaks_dbtp: tuple[float, ...]


Meter = Callable[[Samples, int, str | None], Trace]


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) else LOWEST_LUFS


def takewatch(samples: Samples, rate: int, layout: str | None, step_s: float = 0.04) -> Trace:
    """Return what the pipeline shows of the programme, read every ``step_s``."""
    channels = samples.shape[1]
    info = StreamInfo(
        index=0,
        kind="audio",
        time_base=Fraction(1, rate),
        sample_rate_hz=rate,
        channels=channels,
        layout=layout,
    )
    pipeline = Pipeline("accuracy", [info], programme=range(channels), only=METERS)
    shown: list[list[float]] = []
    names = ("momentary", "short_term", "momentary_max", "short_term_max")
    keys = [f"programme_{name}_lufs" for name in names]
    values: dict[str, Value] = {}
    borders = np.rint(np.arange(0, len(samples) / rate + step_s, step_s) * rate).astype(int)
    for start, end in pairwise(borders.tolist()):
        part = np.ascontiguousarray(samples[start:end])
        if not len(part):
            break
        pipeline.feed(Block(stream=0, epoch=0, start=start, samples=part, t_arrival_ns=0))
        for reading in pipeline.readings(0):
            values.update(reading.values)
        time_s = (start + len(part)) / rate
        shown.append([time_s, *(_number(values.get(key)) for key in keys)])
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    for reading in pipeline.readings(0):
        values.update(reading.values)
    table = np.array(shown)
    peaks = values["true_peak_max_dbtp"]
    assert isinstance(peaks, list)
    return Trace(
        times_s=table[:, 0],
        momentary=table[:, 1],
        short_term=table[:, 2],
        momentary_max=table[:, 3],
        short_term_max=table[:, 4],
        integrated=_number(values["programme_integrated_lufs"]),
        range_lu=_number(values["programme_loudness_range_lu"]),
        true_peaks_dbtp=tuple(LOWEST_LUFS if p is None else p for p in peaks),
    )


def _of_polls(
    table: NDArray[np.float64], integrated: float, range_lu: float, peaks: list[float]
) -> Trace:
    return Trace(
        times_s=table[:, 0],
        momentary=table[:, 1],
        short_term=table[:, 2],
        momentary_max=np.maximum.accumulate(table[:, 1]),
        short_term_max=np.maximum.accumulate(table[:, 2]),
        integrated=integrated,
        range_lu=range_lu,
        true_peaks_dbtp=tuple(peaks),
    )


def libebur128(samples: Samples, rate: int, layout: str | None) -> Trace:
    """Return what libebur128 shows when it is polled every 100 ms."""
    channels = samples.shape[1]
    out = ctypes.c_double()
    hop = round(POLL_S * rate)
    shown = []
    interleaved = np.ascontiguousarray(samples)
    with ebur128.state(channels, rate) as (library, meter):

        def ask(name: str, *more: ctypes.c_uint) -> float:
            failed = getattr(library, f"ebur128_{name}")(meter, *more, ctypes.byref(out))
            return LOWEST_LUFS if failed or not np.isfinite(out.value) else out.value

        for at in range(0, len(samples), hop):
            frames = min(hop, len(samples) - at)
            data = ctypes.c_void_p(interleaved[at:].ctypes.data)
            library.ebur128_add_frames_float(meter, data, ctypes.c_size_t(frames))
            levels = [ask("loudness_momentary"), ask("loudness_shortterm")]
            shown.append([(at + frames) / rate, *levels])
        peaks = [ask("true_peak", ctypes.c_uint(index)) for index in range(channels)]
        integrated, range_lu = ask("loudness_global"), ask("loudness_range")
    peaks_db = [20 * float(np.log10(max(peak, 1e-10))) for peak in peaks]
    return _of_polls(np.array(shown), integrated, range_lu, peaks_db)


def ffmpeg(samples: Samples, rate: int, layout: str | None) -> Trace:
    """Return what FFmpeg's ``ebur128=peak=true`` writes beside its frames, every 100 ms."""
    path = shutil.which("ffmpeg")
    if path is None:
        import imageio_ffmpeg

        path = imageio_ffmpeg.get_ffmpeg_exe()
    channels = samples.shape[1]
    named = layout or {1: "mono", 2: "stereo", 8: "7.1"}[channels]
    command = [path, "-hide_banner", "-nostats", "-v", "error", "-f", "f32le", "-ar", str(rate)]
    command += ["-ac", str(channels), "-channel_layout", named, "-i", "-", "-af"]
    command += ["ebur128=peak=true:metadata=1,ametadata=print:file=-", "-f", "null", "-"]
    done = subprocess.run(command, input=samples.tobytes(), capture_output=True, check=True)
    text = done.stdout.decode()

    def over_time(key: str) -> NDArray[np.float64]:
        found = re.findall(rf"lavfi\.r128\.{key}=(\S+)", text)
        values = np.array([float(value) for value in found])  # silence is "nan"
        known: NDArray[np.float64] = np.nan_to_num(values, nan=LOWEST_LUFS).clip(LOWEST_LUFS, None)
        return known

    momentary, short_term = over_time("M"), over_time("S")
    times_s = POLL_S * np.arange(1, len(momentary) + 1)
    peaks = [float(over_time(f"true_peaks_ch{index}")[-1]) for index in range(channels)]
    # Frames come every 100 ms from the first one that is full on.
    table = np.stack([times_s, momentary, short_term], axis=1)
    peaks_db = [20 * float(np.log10(max(peak, 1e-10))) for peak in peaks]
    return _of_polls(table, float(over_time("I")[-1]), float(over_time("LRA")[-1]), peaks_db)
