"""Bit rates agree with the bytes of the file, and do not ripple with the packets' size."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.monitor.measure.feeding import make, measure_file, packet, run, stream_items, video
from tests.rigs.clips import Clips

BASE = Fraction(1, 1_000)


def test_pcm_measures_exactly_its_rate_whatever_its_packets(clips: Clips) -> None:
    outcome = measure_file("bit_rate", clips.sound(duration_s=12), "audio")
    for key in ("bit_rate_1s_bps", "bit_rate_10s_bps", "bit_rate_mean_bps"):
        assert outcome.values[key] == 48_000 * 24
    assert (
        outcome.values["bit_rate_min_1s_bps"] == outcome.values["bit_rate_max_1s_bps"] == 1_152_000
    )


def test_the_mean_of_a_file_is_its_bytes_over_its_length(clips: Clips) -> None:
    path = clips.both(seconds=4)
    _, items = stream_items(path)
    size = sum(item.size_bytes for item in items if hasattr(item, "size_bytes"))
    assert measure_file("bit_rate", path).values["bit_rate_mean_bps"] == pytest.approx(
        size * 8 / 4, rel=1e-3
    )


@given(st.lists(st.integers(1, 50_000), min_size=60, max_size=120))
@settings(max_examples=30)
def test_windows_agree_with_a_slow_obvious_sum(sizes: list[int]) -> None:
    packets = [packet(40 * n, size, duration=40) for n, size in enumerate(sizes)]
    outcome = run(make("bit_rate", video(base=BASE)), packets)
    windows = [sum(sizes[n : n + 25]) * 8 for n in range(len(sizes) - 24)]
    assert outcome.values["bit_rate_1s_bps"] == windows[-1]
    assert outcome.values["bit_rate_min_1s_bps"] == min(windows)
    assert outcome.values["bit_rate_max_1s_bps"] == max(windows)
    assert outcome.values["bit_rate_mean_bps"] == round(sum(sizes) * 8 / (0.04 * len(sizes)))


def test_less_than_a_window_is_unknown_but_has_a_mean() -> None:
    outcome = run(make("bit_rate", video(base=BASE)), [packet(40 * n) for n in range(10)])
    assert outcome.values["bit_rate_1s_bps"] is None
    assert outcome.values["bit_rate_10s_bps"] is None
    assert outcome.values["bit_rate_mean_bps"] == 200_000


def test_a_long_stream_forgets_what_no_window_needs() -> None:
    packets = [packet(40 * n, 5_000) for n in range(5_000)]
    outcome = run(make("bit_rate", video(base=BASE)), packets)
    assert outcome.values["bit_rate_10s_bps"] == 1_000_000


def test_mean_and_extremes_restart_at_reset() -> None:
    made = make("bit_rate", video(base=BASE))
    for n in range(60):
        made.feed(packet(40 * n, 9_000))
    made.drain()
    made.reset()
    for n in range(60, 120):
        made.feed(packet(40 * n, 1_000))
    values = made.drain()
    assert values["bit_rate_1s_bps"] == 200_000
    mean = values["bit_rate_mean_bps"]
    assert isinstance(mean, int)
    assert mean < 350_000


def test_a_jump_of_the_stamps_begins_a_new_window() -> None:
    packets = [packet(40 * n, 5_000) for n in range(50)]
    packets += [packet(40 * n + 10**9, 5_000) for n in range(50)]
    outcome = run(make("bit_rate", video(base=BASE)), packets)
    assert (
        outcome.values["bit_rate_max_1s_bps"] == outcome.values["bit_rate_min_1s_bps"] == 1_000_000
    )


def test_the_mean_picture_has_its_bits_and_a_sound_packet_is_none(clips: Clips) -> None:
    packets = [packet(40 * n, size) for n, size in enumerate([9_000, 1_000] * 50)]
    assert run(make("bit_rate", video(base=BASE)), packets).values["picture_bits_mean"] == 40_000
    assert "picture_bits_mean" not in measure_file("bit_rate", clips.sound(), "audio").values


def test_bits_a_picture_restart_at_reset() -> None:
    made = make("bit_rate", video(base=BASE))
    for n in range(60):
        made.feed(packet(40 * n, 9_000 if n < 30 else 1_000))
        if n == 29:
            made.reset()
    assert made.drain()["picture_bits_mean"] == 8_000
