import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.measure.measurement import MEASUREMENTS, Detection, Setup
from monitor.measure.sound_faults.repeated_buffer import (
    LONGEST,
    OCTAVES,
    SHORTEST,
    WINDOW,
    Past,
    splice_shows,
    window_keys,
)
from tests.monitor.measure.signals import Signal, blocks, noise, stream_of

RATE = 48000
Sizes = int | list[int]


def live(frames: int = RATE, channels: int = 2, seed: int = 1) -> Signal:
    """Noise that is mostly low, as rooms are, as 24-bit codes."""
    walk = np.cumsum(noise(frames, channels, 0.002, seed), axis=0)
    drift = np.linspace(walk[0], walk[-1], frames)
    hiss = noise(frames, channels, 1e-4, seed + 1)
    return np.asarray((walk - drift + hiss) * 2**23).astype(np.int32) << 8


def repeat(samples: Signal, start: int, length: int, times: int = 1) -> Signal:
    """The ``length`` frames from ``start`` again, ``times`` times, over what came after them."""
    for turn in range(1, times + 1):
        at = start + turn * length
        samples[at : at + length] = samples[start : start + length]
    return samples


def closes(samples: Signal, sizes: Sizes = 480) -> list[Detection]:
    made = MEASUREMENTS["repeated_buffer"].make(Setup(stream=stream_of(samples.shape[1])))
    steps = []
    for block in blocks(samples, sizes):
        made.feed(block)
        steps += made.events()
    made.finish()
    return [step for step in [*steps, *made.events()] if step.phase == "close"]


@given(
    sizes=st.lists(st.integers(1, 5000), min_size=1, max_size=4).filter(lambda s: sum(s) > 400),
    length=st.sampled_from([32, 48, 64, 240, 441, 480, 1024, 4800]),
    times=st.integers(1, 3),
    start=st.integers(5000, 12000),
)
@settings(max_examples=15, deadline=None)
def test_a_repeat_is_exact_whatever_blocks_it_spans(
    sizes: list[int], length: int, times: int, start: int
) -> None:
    (event,) = closes(repeat(live(), start, length, times), sizes)
    assert (event.start, event.end) == (start + length, start + (times + 1) * length)
    assert (event.channels, event.unit, event.worst) == ((), "samples", times * length)
    assert event.detail == f"{length} frames"


def test_octaves_hold_every_distance_once_and_a_window_of_the_shortest_run_of_each() -> None:
    distances = [d for one in OCTAVES for d in range(one.nearest, one.farthest + 1)]
    assert distances == list(range(SHORTEST, LONGEST + 1))
    assert all(one.nearest - WINDOW + 1 >= one.step for one in OCTAVES)


@given(seed=st.integers(0, 99), codes=st.integers(1, 3), cuts=st.lists(st.integers(1, 7000)))
@settings(max_examples=10, deadline=None)
def test_windows_look_back_as_slow_comparison_of_frames_does(
    seed: int, codes: int, cuts: list[int]
) -> None:
    first, frames = 1000 + seed, 7000
    sound = np.random.default_rng(seed).integers(0, codes + 1, frames).astype(np.uint32)
    sound[3000:3900] = sound[2000:2900]
    windows, past = window_keys(sound), Past()
    parts = np.split(windows, sorted(cuts))
    starts = first + np.cumsum([0, *map(len, parts)])
    found = [past.nearest(part, int(at)) for part, at in zip(parts, starts, strict=False)]
    told = {int(tick): int(back) for pair in found for tick, back in zip(*pair, strict=True)}
    frames_of = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)
    expected = {}
    for at in range(-first % OCTAVES[0].step, len(windows), OCTAVES[0].step):
        for octave in OCTAVES:
            low, high = max(0, at - octave.farthest), max(0, at - octave.nearest + 1)
            same = np.flatnonzero((frames_of[low:high] == frames_of[at]).all(axis=1))
            if len(same) and not (first + at) % octave.step:
                expected[first + at] = at - low - int(same[-1])
                break
    assert told == expected


