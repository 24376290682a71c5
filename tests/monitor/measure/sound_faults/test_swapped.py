from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from capture.source import Ended
from monitor.lines import Event
from monitor.measure.measurement import Setup
from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.energies import FINE_PER_S, Grid, sum_squares
from monitor.measure.sound.hops import HISTORY
from monitor.measure.sound.listener import Hop
from monitor.measure.sound_faults.noise_signature import NoiseFrames, signature
from monitor.measure.sound_faults.swapped import NOISE_SIGNATURE, Swapped, misfits, rings
from monitor.metrics import Value, baseline_of
from tests.monitor.measure.signals import Signal, blocks, noise, stream_of

RATE = 24000  # reaches to 10.8 kHz: the least that is judged, for half the work
HISS_DBFS = (-70.0, -64.0, -60.0, -67.0)


@cache
def _unit(seconds: int, seed: int, channels: int) -> Signal:
    return noise(seconds * RATE, channels, 1.0, seed)


def chains(
    seconds: int = 46, hiss: Sequence[float] = HISS_DBFS, order: Sequence[int] = (), seed: int = 1
) -> NDArray[np.float32]:
    """Microphones that hiss at their own levels, then plugged in in another order."""
    gains = 10 ** (np.asarray(hiss) / 20)
    samples = _unit(seconds, seed, len(hiss)) * gains
    return np.asarray(samples[:, list(order) or slice(None)], np.float32)


def line_up(samples: Signal, rate: int = RATE) -> dict[str, Value]:
    """What a line-up learns of it."""
    listener = Swapped(Setup(stream=stream_of(samples.shape[1], rate)), samples.shape[1], rate)
    hear(listener, samples, rate // 10, rate)
    return dict(baseline_of(listener.drain()))


def hear(listener: Swapped, samples: Signal, size: int, rate: int = RATE) -> None:
    channels = samples.shape[1]
    cells, fine = Grid(channels, rate, sum_squares), Grid(channels, rate, sum_squares, FINE_PER_S)
    for at in range(0, len(samples), size):
        part = np.ascontiguousarray(samples[at : at + size].T)
        padded = np.concatenate([np.zeros((channels, HISTORY), np.float32), part], axis=1)
        hop = Hop(
            with_history=padded, start=at, follows=at > 0, peaks=np.abs(part).max(axis=1),
            energies=cells.feed(part), fine=fine.feed(part), fine_start=0,
        )  # fmt: skip
        listener.hear(hop)


def told(
    samples: Signal,
    learned: dict[str, Value] | None = None,
    *,
    size: int = 2400,
    programme: tuple[int, ...] | None = None,
    live: bool = True,
) -> list[tuple[str, tuple[int, ...], int, int | None]]:
    channels = samples.shape[1]
    baseline = line_up(chains(32, seed=2)) if learned is None else learned
    setup = Setup(
        stream=stream_of(channels, RATE), baseline=baseline, programme=programme, live=live
    )
    listener = Swapped(setup, channels, RATE)
    hear(listener, samples, size)
    listener.finish()
    return [(e.phase, e.channels, e.start, e.end) for e in listener.events()]


def test_two_microphones_that_changed_places_are_told_together() -> None:
    (opened, closed) = told(chains(30, order=(0, 2, 1, 3)))
    assert opened == ("open", (1, 2), 0, None)
    assert closed == ("close", (1, 2), 0, 30 * RATE)


def test_a_ring_of_three_is_one_episode() -> None:
    (opened, _) = told(chains(30, order=(0, 2, 3, 1)))
    assert opened[:2] == ("open", (1, 2, 3))


def test_it_ends_when_the_cables_are_back() -> None:
    samples = np.concatenate([chains(30, order=(0, 2, 1, 3)), chains(40, seed=3)])
    (opened, closed) = told(samples)
    assert opened[:2] == ("open", (1, 2))
    assert closed[3] is not None
    assert 31 * RATE < closed[3] < 60 * RATE


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 1, 1, 3), (2, 1, 2, 3)])
def test_a_microphone_in_two_places_is_no_swap(order: tuple[int, ...]) -> None:
    assert told(chains(30, order=order)) == []


def test_chains_that_hiss_alike_cannot_be_told_apart_and_nothing_is_said() -> None:
    alike = (-66.0, -66.0, -66.1, -66.0)
    learned = line_up(chains(32, alike, seed=2))
    assert told(chains(30, alike, order=(1, 0, 3, 2)), learned) == []


def test_gains_that_were_moved_are_no_swap() -> None:
    moved = np.asarray(chains(30) * 10 ** (np.array([6.0, -3.0, -9.0, 0.0]) / 20), np.float32)
    assert told(moved) == []


def test_a_room_that_became_louder_by_the_same_everywhere_is_no_swap() -> None:
    room = noise(30 * RATE, 1, 10 ** (-55 / 20), 7)
    assert told(chains(30) + room) == []


