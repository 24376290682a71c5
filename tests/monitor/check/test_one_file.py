"""A file measured and judged, in process: figures, alerts, and what was not checked."""

import math
import os
import wave
from pathlib import Path

import numpy as np
import pytest

from config.loading import load_spec
from config.spec import RULE_NAMES, Stage
from monitor.check.one_file import check_file
from monitor.report.document import CheckAlert, CheckDocument
from tests.monitor.check.sound_files import RATE, clipped, sine, write_float, write_pcm24
from tests.rigs.clips import Clips


def check(path: Path, spec: str | None = "tv-25p-hd", stage: Stage = "recording") -> CheckDocument:
    return check_file(path, load_spec(spec) if spec else None, spec, stage)


def of_rule(document: CheckDocument, rule: str) -> list[CheckAlert]:
    return [alert for alert in document.alerts if alert.rule == rule]


def test_a_sine_at_minus_23_measures_minus_23_and_conforms(tmp_path: Path) -> None:
    document = check(write_pcm24(tmp_path / "sine.wav", sine(20)))
    (audio,) = document.audio
    assert audio.loudness is not None
    assert audio.loudness.integrated_lufs == pytest.approx(-23.0, abs=0.1)
    assert audio.loudness.range_lu == pytest.approx(0.0, abs=0.1)
    assert audio.true_peak_dbtp == pytest.approx([-23.0, -23.0], abs=0.1)
    assert (audio.programme, audio.bit_depth, audio.sample_rate_hz) == ([0, 1], 24, RATE)
    assert audio.bit_rate_bps.mean == pytest.approx(2_304_000, rel=0.01)
    assert document.verdict == "pass"
    assert document.duration_s == 20.0


def test_three_runs_of_full_scale_are_one_fault_on_their_channel_at_their_time(
    tmp_path: Path,
) -> None:
    starts = (5 * RATE, 5 * RATE + 9600, 5 * RATE + 19200)
    path = write_pcm24(tmp_path / "clip.wav", clipped(sine(10), 1, starts))
    (alert,) = of_rule(check(path), "audio.clipping")
    assert (alert.severity, alert.channel, alert.stream) == ("FAULT", 1, 0)
    assert alert.start is not None
    assert alert.end is not None
    assert (alert.start.ticks, alert.start.time_base) == (starts[0], "1/48000")
    assert alert.start_s == 5.0
    assert alert.end_s == pytest.approx(5.4, abs=0.01)
    assert alert.worst == 5
    assert alert.unit == "samples"
    assert alert.trace is not None
    at = [alert.trace.start_s + n * 0.05 for n, v in enumerate(alert.trace.values) if v == 0.0]
    assert at == pytest.approx([5.0, 5.2, 5.4], abs=0.001)