@pytest.mark.parametrize("length", [32, 63, 64, 127, 511, 512, 2047, 4095, 4800])
@pytest.mark.parametrize("size", [64, 4800, 48000])
def test_every_length_is_found_wherever_it_begins(length: int, size: int) -> None:
    sound = live(3 * RATE, 1, seed=length)
    starts = [20011 + 30000 * turn + 7 * turn for turn in range(3)]
    for start in starts:
        repeat(sound, start, length)
    places = [(step.start, step.end) for step in closes(sound, size)]
    assert places == [(starts[0] + length, starts[-1] + 2 * length)]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_other_sample_formats_are_watched(dtype: str) -> None:
    samples = repeat(live(), 9000, 512)
    scaled = samples >> 16 if dtype == "int16" else samples / 2.0**31
    (event,) = closes(scaled.astype(dtype))
    assert (event.start, event.end) == (9512, 10024)


def test_white_noise_that_repeats_without_a_visible_splice_is_found_too() -> None:
    samples = (noise(RATE, 3) * 2**30).astype(np.int32)
    (event,) = closes(repeat(samples, 7000, 256, 5))
    assert (event.start, event.end) == (7256, 7256 + 5 * 256)


def test_a_repeat_is_told_within_20_ms_of_its_last_frame() -> None:
    made = MEASUREMENTS["repeated_buffer"].make(Setup(stream=stream_of(2)))
    told = None
    for block in blocks(repeat(live(), 9000, 1024), 64):
        made.feed(block)
        if told is None and made.events():
            told = block.start + 64
    assert told is not None
    assert told - (9000 + 2 * 1024) <= 960 + 64


def test_all_channels_that_carry_sound_must_repeat() -> None:
    samples = live(channels=3)
    samples[:, 2] = 4242 << 8
    (event,) = closes(repeat(samples, 9000, 480))
    assert event.start == 9480
    apart = live(channels=3)
    apart[:, :2] = repeat(apart[:, :2].copy(), 9000, 480)
    assert closes(apart) == []


@pytest.mark.parametrize("hz", [50, 100, 440, 750, 997, 1000, 1200, 7000, 12000])
def test_test_tones_that_set_in_and_end_are_no_repeats(hz: int) -> None:
    tone = 0.1 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE)
    samples = live(2 * RATE)
    samples[20011 : 20011 + RATE] = (np.rint(tone * 2**23).astype(np.int32) << 8)[:, None]
    assert closes(samples) == []


def test_a_square_wave_is_no_repeat() -> None:
    square = np.where(np.arange(RATE) % 96 < 48, 3000, -3000).astype(np.int16)
    samples = (live(2 * RATE) >> 16).astype(np.int16)
    samples[20000 : 20000 + 40321] = square[:40321, None]
    assert closes(samples) == []


def test_silence_a_constant_and_quiet_dither_are_no_repeats() -> None:
    assert closes(np.zeros((RATE, 2), np.int32)) == []
    assert closes(np.full((RATE, 2), 77, np.int16)) == []
    generator = np.random.default_rng(5)
    dither = np.rint(generator.triangular(-1, 0, 1, (4 * RATE, 1))).astype(np.int16)
    assert closes(dither, 4800) == []


def test_what_is_the_same_after_a_hole_is_no_repeat() -> None:
    made = MEASUREMENTS["repeated_buffer"].make(Setup(stream=stream_of(2)))
    samples = live()
    for block in [*blocks(samples, 480), *blocks(samples[-4800:], 480, start=2 * RATE)]:
        made.feed(block)
    made.finish()
    assert made.events() == []


def test_repeats_within_a_second_are_one_episode() -> None:
    samples = repeat(repeat(live(), 9000, 128), 20000, 128)
    (event,) = closes(samples)
    assert (event.start, event.end, event.count) == (9128, 20256, 2)


def test_a_splice_of_infinities_is_judged_without_them() -> None:
    rows = np.zeros((40, 1), np.float32)
    rows[20:] = np.inf
    assert not splice_shows(rows, 30, 8)
    rows[30:] = 0.5
    assert splice_shows(rows, 30, 8)
