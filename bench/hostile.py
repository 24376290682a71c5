"""What sound that is hostile to detectors costs: ``python -m bench.hostile [WORD…]``.

Detectors skip what is quiet, so their worst case is not noise but sound in which every place is
suspicious: clipped tones, square waves, samples that are held or are no numbers, on all channels
at once. Prints a table, a line a signal and a column a measurement or listener that takes 1 ns or
more anywhere: CPU nanoseconds a channel-sample, of 32 channels at 48 kHz on one thread, fed in
blocks of 20 ms and drained at 25 Hz as a worker does. 651 ns is all the time there is. Words
choose the signals whose names contain one of them.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import ParamSpec, TypeVar

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy loads its BLAS

import numpy as np
from numpy.typing import NDArray

import monitor.measure  # noqa: F401  fills the registries
from capture.source import Block, StreamInfo
from monitor.measure.measurement import MEASUREMENTS, Measurement
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.listener import LISTENERS, Listener

RATE = 48000
CHANNELS = 32
SECONDS = 4  # detectors look back over 3
BLOCK = RATE // 50
BLOCKS_A_DRAIN = 2
PAIRS = [(0, 1), (2, 3)]  # a stereo pair and a lavalier with its spare
LISTED_NS = 1.0

Sound = NDArray[np.float64]
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T", Measurement, Listener)


def _time_s() -> Sound:
    return np.arange(SECONDS * RATE)[:, None] / RATE


def _apart(hz: float) -> Sound:
    """Return a phase in radians: every channel its own tone, up to 3 % apart."""
    channel = np.arange(CHANNELS)
    return 2 * np.pi * hz * (1 + 0.001 * channel) * _time_s() + channel


def _noise(level: float) -> Sound:
    generator = np.random.default_rng(1)
    return np.asarray(level * generator.standard_normal((SECONDS * RATE, CHANNELS)))


def _clipped(sound: Sound, over_db: float, ceiling_db: float) -> Sound:
    """Return sound of a peak of 1 driven ``over_db`` into a ceiling."""
    return (10 ** (over_db / 20) * sound).clip(-1, 1) * 10 ** (ceiling_db / 20)


def _low_passed(sound: Sound) -> Sound:
    """Return sound through a linear-phase low-pass at 16 kHz."""
    at = np.arange(127) - 63
    taps = np.sinc(2 / 3 * at) * np.kaiser(127, 7.0)
    columns = [np.convolve(column, taps / taps.sum(), mode="same") for column in sound.T]
    return np.stack(columns, axis=1)


def _held(sound: Sound, samples: int) -> Sound:
    """Return sound of which only every ``samples``-th sample is new."""
    return np.repeat(sound[::samples], samples, axis=0)[: len(sound)]


def _music() -> Sound:
    """Return chords that change and decay four times a second, louder and softer."""
    time_s, generator = _time_s(), np.random.default_rng(2)
    decay = np.exp(-6 * (time_s % 0.25))
    note = np.floor(time_s * 4).astype(int)
    pitch = 110 * 2 ** (generator.integers(0, 24, (4 * SECONDS, CHANNELS)) / 12)[note[:, 0]]
    tones = [np.sin(2 * np.pi * k * pitch * time_s) / (2.5 * k) for k in range(1, 6)]
    return np.asarray(decay * np.sum(tones, axis=0))


def _by_turns(one: Sound, other: Sound, seconds: float) -> Sound:
    return np.where(_time_s() % (2 * seconds) < seconds, one, other)


def signals() -> Iterator[tuple[str, Sound]]:
    """Yield names and sounds, (frames, channels); full scale ±1, NaN for no number."""
    zeros = np.zeros((SECONDS * RATE, CHANNELS))
    yield "silence", zeros
    yield "noise, -26 dBFS", _noise(0.05)
    yield "music", _music()
    yield from _tones()
    yield from _clipped_music()
    for level_db in (0, -6):
        yield from _at_two_levels(level_db)
    yield "noise held for 3 samples", _held(_noise(0.05), 3)
    yield "noise held for 100 samples", _held(_noise(0.05), 100)
    yield "noise of one bit", np.sign(_noise(1)) / 2
    yield "noise and zeros, 10 ms each", _by_turns(_noise(0.05), zeros, 0.01)
    yield "noise and zeros, 300 ms each", _by_turns(_noise(0.05), zeros, 0.3)
    yield "clicks, 500 a second", np.where(np.abs(_noise(1)) > 2.57, 0.9, _noise(1e-3))
    yield "bursts of noise, 20 a second", _by_turns(_noise(0.2), _noise(1e-4), 0.025)
    yield "NaN, one sample in 4", np.where(_noise(1) > 0.67, np.nan, _noise(0.05))
    yield "NaN, 10 ms in 20", _by_turns(_noise(0.05), zeros + np.nan, 0.01)


def _tones() -> Iterator[tuple[str, Sound]]:
    for hz in (40, 100, 300, 997, 3000):
        tone = np.sin(_apart(hz))
        yield f"tone {hz} Hz, -1 dBFS", 0.9 * tone
        if hz == 40:
            continue
        for over_db in (1, 6, 20):
            for ceiling_db in (0, -6):
                clipped = _clipped(tone, over_db, ceiling_db)
                yield f"tone {hz} Hz clipped by {over_db} dB at {ceiling_db} dBFS", clipped
        if hz < 3000:
            low_passed = _low_passed(_clipped(tone, 6, -6))
            yield f"tone {hz} Hz clipped by 6 dB at -6 dBFS, low-passed", low_passed


def _clipped_music() -> Iterator[tuple[str, Sound]]:
    clipped = _clipped(_music(), 12, -6)
    yield "music clipped by 12 dB at -6 dBFS", clipped
    yield "music clipped by 12 dB at -6 dBFS, noise behind", clipped + _noise(1e-4)
    yield "music clipped by 12 dB at -6 dBFS, low-passed", _low_passed(clipped)


def _at_two_levels(level_db: float) -> Iterator[tuple[str, Sound]]:
    level = 10 ** (level_db / 20)
    for hz in (100, 997, 8000, 12000):
        yield f"square {hz} Hz at {level_db} dBFS", level * np.sign(np.sin(_apart(hz)) + 1e-9)
    yield f"noise clipped by 20 dB at {level_db} dBFS", _clipped(_noise(1), 20, level_db)
    up = (np.arange(SECONDS * RATE) % 5 < 4)[:, None]
    yield f"four samples up, one down, at {level_db} dBFS", level * np.where(up, 1, _noise(0.1))


def blocks_of(sound: Sound) -> tuple[StreamInfo, list[Block]]:
    """Return 24-bit codes in blocks of 20 ms, or floats where there is NaN."""
    is_float = bool(np.isnan(sound).any())
    scaled = np.rint(sound * 2.0**23).clip(-(2**23), 2**23 - 1) if not is_float else sound
    codes = scaled.astype(np.float32) if is_float else scaled.astype(np.int32) << 8
    info = StreamInfo(
        index=0,
        kind="audio",
        time_base=Fraction(1, RATE),
        sample_rate_hz=RATE,
        channels=codes.shape[1],
        bit_depth=None if is_float else 24,
    )
    return info, [
        Block(stream=0, epoch=0, start=at, samples=codes[at : at + BLOCK], t_arrival_ns=0)
        for at in range(0, len(codes), BLOCK)
    ]


class Clock:
    """CPU seconds by name, of methods called one within another."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = {}
        self._within_s = 0.0

    def watch(self, name: str, one: Measurement | Listener) -> None:
        """Count what an instance's methods take under a name, without those they call."""
        for verb in ("feed", "hear", "drain", "events"):
            if hasattr(one, verb):
                setattr(one, verb, self._timed(name, getattr(one, verb)))

    def _timed(self, name: str, method: Callable[P, R]) -> Callable[P, R]:
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            before_s, self._within_s = self._within_s, 0.0
            began = time.process_time()
            result = method(*args, **kwargs)
            took = time.process_time() - began
            self.spent_s[name] = self.spent_s.get(name, 0.0) + took - self._within_s
            self._within_s = before_s + took
            return result

        return timed


