"""Polarity and dual mono of declared pairs, on sound whose truth is known to the sample."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.hops import HISTORY
from monitor.measure.sound.listener import Hop
from monitor.measure.sound_faults.pairs import PairFaults
from tests.monitor.measure.signals import Signal, blocks, sine, stream_of

RATE = 48000
Track = NDArray[np.float64]


def speech_like(seconds: float, seed: int = 1, rate: int = RATE) -> Track:
    """Noise that falls towards high frequencies, in syllables of a quarter of a second."""
    frames = round(seconds * rate)
    generator = np.random.default_rng(seed)
    spectrum = np.fft.rfft(generator.standard_normal(frames))
    hz = np.fft.rfftfreq(frames, 1 / rate)
    shaped = np.fft.irfft(spectrum / (1 + (hz / 500) ** 2) ** 0.5, frames)
    syllables = np.sin(np.pi * 4 * np.arange(frames) / rate) ** 2
    return np.asarray(0.1 * shaped / np.std(shaped) * syllables)


def hiss(frames: int, dbfs: float, seed: int) -> Track:
    return np.asarray(10 ** (dbfs / 20) * np.random.default_rng(seed).standard_normal(frames))


def codes(*tracks: Track) -> Signal:
    """Tracks as 24-bit codes, left-justified."""
    rounded = np.rint(np.stack(tracks, axis=1) * 2**23).astype(np.int32)
    return np.ascontiguousarray(rounded << 8)


def told(
    samples: Signal,
    sizes: int | list[int] = 9600,
    rate: int = RATE,
    pairs: tuple[tuple[int, int], ...] = ((0, 1),),
) -> list[tuple[float, Detection]]:
    """Return the steps of pairs, and how many seconds had been fed when each was told."""
    setup = Setup(stream=stream_of(samples.shape[1], rate), pairs=pairs)
    listener, found = PairFaults(setup, samples.shape[1], rate), list[tuple[float, Detection]]()
    for hop in hops(samples, sizes):
        listener.hear(hop)
        found += [(hop.end / rate, step) for step in listener.events()]
    listener.finish()
    return found + [(len(samples) / rate, step) for step in listener.events()]


def hops(samples: Signal, sizes: int | list[int]) -> Iterator[Hop]:
    """Cut codes into hops of which only what pairs look at is filled in."""
    nothing = np.zeros((0, samples.shape[1]))
    for block in blocks(samples, sizes):
        sound = np.zeros((samples.shape[1], HISTORY + len(block.samples)), np.float32)
        sound[:, HISTORY:] = block.samples.T * np.float32(2.0**-31)
        yield Hop(
            with_history=sound,
            start=block.start,
            follows=block.start > 0,
            peaks=np.abs(sound).max(axis=1),
            energies=nothing,
            fine=nothing,
            fine_start=block.start,
        )


def opened(samples: Signal, detector: str, rate: int = RATE) -> list[float]:
    """Return when episodes of a detector were told, in seconds."""
    steps = told(samples, rate=rate)
    return [at for at, e in steps if e.detector == detector and e.phase == "open"]


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_a_microphone_wired_the_wrong_way_round_is_told_within_three_seconds(rate: int) -> None:
    voice = speech_like(6, rate=rate)
    left, right = voice + hiss(len(voice), -60, 2), -0.7 * voice + hiss(len(voice), -60, 3)
    ((at, opening), (_, closing)) = told(codes(left, right), rate=rate)
    assert (opening.detector, opening.channels) == ("polarity", (0, 1))
    assert opening.start < rate // 10
    assert at < 3.0
    assert opening.unit == "%"
    assert opening.worst is not None
    assert opening.worst > 80
    assert closing.end == len(voice)


@pytest.mark.parametrize("delay_ms", [0.5, 3.0, 9.0])
def test_microphones_apart_are_compared_without_their_delay(delay_ms: float) -> None:
    voice, late = speech_like(8), round(delay_ms * RATE / 1000)
    left, right = voice[late:], -voice[: len(voice) - late]
    room = [hiss(len(left), -35, 4), hiss(len(left), -35, 5)]
    (at,) = opened(codes(left + room[0], right + room[1]), "polarity")
    assert at < 4.0
    assert opened(codes(left + room[0], -right + room[1]), "polarity") == []


def test_the_delay_is_told() -> None:
    voice = speech_like(5)
    steps = told(codes(voice[144:], -voice[:-144]))
    assert steps[0][1].detail == "the second hears it 3.0 ms later"


def test_a_pair_turned_round_in_a_take_is_told_and_so_is_its_end() -> None:
    voice = speech_like(20)
    sign = np.ones(len(voice))
    sign[6 * RATE : 13 * RATE] = -1
    room = [hiss(len(voice), -50, 4), hiss(len(voice), -50, 5)]
    opening, closing = (e for _, e in told(codes(voice + room[0], sign * voice + room[1])))
    assert opening.start == pytest.approx(6 * RATE, abs=RATE)
    assert closing.end == pytest.approx(13 * RATE, abs=RATE)


def negatives() -> dict[str, Signal]:
    """Pairs that are as they should be."""
    one, other = speech_like(12, 1), speech_like(12, 2)
    ambience = [hiss(len(one), -30, seed) for seed in (3, 4)]
    late = 150  # 1 m
    bleed = [np.roll(track, late) * 0.2 for track in (one, other)]
    return {
        "coincident": codes(one + ambience[0] / 3, 0.8 * one + ambience[1] / 3),
        "decorrelated ambience": codes(*ambience),
        "two lavaliers on two actors": codes(one + bleed[1], other + bleed[0]),
        "wide stereo": codes(one + 0.5 * other, other - 0.5 * one),
        "a tone on two tracks": codes(sine(12, -18), sine(12, -18)),
        "a tone against itself": codes(sine(12, -18), -sine(12, -18)),
        "rumble alike, voices not": codes(
            one + 20 * sine(12, -40, 30), other + 20 * sine(12, -40, 30)
        ),
        "nothing": np.zeros((12 * RATE, 2), np.int32),
    }


@pytest.mark.parametrize("name", sorted(negatives()))
def test_pairs_as_they_should_be_raise_nothing(name: str) -> None:
    assert told(negatives()[name]) == []


def test_a_safety_track_that_nobody_declared_is_deliberate() -> None:
    voice = speech_like(5)
    assert told(codes(voice, voice, -voice), pairs=()) == []


def test_mid_and_side_of_speakers_left_and_right_is_told_once_and_then_left_alone() -> None:
    voice = speech_like(60)
    sign = np.sign(np.sin(2 * np.pi * np.arange(len(voice)) / RATE / 12))
    room = [hiss(len(voice), -45, seed) for seed in (3, 4)]
    assert len(opened(codes(voice + room[0], 0.7 * sign * voice + room[1]), "polarity")) == 1


def test_dual_mono_begins_and_ends_at_the_sample() -> None:
    left, right = speech_like(12, 1), speech_like(12, 2)
    start, end = 3 * RATE + 1234, 9 * RATE + 567
    right[start:end] = left[start:end]
    right[[start - 1, end]] = left[[start - 1, end]] + 0.01
    opening, closing = (e for _, e in told(codes(left, right)) if e.detector == "dual_mono")
    assert (opening.start, opening.channels, opening.detail) == (start, (0, 1), "equal")
    assert (closing.start, closing.end) == (start, end)


def test_silence_alike_is_no_dual_mono_and_does_not_end_one() -> None:
    left, right = speech_like(12, 1), speech_like(12, 2)
    left[: 2 * RATE] = right[: 2 * RATE] = 0.0
    right[2 * RATE :] = left[2 * RATE :]
    left[6 * RATE : 7 * RATE] = right[6 * RATE : 7 * RATE] = 0.0
    opening, closing = (e for _, e in told(codes(left, right)))
    assert opening.start == pytest.approx(2 * RATE, abs=RATE // 100)
    assert closing.end == len(left)


@pytest.mark.parametrize(
    ("gain", "late", "words"),
    [
        (0.5, 0, "the second −6.0 dB"),
        (1.0, 3, "the second +0.0 dB, 3 samples later"),
        (2.0, -1, "the second +6.0 dB, 1 sample earlier"),
    ],
)
def test_a_copy_at_another_gain_and_a_little_late_is_told(
    gain: float, late: int, words: str
) -> None:
    voice = speech_like(6)
    right = gain * np.roll(voice, late) + hiss(len(voice), -96, 7)
    (_, opening), *_ = told(codes(voice + hiss(len(voice), -90, 8), right))
    assert (opening.detector, opening.detail, opening.unit) == ("dual_mono", words, "dB")
    assert opening.worst is not None
    assert opening.worst < -33  # a correlation of 0.9995


@given(sizes=st.lists(st.integers(1, 48000), min_size=1, max_size=6).filter(lambda s: sum(s) > 600))
@settings(max_examples=8, deadline=None)
def test_pairs_do_not_depend_on_how_the_signal_is_cut(sizes: list[int]) -> None:
    voice, other = speech_like(8, 1), speech_like(8, 2)
    sound = codes(voice, -voice, other, np.where(np.arange(len(other)) < 99_999, other, voice))
    pairs = ((0, 1), (2, 3))

    def steps(cut: int | list[int]) -> list[tuple[object, ...]]:
        found = [e for _, e in told(sound, cut, pairs=pairs)]
        return sorted((e.key, e.phase, e.start, e.end, e.worst, e.detail) for e in found)

    assert steps(sizes) == steps(48000)
    assert len(steps(48000)) == 4
