import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lines import Event
from tests.monitor.measure.signals import Signal, noise, run, stream_of
from tests.monitor.measure.sound_faults.test_flat_tops import codes, flats, voice

RATE = 48000


def low_passed(samples: Signal, rate: int = RATE) -> Signal:
    """Every channel through a linear-phase low-pass at 16 kHz, its delay removed."""
    at = np.arange(127) - 63
    taps = np.sinc(2 * 16000 / rate * at) * np.kaiser(127, 7.0)
    columns = [np.convolve(column, taps / taps.sum(), mode="same") for column in samples.T]
    return np.asarray(np.stack(columns, axis=1), np.float32)


def rounded(samples: Signal, sizes: int | list[int] = 1920, rate: int = RATE) -> list[Event]:
    info = stream_of(samples.shape[1], rate, bit_depth=24)
    _, events = run(samples, info, sizes, only=("listening", "rounded_tops"))
    found = [e for e in events if isinstance(e, Event) and e.detector == "rounded_tops"]
    return [event for event in found if event.phase == "close"]


@pytest.mark.parametrize("level", [0.2, 0.1])
def test_clipping_is_found_after_a_low_pass_and_its_level_told(level: float) -> None:
    (event,) = rounded(codes(low_passed(voice(3).clip(-level, level))))
    first, last = flats(voice(3), level)
    assert event.start == pytest.approx(first, abs=RATE // 2)
    assert event.end == pytest.approx(last, abs=RATE // 2)
    assert (
        event.detail
        == f"below full scale, about −{-20 * np.log10(level):.1f} dBFS, then low-passed"
    )
    assert event.count >= 3


@pytest.mark.parametrize("rate", [44100, 96000])
def test_other_sample_rates_are_watched(rate: int) -> None:
    clipped = voice(3, rate=rate).clip(-0.1, 0.1)
    assert len(rounded(codes(low_passed(clipped, rate)), rate=rate)) == 1


@given(sizes=st.lists(st.integers(1, 6000), min_size=1, max_size=4).filter(lambda s: sum(s) > 900))
@settings(max_examples=5, deadline=None)
def test_events_do_not_depend_on_the_blocks(sizes: list[int]) -> None:
    samples = codes(low_passed(voice().clip(-0.15, 0.15)))
    assert rounded(samples, sizes) == rounded(samples, 4800) != []


def test_a_voice_is_round_before_and_after_a_low_pass() -> None:
    both = np.concatenate([voice(4), low_passed(voice(4, seed=2))], axis=1)
    assert rounded(codes(both)) == []


def test_tones_noise_and_a_constant_are_not_clipped() -> None:
    time_s = np.arange(3 * RATE)[:, None] / RATE
    tones = 0.3 * np.sin(2 * np.pi * np.array([40, 100, 440, 1000, 3000]) * time_s)
    assert rounded(codes(tones)) == []
    assert rounded(codes(noise(3 * RATE, 1) + 0.2)) == []
    assert rounded(np.full((RATE, 1), 2**30, np.int32)) == []


@pytest.mark.parametrize("decay_s", [0.5, 1e9])
def test_a_synthesisers_square_waves_are_no_clipping(decay_s: float) -> None:
    time_s = np.arange(3 * RATE) / RATE
    square = 0.3 * np.sign(np.sin(2 * np.pi * 220.3 * time_s)) * np.exp(-time_s / decay_s)
    assert rounded(codes(low_passed(square[:, None]))) == []


def test_a_limiter_that_keeps_the_waves_form_is_round() -> None:
    samples = voice(4)
    cell = RATE // 100
    loudest = np.abs(samples).reshape(-1, cell).max(axis=1)
    gain = 0.1 / np.maximum(np.repeat(loudest, cell), 0.1)
    smooth = np.convolve(gain, np.ones(cell) / cell, mode="same")
    assert rounded(codes(samples * smooth[:, None])) == []


def test_channels_are_apart_and_one_sided_clipping_is_found() -> None:
    both = np.concatenate([voice(3), low_passed(voice(3, seed=2).clip(-1, 0.1)), voice(3)], axis=1)
    (event,) = rounded(codes(both))
    assert event.channels == [1]


def test_clipping_at_the_end_codes_is_left_to_clipping() -> None:
    assert rounded(codes(4 * voice())) == []
