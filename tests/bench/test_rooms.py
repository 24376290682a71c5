"""The corpus' rooms obey the acoustics they are drawn by."""

import numpy as np
import pytest

from bench.corpus import rooms
from bench.corpus.material import RATE
from bench.corpus.microphones import microphone, somewhere, stereo


def test_no_microphone_hangs_in_or_behind_a_wall() -> None:
    for seed in range(150):
        generator = np.random.default_rng(seed)
        room = rooms.room(generator)
        speaker = somewhere(generator, room)
        hung = [
            microphone(generator, room, [speaker], role, 0) for role in ("boom", "lav", "plant")
        ]
        _, pair = stereo(generator, room)
        for one in [*hung, *pair.values()]:
            within = (one.place > 0) & (one.place < room.size_m)
            assert within.all(), (seed, one.place)


def test_the_second_of_a_spaced_pair_hangs_as_far_off_as_it_says() -> None:
    generator = np.random.default_rng(0)
    seen = set[str]()
    while len(seen) < 2:
        kind, pair = stereo(generator, rooms.room(generator))
        left, right = pair["stereo left"], pair["stereo right"]
        assert right.apart_m == pytest.approx(np.linalg.norm(right.place - left.place))
        assert (right.apart_m == 0) == (kind == "coincident")
        seen.add(kind)


def test_walls_absorb_what_eyring_says_they_do_at_that_reverberation() -> None:
    room = rooms.Room(size_m=np.array([6.0, 5.0, 3.0]), reverberation_s=0.4, scattered=0.3)
    lost = -np.log(1 - room.absorbed)
    assert 0.161 * 90 / (126 * lost) == pytest.approx(0.4)
    assert room.mirrored**2 == pytest.approx((1 - room.absorbed) * 0.7)


def test_reflections_have_the_energy_of_the_critical_distance_all_together() -> None:
    generator = np.random.default_rng(1)
    room = rooms.Room(size_m=np.array([8.0, 7.0, 4.0]), reverberation_s=0.5, scattered=0.3)
    source, at = np.array([2.0, 2.5, 1.5]), np.array([5.0, 4.0, 1.6])
    tail = generator.standard_normal(rooms.LENGTH, np.float32)
    _, gains = rooms.paths(room, source, at)
    heard = rooms.response(room, source, at, tail)
    reflected = float(np.sum(heard**2)) - gains[0] ** 2
    assert reflected == pytest.approx(1 / room.critical_distance_m**2, rel=0.1)


@pytest.mark.parametrize(
    ("apart_m", "hz"), [(0.2, 400.0), (0.5, 200.0), (0.5, 500.0), (0.0, 900.0)]
)
def test_a_diffuse_field_is_as_coherent_as_the_distance_says(apart_m: float, hz: float) -> None:
    generator = np.random.default_rng(2)
    field, other = generator.standard_normal((2, 1 << 18), np.float32)
    there = rooms.diffuse(field, other, apart_m)
    assert np.std(there) == pytest.approx(1.0, rel=0.02)
    first, second = (np.fft.rfft(x.reshape(-1, 1024)) for x in (field, there))
    at = round(hz * 1024 / RATE)
    bins = slice(at - 1, at + 2)
    cross = np.sum(first[:, bins].conj() * second[:, bins]).real
    power = np.sqrt(np.sum(abs(first[:, bins]) ** 2) * np.sum(abs(second[:, bins]) ** 2))
    expected = np.sinc(2 * at * RATE / 1024 * apart_m / 343.0) if apart_m else 0.75
    assert cross / power == pytest.approx(expected, abs=0.12)
