from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound_faults.clipping import FLOAT_DETAIL, end_codes
from tests.monitor.measure.signals import Signal, blocks, run, stream_of

QUIET = 1000


def clipped(runs: list[tuple[int, int]], frames: int = 96000) -> Signal:
    """One quiet int16 channel with runs (start, length) at the top code."""
    samples = np.full((frames, 1), QUIET, np.int16)
    samples[1::2] = -QUIET
    for start, length in runs:
        samples[start : start + length] = 32767
    return samples


def closes(events: list[Any]) -> list[Event]:
    return [e for e in events if isinstance(e, Event) and e.phase == "close"]


@given(
    size=st.integers(16, 2000),
    start=st.integers(0, 2000),
    length=st.integers(3, 3000),
)
@settings(max_examples=15, deadline=None)
def test_a_run_is_exact_whatever_blocks_it_spans(size: int, start: int, length: int) -> None:
    reading, events = run(clipped([(start, length)], 6000), stream_of(1), size)
    (event,) = closes(events)
    assert (event.start, event.end, event.worst) == (start, start + length, length)
    assert reading.values["clip_runs_total"] == [1]


def test_two_samples_at_full_scale_are_not_a_run() -> None:
    reading, events = run(clipped([(10, 2), (20, 1)]), stream_of(1))
    assert reading.values["clip_runs"] == [0]
    assert events == []


def test_the_limit_sets_how_many_samples_are_a_run() -> None:
    samples = clipped([(10, 2), (100, 5)])
    for limit, runs in ((2, 2), (5, 1), (6, 0)):
        reading, _ = run(samples, stream_of(1), limits={"clip_run_samples": limit})
        assert reading.values["clip_runs_total"] == [runs]


def test_runs_within_a_second_are_one_episode_with_its_counts() -> None:
    runs = [(1000, 5), (2000, 9), (3000, 5), (60000, 3)]
    _, events = run(clipped(runs), stream_of(1), 480)
    first, second = closes(events)
    assert (first.start, first.end, first.count, first.count_1s) == (1000, 3005, 3, 3)
    assert (first.worst, first.worst_tick, first.unit) == (9, 2000, "samples")
    assert (second.start, second.count) == (60000, 1)
    assert len({event.id for event in events if isinstance(event, Event)}) == 2


def test_an_episode_is_told_while_it_lasts_and_at_most_20_times_a_second() -> None:
    runs = [(1000 + 100 * i, 5) for i in range(400)]
    pipeline = Pipeline("a", [stream_of(1)])
    phases = []
    for block in blocks(clipped(runs), 480):
        pipeline.feed(block)
        phases += [event.phase for event in pipeline.events() if isinstance(event, Event)]
    assert phases[0] == "open"
    assert phases[-1] == "close"
    assert phases.count("update") == pytest.approx(40000 / 48000 * 20, abs=2)


def test_an_episode_opens_in_the_block_that_holds_the_third_sample() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    opened = []
    for block in blocks(clipped([(958, 4)]), 960):
        pipeline.feed(block)
        opened += [block.start for _ in pipeline.events()]
        if opened:
            break
    assert opened == [960]


def test_channels_clip_apart() -> None:
    samples = np.concatenate([clipped([(500, 4)]), clipped([]), clipped([(700, 4)])], axis=1)
    _, events = run(samples, stream_of(3))
    assert [(e.channels, e.start) for e in closes(events)] == [([0], 500), ([2], 700)]


def test_opposite_ends_are_two_runs() -> None:
    samples = clipped([(100, 4)])
    samples[104:108] = -32768
    reading, _ = run(samples, stream_of(1))
    assert reading.values["clip_runs_total"] == [2]


def test_a_hole_ends_a_run() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    top = np.full((2, 1), 32767, np.int16)
    for start in (0, 1000):
        for block in blocks(top, 2, start=start):
            pipeline.feed(block)
    assert pipeline.readings(0)[0].values["clip_runs_total"] == [0]


@pytest.mark.parametrize(
    ("dtype", "bit_depth", "low", "high"),
    [
        ("int16", 16, -(2**15), 2**15 - 1),
        ("int32", 24, -(2**31), (2**23 - 1) << 8),
        ("int32", 20, -(2**31), (2**19 - 1) << 12),
        ("int32", 32, -(2**31), 2**31 - 1),
        ("int32", None, -(2**31), 2**31 - 1),
        ("float32", None, -1.0, 1.0),
        ("float32", 32, -1.0, 1.0),
        ("float32", 24, -1.0, 1 - 2**-23),
    ],
)
def test_end_codes_are_those_of_the_native_depth(
    dtype: str, bit_depth: int | None, low: float, high: float
) -> None:
    assert end_codes(np.dtype(dtype), bit_depth) == (low, high)
    samples = np.zeros((960, 2), dtype)
    samples[100:103, 0], samples[200:203, 1] = low, high
    _, events = run(samples, stream_of(2, bit_depth=bit_depth))
    assert [(e.channels, e.start, e.end) for e in closes(events)] == [
        ([0], 100, 103),
        ([1], 200, 203),
    ]


def test_a_code_below_the_end_is_not_clipping() -> None:
    samples = np.full((960, 1), (2**23 - 2) << 8, np.int32)
    assert run(samples, stream_of(1, bit_depth=24))[1] == []


def test_floats_over_full_scale_are_called_recoverable() -> None:
    samples = np.zeros((960, 1), np.float32)
    samples[10:20] = 1.5
    (event,) = closes(run(samples, stream_of(1))[1])
    assert event.detail == FLOAT_DETAIL
