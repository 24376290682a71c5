"""The level trace: fixed to media time, whatever way the sound came."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.source import Block, Lost, StreamInfo
from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.level_trace import FLOOR_DBFS, LevelTrace
from tests.monitor.measure.signals import blocks, noise, run, stream_of

RATE = 48_000
CELL = RATE // 20


def closed(samples: np.ndarray, detector: str, sizes: list[int] | int = 960) -> Event:
    _, events = run(samples, stream_of(samples.shape[1]), sizes)
    (event,) = [
        e for e in events
        if isinstance(e, Event) and e.phase == "close" and e.detector == detector
    ]  # fmt: skip
    return event


def test_a_clip_stands_at_full_scale_in_the_middle_of_five_seconds() -> None:
    samples = noise(10 * RATE, 2, 0.05)
    at = 5 * RATE + 77
    samples[at : at + 6, 1] = 1.0
    event = closed(samples, "clipping")
    assert event.trace is not None
    assert event.trace_start is not None
    assert len(event.trace) >= 69  # told 1 s after its end: 2.5 s before, 1 s after
    assert event.trace_start % CELL == 0
    assert [n for n, level in enumerate(event.trace) if level == 0.0] == [
        (at - event.trace_start) // CELL
    ]


def test_a_silence_is_a_notch_down_to_the_floor() -> None:
    samples = noise(6 * RATE, 1, 0.05)
    samples[2 * RATE : 3 * RATE] = 0.0
    event = closed(samples, "silence")
    assert event.trace is not None
    assert event.trace_start is not None
    first = (2 * RATE - event.trace_start) // CELL
    assert event.trace[first : first + 20] == [FLOOR_DBFS] * 20
    assert all(level is not None and level > -40 for level in event.trace[:first])


def test_of_a_long_fault_the_trace_of_its_beginning_stands() -> None:
    samples = noise(12 * RATE, 1, 0.05)
    samples[3 * RATE : 10 * RATE] = 0.0
    _, events = run(samples, stream_of(1), 960)
    told = [(e.phase, e.trace is not None) for e in events if isinstance(e, Event)]
    assert told == [("open", True), ("close", False)]


@given(sizes=st.lists(st.integers(1, 48000), min_size=1, max_size=6).filter(lambda s: sum(s) > 400))
@settings(max_examples=10, deadline=None)
def test_its_values_do_not_depend_on_how_the_sound_was_cut(sizes: list[int]) -> None:
    samples = noise(4 * RATE, 1, 0.05)
    samples[RATE : RATE + 4] = 1.0
    one, other = closed(samples, "clipping", 48000), closed(samples, "clipping", sizes)
    assert one.trace is not None
    assert other.trace is not None
    assert one.trace_start == other.trace_start
    both = min(len(one.trace), len(other.trace)) - 1  # the newest may not be whole yet
    assert both >= 39
    assert one.trace[:both] == other.trace[:both]


def test_what_was_lost_is_unknown_and_not_silent() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    for block in blocks(noise(RATE, 1, 0.05), 960):
        pipeline.feed(block)
    lost = Lost(
        stream=0, epoch=0, start=RATE, amount=RATE, unit="samples", reason="x", t_arrival_ns=0
    )
    pipeline.feed(lost)
    after = noise(2 * RATE, 1, 0.05)
    after[RATE // 2 : RATE // 2 + 4] = 1.0
    for block in blocks(after, 960, start=2 * RATE):
        pipeline.feed(block)
    events = [e for e in pipeline.events() if isinstance(e, Event)]
    (trace,) = [e.trace for e in events if e.phase == "close" and e.trace is not None]
    assert trace[20:40] == [None] * 20
    assert None not in trace[:20] + trace[40:]


@pytest.mark.parametrize("rate", [11025, 32000, 44100, 96000])
def test_cells_last_a_twentieth_of_a_second_at_any_rate(rate: int) -> None:
    trace = LevelTrace(1, rate)
    for cell in range(1000):
        start = trace.start(cell)
        assert trace.cell(start) == cell
        assert trace.cell(start - 1) == cell - 1


def test_a_fault_in_the_very_first_samples_has_a_trace_of_them() -> None:
    info = StreamInfo(
        index=0, kind="audio", time_base=Fraction(1, RATE), sample_rate_hz=RATE, channels=1
    )
    pipeline = Pipeline("a", [info])
    bad = np.full((3, 1), np.nan, np.float32)
    pipeline.feed(Block(stream=0, epoch=0, start=0, samples=bad, t_arrival_ns=0))
    (event,) = pipeline.events()
    assert isinstance(event, Event)
    assert event.trace == [FLOOR_DBFS]
