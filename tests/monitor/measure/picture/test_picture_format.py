"""A change of size, pixel format or scan is an event on the frame where it happens."""

from dataclasses import replace

import numpy as np

from capture.source import Coding, Frame
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


def colour(n: int, **changes: object) -> Frame:
    coding = Coding(colour_transfer="bt709", field_order="progressive")
    return replace(picture(3_600 * n), coding=replace(coding, **changes))  # type: ignore[arg-type]


def test_colours_that_change_in_mid_stream_are_an_event_at_once() -> None:
    frames = [colour(n) for n in range(30)] + [colour(30, colour_transfer="arib-std-b67")]
    made = make("picture_format", video())
    for frame in frames:
        made.feed(frame)
    (opened, closed) = made.events()
    assert opened.start == closed.start == 3_600 * 30
    assert opened.detail == "colour transfer bt709 → arib-std-b67"


def test_what_is_not_declared_is_called_so() -> None:
    values = run(make("picture_format", video()), [picture(0)]).values
    assert values["colour_primaries"] == values["pixel_aspect"] == "undeclared"
    assert values["picture_codec"] == "h264"


def test_before_the_first_picture_the_container_is_believed_and_corrected_without_an_event() -> (
    None
):
    stream = replace(
        video(), width_px=32, height_px=16, pixel_format="yuv420p",
        coding=Coding(colour_matrix="bt709"),
    )  # fmt: skip
    made = make("picture_format", stream)
    assert made.drain()["colour_matrix"] == "bt709"
    made.feed(colour(0, colour_matrix="bt2020nc"))
    assert made.events() == []
    assert made.drain()["colour_matrix"] == "bt2020nc"


def test_fields_that_turn_round_are_an_event_though_size_and_scan_stay() -> None:
    orders = ["top first"] * 20 + ["bottom first"] * 20
    frames = [
        replace(colour(n, field_order=order), interlaced=True) for n, order in enumerate(orders)
    ]
    outcome = run(make("picture_format", video()), frames)
    (episode,) = outcome.closed("format_changed")
    assert episode.detail == (
        "32×16 yuv420p interlaced top first → 32×16 yuv420p interlaced bottom first"
    )
    assert outcome.values["field_order"] == "bottom first"


def test_the_depth_is_told_in_every_reading_for_rules_that_follow_it() -> None:
    outcome = run(make("picture_format", video()), [colour(n) for n in range(20)], every=5)
    assert [drained.get("picture_bit_depth") for drained in outcome.drains[:4]] == [8, 8, 8, 8]