@contextmanager
def watched(clock: Clock) -> Iterator[None]:
    """Let every measurement and listener made in this while be watched."""
    measurements, listeners = dict(MEASUREMENTS), dict(LISTENERS)
    for name, kind in measurements.items():
        MEASUREMENTS[name] = replace(kind, make=_watching(clock, name, kind.make))
    for name, heard in listeners.items():
        LISTENERS[name] = replace(heard, make=_watching(clock, name, heard.make))
    try:
        yield
    finally:
        MEASUREMENTS.update(measurements)
        LISTENERS.update(listeners)


def _watching(clock: Clock, name: str, make: Callable[P, T]) -> Callable[P, T]:
    def made(*args: P.args, **kwargs: P.kwargs) -> T:
        one = make(*args, **kwargs)
        clock.watch(name, one)
        return one

    return made


def costs_ns(sound: Sound) -> dict[str, float]:
    """Return what each measurement and listener costs a channel-sample; ``all``: the pipeline."""
    info, blocks = blocks_of(sound)
    clock = Clock()
    with watched(clock):
        pipeline = Pipeline("bench", [info], pairs=PAIRS)
        began = time.process_time()
        for count, block in enumerate(blocks, 1):
            pipeline.feed(block)
            if count % BLOCKS_A_DRAIN == 0:
                pipeline.readings(0)
            pipeline.events()
        whole_s = time.process_time() - began
    return {name: s / sound.size * 1e9 for name, s in {"all": whole_s, **clock.spent_s}.items()}


def main() -> None:
    """Print the table, dearest signal first."""
    words = sys.argv[1:]
    rows = {
        name: costs_ns(sound)
        for name, sound in signals()
        if not words or any(word in name for word in words)
    }
    worst_ns: dict[str, float] = {}
    for row in rows.values():
        worst_ns.update({name: max(ns, worst_ns.get(name, 0.0)) for name, ns in row.items()})
    listed = sorted((n for n in worst_ns if worst_ns[n] >= LISTED_NS), key=lambda n: -worst_ns[n])
    print("| signal | " + " | ".join(listed) + " |")
    print("| --- |" + " ---: |" * len(listed))
    for name, row in sorted(rows.items(), key=lambda one: -one[1]["all"]):
        print(f"| {name} | " + " | ".join(f"{row.get(one, 0.0):.0f}" for one in listed) + " |")


if __name__ == "__main__":
    main()
