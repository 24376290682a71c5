"""Sound and settings that are absurd but possible: a measurement that raises ends a worker."""

import sys
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from capture.source import Block, Ended, StreamInfo
from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from monitor.metrics import Value
from tests.monitor.measure.signals import noise, run, stream_of

LIMITS = ("speech_low_dbfs", "stuck_s", "clip_run_samples", "dropout_s", "silence_s")
ABSURD = [0, -1, 1e-9, 1e9, 1e300, float("inf"), float("nan"), "x", None, []]
FLOORS: list[Value] = [None, "x", 3.0, [], [None, None], [1e9, -1e9], [float("nan")] * 9, [-60.0]]
STEPS = [1, -1, 100, -48000, 10**7, 2**33, 2**40, -(2**41)]


def block(samples: object, start: int) -> Block:
    return Block(stream=0, epoch=0, start=start, samples=np.asarray(samples), t_arrival_ns=0)


def finite(value: Value) -> bool:
    numbers = value if isinstance(value, list) else [value]
    return all(not isinstance(n, float) or np.isfinite(n) for n in numbers)


def end(pipeline: Pipeline) -> None:
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    for reading in pipeline.readings(0):
        assert all(map(finite, reading.values.values()))
    for event in pipeline.events():
        assert not isinstance(event, Event) or event.worst is None or np.isfinite(event.worst)


@given(
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 6000)), max_size=4),
    kind=st.sampled_from(["noise", "nan", "infinite", "denormal", "constant"]),
    rate=st.sampled_from([8000, 11025, 44100, 192000]),
    actions=st.lists(st.sampled_from(["reset", "pause", "go on"]), min_size=4, max_size=4),
)
@settings(max_examples=15, deadline=None)
def test_nothing_raises_whatever_comes_and_however_time_jumps(
    steps: list[tuple[int, int]], kind: str, rate: int, actions: list[str]
) -> None:
    info = StreamInfo(
        index=0, kind="audio", time_base=Fraction(1, rate), sample_rate_hz=rate, channels=2
    )
    fill = {"nan": np.nan, "infinite": np.inf, "denormal": 1e-42, "constant": 0.7}
    pipeline = Pipeline("a", [info], pairs=[(0, 1), (0, 1), (1, 0), (0, 0), (1, 7)])
    tick = 0
    for (jump, frames), action in zip(steps, actions, strict=False):
        if action == "reset":
            pipeline.reset()
        else:
            pipeline.integrate(on=action == "go on")
        samples = noise(frames, 2)
        samples[frames // 2 :] = fill.get(kind, 0.0)
        pipeline.feed(block(samples, tick))
        tick += frames + jump
    end(pipeline)


@pytest.mark.parametrize("limit", ABSURD)
def test_an_absurd_limit_raises_nothing(limit: object) -> None:
    pipeline = Pipeline("a", [stream_of(2)], limits=dict.fromkeys(LIMITS, limit))
    pipeline.feed(block(noise(9600, 2), 0))
    end(pipeline)


@pytest.mark.parametrize("floors", FLOORS)
def test_a_baseline_that_is_none_raises_nothing(floors: Value) -> None:
    pipeline = Pipeline("a", [stream_of(2)], baseline={"noise_floor_dbfs": floors})
    pipeline.feed(block(noise(9600, 2), 0))
    end(pipeline)


def test_a_tone_clipped_below_full_scale_is_told_without_reading_every_top() -> None:
    seconds = 2
    _, events = run(clipped_tone(1000, seconds)[:, :1], stream_of(1, bit_depth=24), 4800)
    (closed,) = [
        e
        for e in events
        if isinstance(e, Event) and e.detector == "flat_tops" and e.phase == "close"
    ]
    assert closed.start < 480
    assert closed.end is not None
    assert closed.end > (seconds - 0.02) * 48000
    assert 100 < closed.count <= 200 * seconds + 160


CHANNELS = 32


def clipped_tone(hz: float, seconds: float, ceiling: float = 0.5) -> NDArray[np.float32]:
    time_s = np.arange(round(seconds * 48000))[:, None] / 48000
    tones = 1.5 * np.sin(2 * np.pi * hz * time_s + np.arange(CHANNELS))
    return np.asarray(tones.clip(-1, 1) * ceiling, np.float32)


def with_nan() -> NDArray[np.float32]:
    samples = noise(48000 // 2, CHANNELS)
    return np.where(samples > 0.05, np.float32(np.nan), samples)


def calls(samples: NDArray[np.float32], only: Sequence[str]) -> int:
    """Calls of functions, ours and numpy's, to measure samples in blocks of 20 ms."""
    pipeline = Pipeline("a", [stream_of(CHANNELS, bit_depth=24)], only=[*only, "listening"])
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        for at in range(0, len(samples), 960):
            pipeline.feed(block(samples[at : at + 960], at))
            if at % 1920:
                pipeline.readings(0)
    finally:
        sys.setprofile(None)
    return count


FIVES = np.where(np.arange(24000)[:, None] % 5 < 4, 0.5, noise(24000, CHANNELS))


@pytest.mark.parametrize(
    ("name", "samples", "calls_a_cell"),
    [
        ("flat_tops", clipped_tone(300, 0.5), 60),
        ("flat_tops", clipped_tone(3000, 0.5), 80),
        ("flat_tops", FIVES.astype(np.float32), 12),
        ("rounded_tops", clipped_tone(300, 0.5), 6),
        ("stuck", clipped_tone(100, 0.5), 30),
        ("clipping", clipped_tone(8000, 0.5, ceiling=1.0), 20),
        ("nan", with_nan(), 75),
    ],
)
def test_the_work_is_bounded_whatever_the_sound_on_every_channel(
    name: str, samples: NDArray[np.float32], calls_a_cell: int
) -> None:
    """A channel and 10 ms; read one by one, all but ``stuck`` took 170 to 1,270."""
    assert calls(samples, [name]) <= calls_a_cell * CHANNELS * len(samples) // 480