def test_an_alert_of_a_metric_carries_the_level_around_it(tmp_path: Path) -> None:
    sound = sine(20)
    sound[10 * RATE : 10 * RATE + RATE // 10] *= 13.5
    (alert,) = of_rule(check(write_pcm24(tmp_path / "hot.wav", sound)), "audio.peak")[:1]
    assert alert.trace is not None
    assert alert.start_s is not None
    loud = [n for n, level in enumerate(alert.trace.values) if level is not None and level > -2]
    assert 2 <= len(loud) <= 6  # told in steps of 100 ms
    assert alert.trace.start_s + loud[0] * 0.05 == pytest.approx(10.0, abs=0.11)


def test_float_over_full_scale_is_a_note_and_the_file_conforms(tmp_path: Path) -> None:
    path = write_float(tmp_path / "float.wav", sine(5, level_dbfs=2.0))
    document = check(path, spec=None)
    assert {alert.severity for alert in of_rule(document, "audio.clipping")} == {"NOTE"}
    assert document.verdict == "pass"
    peaks = document.audio[0].sample_peak_dbfs
    assert peaks == pytest.approx([2.0, 2.0], abs=0.05)


def test_silence_has_no_loudness_and_no_infinity(tmp_path: Path) -> None:
    document = check(write_pcm24(tmp_path / "silence.wav", np.zeros((5 * RATE, 2))))
    (audio,) = document.audio
    assert audio.loudness is not None
    assert audio.loudness.integrated_lufs is None
    assert audio.true_peak_dbtp == [None, None]
    assert "Infinity" not in document.model_dump_json()


def test_a_mono_file_of_a_poly_recording_is_its_own_programme(tmp_path: Path) -> None:
    document = check(write_pcm24(tmp_path / "boom_1.wav", sine(5, channels=1)))
    assert document.audio[0].programme == [0]
    assert document.audio[0].loudness is not None
    assert document.audio[0].loudness.integrated_lufs == pytest.approx(-26.0, abs=0.1)


def test_a_poly_file_of_eight_microphones_has_no_programme(tmp_path: Path) -> None:
    (audio,) = check(write_pcm24(tmp_path / "poly.wav", sine(3, channels=8))).audio
    assert audio.programme is None
    assert audio.loudness is None
    assert len(audio.channel_loudness) == 8
    assert audio.channel_loudness[7].integrated_lufs == pytest.approx(-26.0, abs=0.1)


def test_five_point_one_is_a_programme_with_its_weights(clips: Clips) -> None:
    tone = "sin(2*PI*1000*t)*0.0707946"
    path = clips.sound(".wav", graph=f"aevalsrc={'|'.join([tone] * 6)}:s=48000:c=5.1", duration_s=4)
    (audio,) = check(path).audio
    assert audio.programme == [0, 1, 2, 3, 4, 5]
    assert audio.loudness is not None
    # ITU-R BS.1770: L, R, C at 1.0, both surrounds at 1.41, LFE not at all
    expected = 20 * math.log10(0.0707946) - 3.01 + 10 * math.log10(3 + 2 * 1.41)
    assert audio.loudness.integrated_lufs == pytest.approx(expected, abs=0.1)


def test_a_file_cut_short_is_measured_and_the_gap_told_in_seconds(tmp_path: Path) -> None:
    whole = write_pcm24(tmp_path / "whole.wav", sine(10))
    short = tmp_path / "short.wav"
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    document = check(short)
    assert document.audio[0].loudness is not None
    assert document.audio[0].loudness.integrated_lufs == pytest.approx(-23.0, abs=0.1)
    (gap,) = of_rule(document, "source.gap")
    assert gap.unit == "s"
    assert gap.worst == pytest.approx(5.0, abs=0.1)
    assert document.verdict == "fail"


def test_the_delivery_stage_judges_loudness_at_the_end(tmp_path: Path) -> None:
    path = write_pcm24(tmp_path / "loud.wav", sine(5, level_dbfs=-20))
    document = check(path, stage="delivery")
    (alert,) = of_rule(document, "audio.loudness")
    assert alert.worst == pytest.approx(-20.0, abs=0.1)
    assert (alert.start_s, alert.end_s) == (0.0, 5.0)
    assert "audio.loudness" not in document.not_checked
    assert "audio.loudness" in check(path).not_checked


def test_what_has_no_stream_no_limit_or_no_measurement_is_not_checked(tmp_path: Path) -> None:
    path = write_pcm24(tmp_path / "sine.wav", sine(3))
    without, with_spec = check(path, spec=None), check(path)
    for document in (without, with_spec):
        assert {name for name in RULE_NAMES if name.startswith("video.")} <= set(
            document.not_checked
        )
        assert {"audio.noise_floor", "storage.low", "monitoring.lost"} <= set(document.not_checked)
        assert not {"audio.clipping", "source.gap"} & set(document.not_checked)
        assert set(document.not_checked) <= set(RULE_NAMES)
    assert "audio.peak" in without.not_checked
    assert "audio.peak" not in with_spec.not_checked


def test_a_loudness_that_does_not_exist_was_not_judged(tmp_path: Path) -> None:
    path = write_pcm24(tmp_path / "silence.wav", np.zeros((3 * RATE, 2)))
    assert "audio.loudness" in check(path, stage="delivery").not_checked


def test_pictures_of_25_frames_fail_a_24_frame_spec(clips: Clips) -> None:
    path = clips.picture(frames=75, rate="25", size="1920x1080")
    document = check(path, "film-24p-hd")
    (alert,) = of_rule(document, "video.frame_rate")
    assert alert.worst == pytest.approx(25.0, abs=0.001)
    assert alert.limit == 24
    (video,) = document.video
    assert (video.width, video.height, video.frames) == (1920, 1080, 75)
    assert video.frame_rate.declared == "25/1"
    assert video.frame_rate.measured == pytest.approx(25.0, abs=0.001)
    assert video.bit_rate_bps.mean is not None
    assert document.verdict == "fail"
    assert not of_rule(check(path, "tv-25p-hd"), "video.frame_rate")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_23976_is_told_from_24_both_ways(clips: Clips, suffix: str) -> None:
    slow = clips.picture(suffix, frames=96, rate="24000/1001")
    exact = clips.picture(suffix, frames=96, rate="24")
    verdicts = {
        (path, spec): bool(of_rule(check(path, spec), "video.frame_rate"))
        for path in (slow, exact)
        for spec in ("film-23976-hd", "film-24p-hd")
    }
    assert verdicts == {
        (slow, "film-23976-hd"): False,
        (slow, "film-24p-hd"): True,
        (exact, "film-23976-hd"): True,
        (exact, "film-24p-hd"): False,
    }


def test_a_video_without_sound_has_all_of_sound_not_checked(clips: Clips) -> None:
    document = check(clips.picture(frames=50), spec=None)
    assert document.audio == []
    assert {name for name in RULE_NAMES if name.startswith("audio.")} <= set(document.not_checked)
    assert not [alert for alert in document.alerts if alert.rule.startswith("audio.")]


def test_a_wrong_picture_size_is_wrong_from_the_first_picture_to_the_last(clips: Clips) -> None:
    document = check(clips.picture(frames=50))
    (alert,) = of_rule(document, "video.resolution")
    assert (alert.worst, alert.limit) == ([320, 180], [1920, 1080])
    assert alert.start_s == 0.0
    assert alert.end_s == document.duration_s == pytest.approx(2.0, abs=0.001)


def test_sound_and_picture_of_one_file_are_both_measured(clips: Clips) -> None:
    document = check(clips.both(seconds=3), spec=None)
    assert [stream.stream for stream in document.video] == [0]
    assert [stream.stream for stream in document.audio] == [1]
    assert document.duration_s == pytest.approx(3.0, abs=0.1)


def test_a_transport_streams_clock_does_not_move_the_files_start(clips: Clips) -> None:
    path = clips.make(
        ".ts",
        *("-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000", "-t", "3"),
        *("-c:a", "mp2", "-output_ts_offset", "100"),
    )
    document = check(path, spec=None)
    assert document.duration_s == pytest.approx(3.0, abs=0.1)


def test_checking_twice_gives_the_same_document(tmp_path: Path) -> None:
    path = write_pcm24(tmp_path / "clip.wav", clipped(sine(4), 0, (RATE, RATE + 100)))
    assert check(path) == check(path)


def test_progress_only_grows_and_ends_at_one(tmp_path: Path) -> None:
    heard: list[float] = []
    check_file(write_pcm24(tmp_path / "sine.wav", sine(5)), None, None, "recording", heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_a_header_without_a_sample_is_no_media(tmp_path: Path) -> None:
    path = tmp_path / "nothing.wav"
    with wave.open(str(path), "wb") as out:
        out.setparams((2, 2, RATE, 0, "NONE", ""))
    document = check(path)
    assert document.verdict == "unreadable"
    assert document.error


@pytest.mark.parametrize("name", ["folder", "fifo", "missing"])
def test_what_is_no_file_is_one_clear_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    if name == "fifo":
        os.mkfifo(path)
    document = check(path)
    assert document.verdict == "unreadable"
    assert document.error
    assert "\n" not in document.error
    assert str(tmp_path) not in document.error


def test_the_original_is_never_touched(tmp_path: Path) -> None:
    path = write_pcm24(tmp_path / "sine.wav", sine(2))
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    path.chmod(0o444)
    check(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_peak_over_the_limit_is_placed_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    samples = sine(8)
    samples[int(5.37 * RATE) : int(5.38 * RATE), 1] = sine(0.01, level_dbfs=-1.0)[:, 1]
    (alert,) = of_rule(check(write_pcm24(tmp_path / "peak.wav", samples)), "audio.peak")
    assert (alert.channel, alert.severity) == (1, "NOTE")
    assert alert.start_s == pytest.approx(5.32, abs=0.05)
    assert alert.end_s == pytest.approx(5.43, abs=0.05)
    assert alert.worst == pytest.approx(-1.0, abs=0.05)


def test_silences_within_one_second_stay_apart_and_exact(tmp_path: Path) -> None:
    samples = sine(6)
    samples[2 * RATE + 1000 : 2 * RATE + 15000, 0] = 0
    samples[2 * RATE + 30000 : 2 * RATE + 45000, 1] = 0
    document = check(write_pcm24(tmp_path / "holes.wav", samples), spec=None)
    first, second = of_rule(document, "audio.silence")
    assert (first.channel, second.channel) == (0, 1)
    bounds_s = [first.start_s, first.end_s, second.start_s, second.end_s]
    expected_s = [2 + samples / RATE for samples in (1000, 15000, 30000, 45000)]
    assert bounds_s == pytest.approx(expected_s, abs=1e-4)  # a sine's zero lengthens by a sample


def test_a_detector_that_saw_too_little_of_the_picture_is_not_said_to_have_checked_it(
    clips: Clips,
) -> None:
    small = check(clips.picture(frames=25))
    assert {"video.pixellation", "video.focus", "video.flicker", "video.hot_pixels"} <= set(
        small.not_checked
    )
    moving = clips.picture(".mov", frames=250, size="1280x720", codec=("-c:v", "mjpeg"))
    seen = {"video.pixellation", "video.focus", "video.flicker", "video.hot_pixels"}
    assert not seen & set(check(moving).not_checked)
