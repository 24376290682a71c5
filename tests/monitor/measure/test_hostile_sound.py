"""Sound and settings that are absurd but possible: a measurement that raises ends a worker."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    seconds, tone_hz = 2, 1000
    t = np.arange(seconds * 48000) / 48000
    tone = np.clip(1.5 * np.sin(2 * np.pi * tone_hz * t), -0.5, 0.5).astype(np.float32)
    _, events = run(tone[:, None], stream_of(1, bit_depth=24), 4800)
    (closed,) = [
        e
        for e in events
        if isinstance(e, Event) and e.detector == "flat_tops" and e.phase == "close"
    ]
    assert closed.start < 480
    assert closed.end is not None
    assert closed.end > (seconds - 0.02) * 48000
    assert 100 < closed.count <= 200 * seconds + 16
