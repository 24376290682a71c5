from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import Signal, blocks, channel, noise, run, stream_of


def muted(start: int, length: int, frames: int = 48000, value: int = 0) -> Signal:
    """One int32 channel of noise, constant over [start, start + length)."""
    samples = (noise(frames, 1) * 2**30).astype(np.int32) | 1
    samples[start : start + length] = value
    return samples


def spans(events: list[Any]) -> list[tuple[str, int, int | None]]:
    return [(e.phase, e.start, e.end) for e in events if isinstance(e, Event)]


@given(size=st.integers(480, 48000), start=st.integers(1, 9000), length=st.integers(12000, 30000))
@settings(max_examples=15, deadline=None)
def test_a_silence_is_exact_whatever_blocks_it_spans(size: int, start: int, length: int) -> None:
    _, events = run(muted(start, length), stream_of(1), size)
    assert spans(events) == [("open", start, None), ("close", start, start + length)]


def test_a_silence_of_just_250_ms_that_ends_within_a_block_is_told() -> None:
    _, events = run(muted(1, 12000), stream_of(1), 100)
    assert spans(events) == [("open", 1, None), ("close", 1, 12001)]


def test_less_than_250_ms_is_no_silence() -> None:
    assert run(muted(5000, 11999), stream_of(1))[1] == []


@pytest.mark.parametrize(("limit_s", "found"), [(0.1, 1), (0.3, 0)])
def test_the_limit_sets_how_long_is_a_silence(limit_s: float, found: int) -> None:
    _, events = run(muted(5000, 12000), stream_of(1), limits={"silence_s": limit_s})
    assert len(events) == 2 * found


def test_a_channel_silent_from_the_start_is_no_event_but_a_length() -> None:
    reading, events = run(np.zeros((96000, 2), np.int32), stream_of(2))
    assert events == []
    assert reading.values["silent_s"] == [2.0, 2.0]


def test_a_channel_that_wakes_up_can_fall_silent() -> None:
    samples = muted(0, 20000, 96000)
    samples[60000:] = 0
    _, events = run(samples, stream_of(1))
    assert spans(events) == [("open", 60000, None), ("close", 60000, 96000)]


def test_the_episode_opens_250_ms_after_the_last_signal() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    at = None
    for block in blocks(muted(9600, 30000), 480):
        pipeline.feed(block)
        if at is None and pipeline.events():
            at = block.start + 480
    assert at == 9600 + 12000


def test_a_constant_that_is_not_zero_is_silence_too_and_says_its_value() -> None:
    _, events = run(muted(5000, 20000, value=1 << 24), stream_of(1))
    told = [event for event in events if isinstance(event, Event) and event.detector == "silence"]
    assert {event.detail for event in told} == {"constant at 0.007812 of full scale"}


def test_channels_fall_silent_apart() -> None:
    samples = np.concatenate([muted(5000, 20000), muted(0, 0)], axis=1)
    reading, events = run(samples, stream_of(2))
    assert [event.channels for event in events if isinstance(event, Event)] == [[0], [0]]
    assert channel(reading, "silent_s", 1) == pytest.approx(1 / 48000)


def test_the_quietest_dither_is_not_silence() -> None:
    dither = np.random.default_rng(1).integers(-1, 2, (96000, 1)).astype(np.int16)
    assert run(dither, stream_of(1))[1] == []
