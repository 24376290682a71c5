"""The practice feeds: the right pace, repeatable, and faults where the script says."""

from dataclasses import dataclass

import numpy as np
import pytest

from capture.practice_faults import Fault, spans
from capture.source import Block, Ended, Frame, Item, Lost, Packet, SourceLost
from capture.sources.synthetic import Clock, Synthetic, SyntheticOptions

RATE = 48_000


@dataclass
class HandClock:
    """Time that passes only while somebody sleeps."""

    ns: int = 0

    def sleep(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)

    def clock(self) -> Clock:
        return Clock(now_ns=lambda: self.ns, sleep=self.sleep)


def options(scene: str, seconds: float, *faults: Fault, **more: object) -> SyntheticOptions:
    return SyntheticOptions.model_validate(
        {"scene": scene, "duration_s": seconds, "real_time": False, "faults": faults, **more}
    )


def play(wanted: SyntheticOptions, clock: Clock | None = None) -> list[Item]:
    feed = Synthetic(wanted, clock)
    feed.open()
    items: list[Item] = []
    while not items or not isinstance(items[-1], Ended):
        item = feed.read(0.1)
        if item is not None:
            items.append(item)
    feed.close()
    return items


def sound(items: list[Item]) -> np.ndarray:
    return np.concatenate([item.samples for item in items if isinstance(item, Block)])


def longest_run(codes: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], codes.astype(int), [0]])))
    return int(max(edges[1::2] - edges[::2], default=0))


def test_sound_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    first, again = (sound(play(options("sound", 1.0))) for _ in range(2))
    other = sound(play(options("sound", 1.0, seed=5)))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_sound_is_24_bits_in_eight_named_channels_with_room_to_spare() -> None:
    feed = Synthetic(options("sound", 20.0))
    (stream,) = feed.open()
    assert stream.channel_names is not None
    assert stream.channel_names[2:5] == ("Boom", "Ana", "Joe")
    samples = sound(play(options("sound", 20.0)))
    assert not np.any(samples & 0xFF)
    peaks = 20 * np.log10(np.abs(samples / 2**31).max(axis=0))
    assert np.all(peaks[:6] < -9.0)
    assert np.all(peaks[:6] > -20.0)


def test_blocks_follow_each_other_over_the_loops_seam() -> None:
    blocks = [item for item in play(options("sound", 21.0)) if isinstance(item, Block)]
    assert [block.start for block in blocks] == list(range(0, 21 * RATE, 960))
    samples = sound(list(blocks)).astype(np.float64)[:, 6] / 2**31
    steps = np.abs(np.diff(samples))
    assert steps[20 * RATE - 2 : 20 * RATE + 2].max() < 4 * np.median(steps) + 0.001


@pytest.fixture(scope="module")
def spoilt() -> np.ndarray:
    """One second of sound: a clip on 3 at 0.5 s, silence on 4 and a dropout on 5 at 0.2 s."""
    faults = (
        Fault(what="clip", at_s=0.5, for_s=0.01, channel=3),
        Fault(what="silence", at_s=0.2, for_s=0.4, channel=4),
        Fault(what="dropout", at_s=0.2, for_s=0.4, channel=5),
    )
    return sound(play(options("sound", 1.0, *faults)))


def test_a_clip_reaches_the_end_codes_of_its_channel_only_and_on_time(spoilt: np.ndarray) -> None:
    ends = (spoilt >= (2**23 - 1) << 8) | (spoilt <= -(2**31))
    at = np.flatnonzero(ends[:, 2])
    assert at.min() >= RATE // 2
    assert at.max() < RATE // 2 + RATE // 100
    assert longest_run(ends[:, 2]) >= 3
    assert not ends[:, [0, 1, 3, 4, 5, 6, 7]].any()


