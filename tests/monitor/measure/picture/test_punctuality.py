"""Late is later than this feed usually is; out of order is a decoding stamp that goes back."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from capture.source import Packet
from monitor.measure.measurement import MEASUREMENTS, Setup
from tests.monitor.measure.feeding import Outcome, make, measure_file, packet, run, video
from tests.rigs.clips import Clips

PERIOD_S = 0.04


def arriving(delays_s: Sequence[float]) -> list[Packet]:
    """Packets of 25 pictures a second, each this much after its stamp."""
    return [
        replace(packet(3_600 * n), t_arrival_ns=round((n * PERIOD_S + delay) * 1e9))
        for n, delay in enumerate(delays_s)
    ]


def judged(delays_s: Sequence[float]) -> Outcome:
    return run(make("punctuality", video()), arriving(delays_s), every=1)


def test_one_picture_that_comes_late_is_named() -> None:
    delays = np.full(300, 0.1)
    delays[137] += 0.3
    outcome = judged(delays.tolist())
    (episode,) = outcome.closed("frames_late")
    assert episode.detail == "late: frame 137"
    assert (episode.start, episode.count) == (3_600 * 137, 1)
    assert outcome.values["frames_late_total"] == 1
    assert outcome.number("lateness_ms") == pytest.approx(300, abs=1)


def test_after_a_stall_every_picture_is_late_until_the_feed_has_caught_up() -> None:
    delays = np.full(300, 0.1)
    stall = np.maximum(0.0, 1.0 - np.arange(100) * 0.75 * PERIOD_S)  # caught up four times as fast
    delays[150:250] += stall
    outcome = judged(delays.tolist())
    late = int(np.sum(stall > 4 * PERIOD_S + 1e-6))
    assert outcome.values["frames_late_total"] == late
    assert len(outcome.closed("frames_late")) == 1


def test_a_picture_just_within_the_limit_is_not_late() -> None:
    delays = np.full(300, 0.1)
    delays[137] += 3.9 * PERIOD_S
    assert judged(delays.tolist()).values["frames_late_total"] == 0


@pytest.mark.parametrize("scale_s", [0.002, 0.02, 0.05])
def test_a_jittery_link_is_not_late_for_its_jitter(scale_s: float) -> None:
    rng = np.random.default_rng(6)
    arrivals = np.arange(3_000) * PERIOD_S + np.minimum(
        rng.exponential(scale_s, 3_000), 6 * scale_s
    )
    in_order = np.maximum.accumulate(arrivals) - np.arange(3_000) * PERIOD_S
    assert judged(in_order.tolist()).values["frames_late_total"] == 0


def test_a_feed_that_comes_in_bursts_of_segments_is_never_late() -> None:
    segment = 150  # six seconds, as HLS has
    at = np.arange(3_000)
    delays = (segment - at % segment) * PERIOD_S
    assert judged(delays.tolist()).values["frames_late_total"] == 0


def test_two_clocks_that_drift_apart_are_not_lateness() -> None:
    delays = np.arange(20_000) * PERIOD_S * 500e-6
    assert judged(delays.tolist()).values["frames_late_total"] == 0


def test_files_and_invented_stamps_have_no_lateness(clips: Clips) -> None:
    assert measure_file("punctuality", clips.picture()).values["frames_late"] is None
    mjpeg = MEASUREMENTS["punctuality"].make(Setup(stream=replace(video(), codec="mjpeg")))
    delays = np.full(300, 0.1)
    delays[137] += 0.3
    outcome = run(mjpeg, arriving(delays.tolist()))
    assert outcome.values["frames_late_total"] is None
    assert outcome.steps == []


def swapped(count: int, at: int) -> list[Packet]:
    packets = arriving([0.1] * count)
    packets[at], packets[at + 1] = packets[at + 1], packets[at]
    return packets


def test_a_decoding_stamp_that_goes_back_is_out_of_order_and_named() -> None:
    outcome = run(make("punctuality", video()), swapped(200, 80), every=1)
    (episode,) = outcome.closed("frames_out_of_order")
    assert episode.detail == "out of order: frame 81"
    assert outcome.values["frames_out_of_order_total"] == 1


def test_reordering_of_b_frames_and_a_wrap_of_33_bits_are_in_order(clips: Clips) -> None:
    codec = ("-c:v", "libx264", "-bf", "3", "-b_strategy", "0")
    for suffix in (".ts", ".mp4", ".mkv"):
        outcome = measure_file("punctuality", clips.picture(suffix, codec=codec))
        assert outcome.values["frames_out_of_order_total"] == 0
    wrapping = [packet((3_600 * n + (1 << 33) - 100_000) % (1 << 33)) for n in range(200)]
    outcome = run(make("punctuality", video()), wrapping)
    assert outcome.values["frames_out_of_order_total"] == 0


def test_a_jump_back_is_another_timeline() -> None:
    packets = [packet(3_600 * n) for n in range(200)] + [packet(3_600 * n) for n in range(200)]
    outcome = run(make("punctuality", video()), packets)
    assert outcome.values["frames_out_of_order_total"] == 0


def test_the_limit_is_in_pictures_of_the_feeds_own_rate() -> None:
    stream = video(Fraction(50))
    packets = [
        replace(packet(1_800 * n), t_arrival_ns=round((n * 0.02 + 0.1 * (n == 150)) * 1e9))
        for n in range(200)
    ]
    outcome = run(make("punctuality", stream), packets)
    assert outcome.values["frames_late_total"] == 1  # five pictures at 50, two and a half at 25