def test_voices_over_the_noise_do_not_hide_a_swap() -> None:
    samples = chains(30, order=(0, 2, 1, 3))
    talk = lfilter([1.0], [1.0, -0.9], noise(30 * RATE, 1, 0.01, 9), axis=0)
    talk[(np.arange(len(talk)) // RATE) % 2 == 0] = 0.0
    (opened, _) = told(np.asarray(samples + talk, np.float32))
    assert opened[1] == (1, 2)


def test_the_mix_is_not_judged() -> None:
    assert told(chains(30, order=(0, 2, 1, 3)), programme=(2,)) == []


def test_without_a_line_up_or_in_a_file_nothing_is_judged() -> None:
    swapped = chains(30, order=(0, 2, 1, 3))
    assert told(swapped, {}) == []
    assert told(swapped, live=False) == []


def test_a_record_of_another_number_of_channels_is_not_used() -> None:
    other = line_up(chains(32, HISS_DBFS[:3], seed=2))
    assert told(chains(30, order=(0, 2, 1, 3)), other) == []


def test_digital_silence_is_unknown_in_the_record_and_takes_no_part() -> None:
    samples = chains(32, seed=2)
    samples[:, 2] = 0.0
    learned = line_up(samples)
    value = learned[NOISE_SIGNATURE.key]
    assert isinstance(value, list)
    assert [one is None for one in value] == [False] * 12 + [True] * 6 + [False] * 6
    assert told(chains(30, order=(0, 2, 1, 3)), learned) == []


@pytest.mark.parametrize("size", [601, 4801])
def test_how_sound_is_cut_changes_nothing(size: int) -> None:
    samples = chains(30, order=(0, 2, 1, 3))
    assert told(samples, size=size) == told(samples)


def test_the_signature_is_the_noise_in_each_band() -> None:
    frames = NoiseFrames(1, 48000)
    assert frames.bands == 5
    samples = noise(30 * 48000, 1, 10 ** (-60 / 20))
    hop = Hop(
        with_history=np.concatenate([np.zeros((1, HISTORY), np.float32), samples.T], axis=1),
        start=0, follows=False, peaks=np.ones(1, np.float32), energies=np.empty((0, 1)),
        fine=np.empty((0, 1)), fine_start=0,
    )  # fmt: skip
    found = frames.hear(hop)
    assert found[0][0] == frames.length
    assert [tick - found[0][0] for tick, _ in found] == [9600 * i for i in range(150)]
    level = signature(np.array([powers for _, powers in found]))[0, :, 0]
    widths = 3200 * 2 ** (np.arange(5) / 2) * (2**0.5 - 1)
    expected = -60 + 10 * np.log10(widths / 24000)
    assert np.all(level < expected)  # a low percentile lies under the mean
    assert level == pytest.approx(expected, abs=2.5)


def test_the_signature_comes_only_after_half_a_minute_and_seldom() -> None:
    setup = Setup(stream=stream_of(4, RATE))
    listener = Swapped(setup, 4, RATE)
    hear(listener, chains(29, seed=2), RATE)
    assert listener.drain() == {}
    hear(listener, chains(10, seed=2), RATE)
    assert list(listener.drain()) == [NOISE_SIGNATURE.key]
    assert listener.drain() == {}


def test_a_stream_too_slow_for_the_bands_is_not_judged() -> None:
    assert NoiseFrames(2, 8000).bands == 0
    assert line_up(noise(32 * 8000, 2), 8000) == {}


def test_rings_need_every_channel_to_have_moved() -> None:
    everybody = np.ones(3, np.bool_)
    misfit = np.array([[2.0, 0.1, 2.0], [0.1, 2.0, 2.0], [2.0, 2.0, 0.1]])
    assert rings(misfit, 0.3, everybody) == [(0, 1)]
    assert rings(np.where(misfit == 0.1, np.nan, misfit), 0.3, everybody) == []
    one_way = misfit.copy()
    one_way[1, 0] = 2.0
    assert rings(one_way, 0.3, everybody) == []


def test_a_swap_reaches_the_rules_as_one_event_with_both_channels() -> None:
    pipeline = Pipeline("a", [stream_of(4, RATE)], baseline=line_up(chains(32, seed=2)))
    for block in blocks(chains(26, order=(0, 2, 1, 3)), 2400):
        pipeline.feed(block)
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    found = [e for e in pipeline.events() if isinstance(e, Event) and e.detector == "swapped"]
    assert [(e.phase, e.channels) for e in found] == [("open", [1, 2]), ("close", [1, 2])]
    assert found[0].worst == pytest.approx(4.0, abs=0.4)
    assert misfits(np.zeros((1, 2, 2)), np.zeros((1, 2, 2))) == pytest.approx(0.0)
