import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import Signal, blocks, noise, run, stream_of

RATE = 48000
Sizes = int | list[int]


def voice(seconds: float = 2.0, seed: int = 1, rate: int = RATE) -> Signal:
    """One channel of a buzz with formants that swells in syllables, over hiss; peaks near 0.5."""
    generator = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * rate)) / rate
    pitch = 2 * np.pi * 120 * (time_s + 0.01 * np.sin(2 * np.pi * 0.7 * time_s))
    buzz = sum(np.sin(k * pitch + generator.uniform(0, 6)) / (1 + abs(k - 5)) for k in range(1, 30))
    loud = np.abs(np.sin(2 * np.pi * 2.3 * time_s)) * generator.uniform(0.6, 1)
    samples = np.asarray(buzz * loud)
    samples *= 0.5 / np.abs(samples).max()
    samples += 1e-4 * generator.standard_normal(len(samples))
    return np.asarray(samples[:, None], np.float32)


def codes(samples: Signal, dtype: str = "int32") -> Signal:
    """24-bit codes in int32, or 16-bit ones in int16."""
    if dtype == "int16":
        return np.rint(samples * 2.0**15).clip(-(2**15), 2**15 - 1).astype(np.int16)
    return np.rint(samples * 2.0**23).clip(-(2**23), 2**23 - 1).astype(np.int32) << 8


def tops(samples: Signal, sizes: Sizes = 960, bit_depth: int = 24, rate: int = RATE) -> list[Event]:
    info = stream_of(samples.shape[1], rate, bit_depth=bit_depth)
    _, events = run(samples, info, sizes, only=("listening", "flat_tops"))
    found = [e for e in events if isinstance(e, Event) and e.detector == "flat_tops"]
    return [event for event in found if event.phase == "close"]


def flats(samples: Signal, level: float) -> tuple[int, int]:
    """First and last + 1 sample of the runs of three or more at a level, either way."""
    at = np.abs(samples[:, 0]) >= level
    three = np.flatnonzero(at[2:] & at[1:-1] & at[:-2])
    return int(three[0]), int(three[-1]) + 3