@pytest.mark.parametrize(("channel", "digital"), [(3, True), (4, False)])
def test_silence_is_zero_and_a_dropout_lies_under_the_rooms_noise(
    spoilt: np.ndarray, channel: int, digital: bool
) -> None:
    part = spoilt[RATE // 5 : 3 * RATE // 5, channel] / 2**31
    assert bool(np.all(part == 0)) is digital
    assert np.sqrt(np.mean(part**2)) < 10 ** (-68 / 20)


def test_a_cable_pulled_shortly_is_one_loss_of_the_right_length() -> None:
    fault = Fault(what="lost", at_s=0.2, for_s=0.4)
    items = play(options("sound", 1.0, fault))
    (lost,) = (item for item in items if isinstance(item, Lost))
    assert (lost.start, lost.amount, lost.unit) == (RATE // 5, 0.4 * RATE, "samples")
    assert len(sound(items)) == int(0.6 * RATE)


def test_a_cable_pulled_for_long_loses_the_source() -> None:
    fault = Fault(what="lost", at_s=0.2, for_s=5.0)
    with pytest.raises(SourceLost, match=r"nothing arrived for 1\.0 s"):
        play(options("sound", 3.0, fault))


@pytest.fixture(scope="module")
def spoilt_camera() -> list[Item]:
    """Two and a half seconds of B camera, with every picture fault in turn."""
    faults = (
        Fault(what="freeze", at_s=0.4, for_s=0.4),
        Fault(what="drop_frames", at_s=1.2, for_s=0.4),
        Fault(what="black", at_s=1.72, for_s=0.2),
        Fault(what="frame_rate", at_s=2.0, for_s=1.0),
    )
    return play(options("camera_b", 2.5, *faults))


def numbered(items: list[Item]) -> dict[int, Frame]:
    return {i.pts // 3600: i for i in items if isinstance(i, Frame) and i.pts is not None}


def test_a_camera_gives_a_packet_and_a_moving_picture_25_times_a_second() -> None:
    items = play(options("camera_a", 1.0))
    packets = [item for item in items if isinstance(item, Packet)]
    frames = [item for item in items if isinstance(item, Frame)]
    assert [frame.pts for frame in frames] == list(range(0, 90_000, 3600))
    assert [packet.pts for packet in packets] == [frame.pts for frame in frames]
    assert [packet.key for packet in packets] == [n == 0 for n in range(25)]
    assert 6e6 < sum(packet.size_bytes for packet in packets) * 8 < 10e6
    assert frames[0].luma.shape == (1080, 1920)
    assert frames[0].bgr(480).shape == (270, 480, 3)
    assert not np.array_equal(frames[0].luma, frames[1].luma)


def test_a_freeze_repeats_one_picture_and_the_encoder_spends_little(
    spoilt_camera: list[Item],
) -> None:
    frames = numbered(spoilt_camera)
    assert all(np.array_equal(frames[9].luma, frames[n].luma) for n in range(10, 20))
    assert not np.array_equal(frames[19].luma, frames[20].luma)
    sizes = [item.size_bytes for item in spoilt_camera if isinstance(item, Packet)]
    assert max(sizes[10:20]) < 2000 < min(sizes[:10])


def test_black_is_the_lowest_legal_luma(spoilt_camera: list[Item]) -> None:
    frames = numbered(spoilt_camera)
    assert [n for n, frame in frames.items() if np.all(frame.luma == 16)] == [43, 44, 45, 46, 47]


def test_dropped_frames_leave_holes_in_the_stamps(spoilt_camera: list[Item]) -> None:
    assert sorted(set(range(50)) - set(numbered(spoilt_camera))) == [31, 33, 35, 37, 39]


def test_a_wrong_frame_rate_stretches_the_stamps(spoilt_camera: list[Item]) -> None:
    stamps = [i.pts for i in spoilt_camera if isinstance(i, Frame) and i.pts is not None]
    steps = [int(step) for step in np.diff(stamps)]
    assert set(steps[-10:]) == {3750}
    assert set(steps[:30]) == {3600}


def test_real_time_waits_for_each_block_and_a_read_times_out_before_it() -> None:
    hand = HandClock(ns=5_000_000_000)
    feed = Synthetic(SyntheticOptions(scene="sound", channels=1), hand.clock())
    feed.open()
    assert feed.read(0.005) is None
    assert hand.ns == 5_005_000_000
    block = feed.read(0.1)
    assert isinstance(block, Block)
    assert block.t_arrival_ns == 5_020_000_000


def test_a_process_that_slept_loses_what_it_missed() -> None:
    hand = HandClock()
    feed = Synthetic(SyntheticOptions(scene="sound", channels=1), hand.clock())
    feed.open()
    hand.ns = 10_000_000_000
    lost, block = feed.read(0.1), feed.read(0.1)
    assert isinstance(lost, Lost)
    assert isinstance(block, Block)
    assert block.start == lost.amount > 9 * RATE


def test_a_repeating_fault_comes_again_and_its_spans_do_not_depend_on_the_blocks() -> None:
    fault = Fault(what="clip", at_s=1.0, for_s=0.5, channel=1, repeat_s=2.0)
    whole = list(spans(fault, 0, 60, 10))
    assert whole == [(10, 15), (30, 35), (50, 55)]
    pieces = [span for start in range(60) for span in spans(fault, start, start + 1, 10)]
    assert [tick for on, off in pieces for tick in range(on, off)] == [
        tick for on, off in whole for tick in range(on, off)
    ]


def test_the_default_scripts_leave_a_newcomer_twenty_calm_seconds() -> None:
    for scene in ("sound", "camera_a", "camera_b"):
        script = SyntheticOptions.model_validate({"scene": scene}).script
        assert script
        assert min(fault.at_s for fault in script) > 20
