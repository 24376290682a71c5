import numpy as np
import pytest

from capture.source import Ended
from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import Signal, blocks, noise, stream_of

RATE = 8000
SECONDS = 32
FRAMES = SECONDS * RATE


def voice(seed: int, turn: int) -> Signal:
    """One of two voices that take turns of 2 s, in syllables; RMS about -25 dBFS."""
    t = np.arange(FRAMES) / RATE
    talks = (t // 2).astype(int) % 2 == turn
    syllables = np.abs(np.sin(2 * np.pi * 2 * t))
    sound = noise(FRAMES, 1, 0.07, seed)[:, 0] * talks * syllables
    return np.asarray(sound, np.float32)


ANA, JOE = voice(1, 0), voice(2, 1)


def cart(ana_db: float = 0.0, joe_db: float = 0.0) -> Signal:
    """Boom, Ana's and Joe's microphones: gains in dB; others' voices bleed 15 dB down."""
    room = noise(FRAMES, 3, 10 ** (-60 / 20), 3)
    heard = np.stack([0.5 * ANA + 0.5 * JOE, ANA + 0.18 * JOE, 0.18 * ANA + JOE], axis=1) + room
    hiss = noise(FRAMES, 3, 10 ** (-100 / 20), 4)
    gains = 10 ** (np.array([0.0, ana_db, joe_db]) / 20)
    return np.asarray(heard * gains + hiss, np.float32)


def told(samples: Signal, size: int = 800, programme: tuple[int, ...] = ()) -> list[Event]:
    info, only = stream_of(samples.shape[1], RATE), ("listening", "level_low")
    pipeline = Pipeline("a", [info], programme=programme, only=only)
    for block in blocks(samples, size):
        pipeline.feed(block)
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    found = pipeline.events()
    return [e for e in found if isinstance(e, Event) and e.detector == "level_low"]


@pytest.mark.parametrize("size", [171, 800, 48000])
def test_the_one_whose_own_voice_is_too_low_is_told(size: int) -> None:
    opened, closed = told(cart(ana_db=-30.0), size)
    assert (opened.channels, opened.unit) == ([1], "dBFS")
    assert opened.worst == pytest.approx(-56.0, abs=2.0)
    assert opened.start % 800 == 0
    assert 10 * RATE - 800 <= opened.start < 14 * RATE
    assert closed.end == FRAMES


def test_a_cart_in_good_order_is_quiet_whatever_bleeds() -> None:
    assert told(cart()) == []


def test_a_safety_track_and_a_closed_microphone_are_no_fault() -> None:
    samples = cart()
    safety = samples[:, 1:2] * np.float32(0.03)
    closed = noise(FRAMES, 1, 1e-4, 9)
    assert told(np.concatenate([samples, safety, closed], axis=1)) == []


def test_a_bleeding_microphone_of_somebody_who_is_silent_is_no_fault() -> None:
    room = noise(FRAMES, 2, 10 ** (-60 / 20), 3)
    heard = np.stack([ANA + JOE, 0.02 * (ANA + JOE)], axis=1) + room
    assert told(heard.astype(np.float32)) == []


def test_who_whispers_is_low_on_all_microphones_and_not_told() -> None:
    assert told((cart() * 0.02).astype(np.float32)) == []


def test_it_ends_when_the_gain_is_raised() -> None:
    samples = cart(ana_db=-30.0)
    samples[20 * RATE :] = cart()[20 * RATE :]
    _, closed = told(samples)
    assert closed.end is not None
    assert 20 * RATE < closed.end < 26 * RATE


def test_the_mix_is_not_judged() -> None:
    assert told(cart(ana_db=-30.0), programme=(1,)) == []


def test_one_microphone_alone_has_nobody_to_be_compared_with() -> None:
    assert told((cart()[:, :1] * 0.01).astype(np.float32)) == []
