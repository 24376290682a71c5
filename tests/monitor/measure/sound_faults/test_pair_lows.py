"""Polarity of pairs that have nothing in common but what lies under the voices."""

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.measure.sound_faults.pair_lows import PairLows
from tests.monitor.measure.sound_faults.test_pairs import Track, codes, hops, opened, speech_like

RATE = 48000
SECONDS = 8


@cache
def room_tone(apart_m: float) -> NDArray[np.float64]:
    """A diffuse field that falls with frequency, at two places: coherence sin(kd) / kd."""
    frames = SECONDS * RATE
    spectra = np.fft.rfft(np.random.default_rng(1).standard_normal((2, frames)))
    hz = np.fft.rfftfreq(frames, 1 / RATE)
    shared = np.sinc(2 * hz * apart_m / 343.0)
    spectra[1] = shared * spectra[0] + np.sqrt(1 - shared**2) * spectra[1]
    found = np.fft.irfft(spectra / (1 + hz / 30), frames)
    return np.asarray(0.01 * found / np.std(found))


def apart(apart_m: float) -> tuple[Track, Track]:
    """Two microphones far outside the critical distance: of the voices nothing is in common."""
    left, right = room_tone(apart_m)
    return left + speech_like(SECONDS, 1) / 30, right + speech_like(SECONDS, 2) / 30


def common(left: Track, right: Track) -> float:
    lows = PairLows(((0, 1),), RATE)
    for hop in hops(codes(left, right), 9600):
        lows.take(hop)
    return lows.common(0, len(left))


@pytest.mark.parametrize("apart_m", [0.3, 1.0, 2.0])
def test_microphones_far_from_the_speaker_are_told_by_the_room_alone(apart_m: float) -> None:
    left, right = apart(apart_m)
    (at,) = opened(codes(left, -right), "polarity")
    assert at < 3.5
    assert opened(codes(left, right), "polarity") == []


def test_common_lows_are_as_coherent_as_the_distance_says() -> None:
    left, right = room_tone(2.0)
    assert common(left, right) == pytest.approx(np.sinc(2 * 32 * 2.0 / 343), abs=0.2)
    assert common(left, -right) == -common(left, right)


@pytest.mark.parametrize("hz", [24.3, 31.0, 50.0])
def test_one_tone_of_the_other_sign_turns_nothing_round(hz: float) -> None:
    left, right = apart(1.0)
    tone = 0.01 * np.sin(2 * np.pi * hz * np.arange(len(left)) / RATE)
    assert opened(codes(left + tone, right - tone), "polarity") == []


def test_a_channel_without_sound_has_nothing_in_common() -> None:
    left, _ = room_tone(1.0)
    assert common(left, np.zeros(len(left))) == 0.0
    assert common(left[: RATE // 2], left[: RATE // 2]) == 0.0
