"""A change of size, pixel format or scan is an event on the frame where it happens."""

import numpy as np

from tests.monitor.measure.feeding import make, measure_file, picture, run, video
from tests.rigs.clips import Clips


def test_a_files_format_is_told(clips: Clips) -> None:
    outcome = measure_file("picture_format", clips.picture())
    assert outcome.values["picture_size_px"] == [320, 180]
    assert outcome.values["pixel_format"] == "yuv420p"
    assert outcome.values["scan"] == "progressive"
    assert outcome.steps == []


def test_an_interlaced_file_is_called_interlaced(clips: Clips) -> None:
    path = clips.picture(
        ".ts",
        filters="interlace",
        rate="50",
        codec=("-c:v", "mpeg2video", "-flags", "+ildct+ilme"),
    )
    assert measure_file("picture_format", path).values["scan"] == "interlaced"


def test_a_size_that_changes_in_mid_stream_is_an_event_on_that_frame(clips: Clips) -> None:
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0")
    one = clips.picture(".h264", frames=25, codec=codec)
    two = clips.picture(".h264", frames=25, size="640x360", codec=codec)
    joined = one.with_name("joined.h264")
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    outcome = measure_file("picture_format", joined)
    (episode,) = outcome.closed("format_changed")
    assert episode.detail == "320×180 yuv420p progressive → 640×360 yuv420p progressive"
    assert outcome.values["picture_size_px"] == [640, 360]


def test_the_event_lies_on_the_first_frame_of_the_new_format() -> None:
    small, large = np.zeros((8, 8), np.uint8), np.zeros((16, 16), np.uint8)
    frames = [picture(3_600 * n, small if n < 30 else large) for n in range(60)]
    (episode,) = run(make("picture_format", video()), frames).closed("format_changed")
    assert (episode.start, episode.end) == (3_600 * 30, 3_600 * 31)


def test_single_frames_flagged_otherwise_do_not_change_the_scan() -> None:
    frames = [picture(3_600 * n, interlaced=n % 7 == 3) for n in range(100)]
    assert run(make("picture_format", video()), frames).steps == []
    frames = [picture(3_600 * n, interlaced=n >= 50) for n in range(100)]
    assert len(run(make("picture_format", video()), frames).closed("format_changed")) == 1