@pytest.mark.parametrize("level", [0.4, 0.2, 0.05])
@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_a_clipped_voice_is_found_from_its_first_flat_sample_on(level: float, dtype: str) -> None:
    clipped = voice().clip(-level, level)
    depth = 16 if dtype == "int16" else 24
    (event,) = tops(codes(clipped, dtype), bit_depth=depth)
    first, last = flats(voice(), level)
    assert event.start == pytest.approx(first, abs=RATE // 50)
    assert event.end == pytest.approx(last, abs=RATE // 10)  # the stream ends within an excursion
    assert event.detail == f"below full scale, about −{-20 * np.log10(level):.1f} dBFS"
    assert event.unit == "samples"
    assert event.count >= 3


def bursts(starts: list[int], length: int, level: float = 0.25) -> Signal:
    """A quiet note with steep excursions, flat at a level for ``length`` samples."""
    samples = 0.01 * np.sin(2 * np.pi * 90 * np.arange(3 * RATE) / RATE) + 0.002
    for start in starts:
        samples[start - 4 : start] = [0.05, 0.1, 0.15, 0.2]
        samples[start : start + length] = level
        samples[start + length : start + length + 4] = [0.2, 0.15, 0.1, 0.05]
    return np.asarray(samples[:, None], np.float32)


@given(
    sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=4).filter(lambda s: sum(s) > 900),
    starts=st.lists(st.integers(1000, 90000), min_size=3, max_size=6, unique_by=lambda n: n // 50),
    length=st.integers(3, 300),
)
@settings(max_examples=8, deadline=None)
def test_start_end_count_and_longest_are_exact_whatever_the_blocks(
    sizes: list[int], starts: list[int], length: int
) -> None:
    apart = sorted(starts)
    apart = [start + 400 * i for i, start in enumerate(apart)]
    (event,) = tops(codes(bursts(apart, length)), sizes)
    assert (event.start, event.end) == (apart[0], apart[-1] + length)
    assert (event.count, event.worst) == (len(apart), length)


@given(sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=4).filter(lambda s: sum(s) > 900))
@settings(max_examples=5, deadline=None)
def test_counts_of_an_episode_that_goes_on_do_not_depend_on_the_blocks(sizes: list[int]) -> None:
    both = np.concatenate([voice().clip(-0.15, 0.15), 0.3 * voice(seed=2).clip(-0.05, 1)], axis=1)
    assert tops(codes(both), sizes) == tops(codes(both), 4800) != []


def test_two_flat_excursions_are_not_enough() -> None:
    assert tops(codes(bursts([10000, 20000], 12))) == []


def test_flat_excursions_at_different_levels_are_not_one_ceiling() -> None:
    samples = bursts([10000], 12, 0.25) + bursts([20000], 12, 0.26) + bursts([30000], 12, 0.28)
    assert tops(codes(samples / 2)) == []


def test_it_is_told_within_100_ms_of_the_third_flat_excursion() -> None:
    pipeline = Pipeline("a", [stream_of(1, bit_depth=24)])
    third, told = 50000, None
    samples = codes(bursts([10000, 30000, third], 9))
    for count, block in enumerate(blocks(samples, 960), 1):  # drained every 40 ms, as by a worker
        pipeline.feed(block)
        if count % 2 == 0:
            pipeline.readings(0)
        if told is None and any(isinstance(e, Event) for e in pipeline.events()):
            told = block.start + 960
    assert told is not None
    assert told - third <= RATE // 10


def test_clipping_at_the_end_codes_is_left_to_clipping() -> None:
    assert tops(codes(4 * voice())) == []
    assert tops(codes(4 * voice(), "int16"), bit_depth=16) == []


def test_one_code_below_the_end_is_below_full_scale() -> None:
    samples = codes(4 * voice(), "int16").astype(np.int32) << 16
    (event,) = tops(samples[samples[:, 0] >= -(2**31)])
    assert event.detail == "below full scale, about 0.0 dBFS"


@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_tones_are_round_at_any_level_and_depth(dtype: str) -> None:
    time_s = np.arange(2 * RATE)[:, None] / RATE
    hz = np.repeat([40, 100, 440, 1000, 3000, 11999], 5)
    levels_db = np.tile([-0.5, -18, -40, -60, -80], 6)
    tones = 10 ** (levels_db / 20) * np.sin(2 * np.pi * hz * time_s)
    assert tops(codes(tones, dtype), 4800, 16 if dtype == "int16" else 24) == []


@pytest.mark.parametrize("level_dbfs", [-30, -50, -80])
def test_quiet_sixteen_bit_sound_has_natural_plateaus(level_dbfs: int) -> None:
    quiet = 2 * 10 ** (level_dbfs / 20) * voice(3)
    assert tops(codes(quiet, "int16"), 4800, 16) == []


def test_noise_dither_and_dc_are_not_flat() -> None:
    for samples in (noise(3 * RATE, 1), noise(3 * RATE, 1, 1e-5), noise(3 * RATE, 1, 1e-4) + 0.3):
        assert tops(codes(samples), 4800) == []
    assert tops(np.full((RATE, 1), 2**30, np.int32)) == []


def test_a_limiter_that_keeps_the_waves_form_piles_up_peaks_but_is_round() -> None:
    samples = voice(4)
    cell = RATE // 100
    loudest = np.abs(samples).reshape(-1, cell).max(axis=1)
    gain = 0.1 / np.maximum(np.repeat(loudest, cell), 0.1)
    smooth = np.convolve(gain, np.ones(cell) / cell, mode="same")
    assert tops(codes(samples * smooth[:, None]), 4800) == []


@pytest.mark.parametrize("rate", [44100, 96000])
def test_other_sample_rates_are_watched(rate: int) -> None:
    (event,) = tops(codes(voice(rate=rate).clip(-0.2, 0.2)), rate=rate)
    assert event.count > 10


def test_noise_of_the_stages_behind_the_clipping_one_hides_nothing() -> None:
    noisy = voice().clip(-0.2, 0.2) + noise(2 * RATE, 1, 3e-5)
    assert len(tops(codes(noisy))) == 1


def test_channels_are_apart_and_one_sided_clipping_is_found() -> None:
    both = np.concatenate([voice(), voice(seed=2).clip(-1, 0.2), voice(seed=3)], axis=1)
    (event,) = tops(codes(both))
    assert event.channels == [1]
