"""Key frames are as far apart as they are coded, and one that never comes is missed."""

import pytest

from tests.monitor.measure.feeding import make, measure_file, packet, run, video
from tests.rigs.clips import Clips

X264 = ("-c:v", "libx264", "-preset", "ultrafast")


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".mkv"])
@pytest.mark.parametrize("group", [12, 25, 50])
def test_a_files_key_frames_are_as_far_apart_as_they_were_coded(
    clips: Clips, suffix: str, group: int
) -> None:
    codec = (*X264, "-g", str(group), "-keyint_min", str(group), "-sc_threshold", "0")
    outcome = measure_file("key_frames", clips.picture(suffix, frames=120, codec=codec))
    assert outcome.number("key_frame_interval_max_s") == pytest.approx(group / 25, abs=0.002)


def test_a_codec_of_key_frames_alone_has_one_every_picture(clips: Clips) -> None:
    path = clips.picture(".mov", codec=("-c:v", "prores_ks"))
    assert measure_file("key_frames", path).number("key_frame_interval_max_s") == 0.04


def test_a_key_frame_that_never_comes_counts_while_it_is_missing() -> None:
    packets = [packet(3_600 * n, key=n == 0) for n in range(100)]
    outcome = run(make("key_frames", video()), packets, every=25)
    assert outcome.drains[0]["key_frame_interval_s"] == pytest.approx(0.96)
    assert outcome.drains[3]["key_frame_interval_s"] == pytest.approx(3.96)


def test_the_running_gap_is_told_only_once_it_is_the_longest() -> None:
    packets = [packet(3_600 * n, key=n in (0, 50)) for n in range(80)]
    outcome = run(make("key_frames", video()), packets, every=20)
    told = [drained.get("key_frame_interval_s") for drained in outcome.drains]
    assert told[2] == pytest.approx(2.0)
    assert told[3] is None


def test_before_the_first_key_frame_and_after_a_jump_nothing_is_known() -> None:
    assert run(make("key_frames", video()), [packet(3_600 * n) for n in range(50)]).values == {}
    packets = [packet(3_600 * n, key=n == 0) for n in range(10)]
    packets += [packet(10**8 + 3_600 * n, key=n == 5) for n in range(10)]
    outcome = run(make("key_frames", video()), packets, every=1)
    assert outcome.number("key_frame_interval_max_s") == pytest.approx(0.36)


def test_the_longest_restarts_at_reset() -> None:
    made = make("key_frames", video())
    for n in range(60):
        made.feed(packet(3_600 * n, key=n in (0, 40)))
    assert made.drain()["key_frame_interval_max_s"] == pytest.approx(1.6)
    made.reset()
    for n in range(60, 65):
        made.feed(packet(3_600 * n, key=n == 61))
    assert made.drain()["key_frame_interval_max_s"] == pytest.approx(0.84)
