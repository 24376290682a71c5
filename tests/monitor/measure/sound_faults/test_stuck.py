import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lines import Event
from monitor.measure.measurement import MEASUREMENTS, Detection, Setup
from tests.monitor.measure.signals import Signal, blocks, noise, run, stream_of

RATE = 48000
HOLD = 96


def live(frames: int = RATE, dtype: str = "int32", level: float = 0.05, seed: int = 1) -> Signal:
    """One channel of noise over a low note."""
    tone = 0.2 * np.sin(2 * np.pi * 90 * np.arange(frames) / RATE)[:, None]
    samples = noise(frames, 1, level, seed) + tone
    if dtype == "float32":
        return np.asarray(samples, np.float32)
    return np.asarray(samples * 2.0 ** (15 if dtype == "int16" else 31)).astype(dtype)


def stuck(start: int, length: int, value: float = 0.125, dtype: str = "int32") -> Signal:
    samples = live(dtype=dtype)
    full_scale = 1.0 if dtype == "float32" else 2.0 ** (15 if dtype == "int16" else 31)
    samples[start : start + length] = value * full_scale
    return samples


def steps_of(
    samples: Signal, sizes: int | list[int] = 480, bit_depth: int | None = None
) -> list[Detection]:
    info = stream_of(samples.shape[1], bit_depth=bit_depth)
    made = MEASUREMENTS["stuck"].make(Setup(stream=info))
    steps = []
    for block in blocks(samples, sizes):
        made.feed(block)
        steps += made.events()
    made.finish()
    return steps + made.events()


def closes(steps: list[Detection]) -> list[Detection]:
    return [step for step in steps if step.phase == "close"]


@given(
    sizes=st.lists(st.integers(1, 3000), min_size=1, max_size=5).filter(lambda s: sum(s) > 300),
    start=st.integers(2000, 9000),
    length=st.integers(HOLD, 12000),
)
@settings(max_examples=20, deadline=None)
def test_a_stuck_run_is_exact_whatever_blocks_it_spans(
    sizes: list[int], start: int, length: int
) -> None:
    (event,) = closes(steps_of(stuck(start, length), sizes))
    assert (event.start, event.end, event.worst) == (start, start + length, length)
    assert (event.channels, event.unit, event.worst_tick) == ((0,), "samples", start)
    assert event.detail == "at 0.125000 of full scale"


def test_less_than_two_milliseconds_is_nothing() -> None:
    assert steps_of(stuck(5000, HOLD - 1)) == []


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32"])
def test_every_sample_format_is_watched(dtype: str) -> None:
    (event,) = closes(steps_of(stuck(5000, 500, dtype=dtype)))
    assert (event.start, event.end) == (5000, 5500)


def test_it_opens_while_the_run_lasts_within_10_ms_of_its_second_millisecond() -> None:
    made = MEASUREMENTS["stuck"].make(Setup(stream=stream_of(1)))
    told = None
    for block in blocks(stuck(9600, 4800), 64):
        made.feed(block)
        if told is None and made.events():
            told = block.start + 64
    assert told is not None
    assert told - (9600 + HOLD) <= 480 + 64


def test_zeros_are_left_to_silence_and_end_codes_to_clipping() -> None:
    for value in (0.0, -1.0):
        assert steps_of(stuck(5000, 500, value)) == []
    samples = live()
    samples[5000:5500] = 2**31 - 256
    assert steps_of(samples, bit_depth=24) == []


def test_the_flat_top_of_a_low_clipped_note_is_not_stuck() -> None:
    tone = np.sin(2 * np.pi * 40 * np.arange(4 * RATE) / RATE)[:, None]
    samples = (np.clip(tone, -0.5, 0.5) * 2**30).astype(np.int32)
    samples += np.where(np.abs(tone) < 0.5, live(4 * RATE, level=0.001) >> 12, 0)
    assert steps_of(samples) == []


@pytest.mark.parametrize("level_dbfs", [-60, -70, -80, -90])
def test_quiet_signals_of_16_bits_stand_still_by_themselves(level_dbfs: int) -> None:
    level = 10 ** (level_dbfs / 20)
    note = level * np.sin(2 * np.pi * 8 * np.arange(4 * RATE) / RATE)[:, None]
    hiss = noise(4 * RATE, 1, level / 30)
    assert steps_of(np.rint((note + hiss) * 2**15).astype(np.int16)) == []


def test_a_channel_constant_from_the_start_or_after_a_hole_is_not_in_use() -> None:
    constant = np.full((RATE, 1), 12345 << 8, np.int32)
    assert steps_of(constant) == []
    made = MEASUREMENTS["stuck"].make(Setup(stream=stream_of(1)))
    for block in [*blocks(live(), 480), *blocks(constant, 480, start=2 * RATE)]:
        made.feed(block)
    made.finish()
    assert made.events() == []


def test_a_hole_ends_a_run() -> None:
    made = MEASUREMENTS["stuck"].make(Setup(stream=stream_of(1)))
    before = stuck(RATE - 200, 200)
    after = live(seed=2)
    after[:300] = before[-1]
    for block in [*blocks(before, 480), *blocks(after, 480, start=RATE + 99)]:
        made.feed(block)
    made.finish()
    (event,) = closes(made.events())
    assert (event.start, event.end) == (RATE - 200, RATE)


def test_runs_within_a_second_are_one_episode() -> None:
    samples = stuck(5000, 200)
    samples[20000:20300] = 77 << 16
    (event,) = closes(steps_of(samples))
    assert (event.start, event.end, event.count, event.worst) == (5000, 20300, 2, 300)


def test_channels_are_stuck_apart() -> None:
    samples = np.concatenate([live(), stuck(7000, 400), live(seed=3)], axis=1)
    (event,) = closes(steps_of(samples))
    assert (event.channels, event.start, event.end) == ((1,), 7000, 7400)


def test_an_open_run_is_closed_where_the_stream_ends() -> None:
    (event,) = closes(steps_of(stuck(RATE - 100, 100)))
    assert (event.start, event.end) == (RATE - 100, RATE)


def test_it_is_an_event_line_of_the_pipeline() -> None:
    _, events = run(stuck(5000, 500), stream_of(1))
    assert {e.detector for e in events if isinstance(e, Event)} == {"stuck"}
