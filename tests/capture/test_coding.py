"""What pictures say of their coding is read as they say it; what they do not say is None."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from capture.coding import level_text
from capture.source import Coding, Ended, Frame, StreamInfo
from capture.sources.media_file import MediaFile, MediaFileOptions
from tests.rigs.clips import Clips

X264 = ("-c:v", "libx264", "-preset", "ultrafast")
FIELDS = ("-flags", "+ildct+ilme")
MPEG2 = ("-c:v", "mpeg2video", *FIELDS)


def pictures(path: Path) -> Iterator[Frame]:
    file = MediaFile(MediaFileOptions(path=str(path)))
    file.open()
    while not isinstance(item := file.read(1.0), Ended | None):
        if isinstance(item, Frame):
            yield item
    file.close()


def described(path: Path) -> StreamInfo:
    file = MediaFile(MediaFileOptions(path=str(path)))
    (info,) = file.open()
    file.close()
    return info


def coding(path: Path) -> Coding:
    return next(pictures(path)).coding


def test_colours_that_are_set_are_read_and_the_others_are_not_made_up(clips: Clips) -> None:
    tags = ("-x264opts", "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc")
    whole = coding(clips.picture(frames=5, codec=(*X264, *tags), output=("-color_range", "tv")))
    assert (whole.colour_primaries, whole.colour_transfer, whole.colour_matrix) == (
        "bt2020", "smpte2084", "bt2020nc",
    )  # fmt: skip
    assert whole.colour_range == "limited"
    bare = coding(clips.picture(frames=5, codec=X264))
    assert (bare.colour_primaries, bare.colour_transfer, bare.colour_matrix) == (None, None, None)
    assert bare.colour_range is None


@pytest.mark.parametrize(
    ("pixels", "chroma", "bits"),
    [
        ("yuv420p", "4:2:0", 8), ("yuv422p", "4:2:2", 8), ("yuv444p", "4:4:4", 8),
        ("yuv420p10le", "4:2:0", 10), ("yuv422p10le", "4:2:2", 10),
    ],
)  # fmt: skip
def test_depth_and_chroma_are_those_of_the_coded_samples(
    clips: Clips, pixels: str, chroma: str, bits: int
) -> None:
    found = coding(clips.picture(frames=3, codec=(*X264, "-pix_fmt", pixels)))
    assert (found.chroma, found.bit_depth) == (chroma, bits)


def test_deep_rgb_keeps_its_depth_though_it_is_converted_for_measuring(clips: Clips) -> None:
    found = coding(clips.picture(".mkv", frames=2, codec=("-c:v", "ffv1", "-pix_fmt", "gbrp12le")))
    assert (found.chroma, found.bit_depth) == ("4:4:4", 12)
    grey = coding(clips.picture(".mkv", frames=2, codec=("-c:v", "ffv1", "-pix_fmt", "gray10le")))
    assert (grey.chroma, grey.bit_depth) == ("4:0:0", 10)


@pytest.mark.parametrize(("sar", "expected"), [("1", Fraction(1)), ("64/45", Fraction(64, 45))])
def test_the_pixels_aspect_is_a_fraction(clips: Clips, sar: str, expected: Fraction) -> None:
    path = clips.picture(frames=3, filters=f"setsar={sar}", codec=X264)
    assert coding(path).pixel_aspect == expected


def test_profile_and_level_are_written_as_their_standard_does(clips: Clips) -> None:
    high = ("-c:v", "libx264", "-preset", "medium", "-profile:v", "high", "-level", "4.1")
    found = coding(clips.picture(frames=3, codec=high))
    assert (found.profile, found.level) == ("High", "4.1")
    prores = ("-c:v", "prores_ks", "-profile:v", "3", "-pix_fmt", "yuv422p10le")
    found = coding(clips.picture(".mov", frames=3, codec=prores))
    assert (found.profile, found.level) == ("HQ", None)


@pytest.mark.parametrize(
    ("codec", "level", "text"),
    [
        ("h264", 41, "4.1"), ("h264", 40, "4"), ("h264", 9, "1b"), ("hevc", 153, "5.1"),
        ("mpeg2video", 8, "Main"), ("mpeg2video", 3, None), ("av1", 13, "5.1"),
        ("prores", -99, None),
    ],
)  # fmt: skip
def test_levels_of_each_codec(codec: str, level: int, text: str | None) -> None:
    assert level_text(codec, level) == text


@pytest.mark.parametrize("suffix", [".ts", ".mxf"])
@pytest.mark.parametrize(("scan", "order"), [("tff", "top first"), ("bff", "bottom first")])
def test_fields_are_told_in_their_order(clips: Clips, suffix: str, scan: str, order: str) -> None:
    path = clips.picture(
        suffix, frames=15, rate="50", filters=f"interlace=scan={scan}", codec=MPEG2
    )
    assert {picture.coding.field_order for picture in pictures(path)} == {order}
    assert described(path).coding.field_order == order


@pytest.mark.parametrize("suffix", [".h264", ".mp4"])
def test_h264_fields_are_told_in_their_order(clips: Clips, suffix: str) -> None:
    for scan, order in (("tff", "top first"), ("bff", "bottom first")):
        path = clips.picture(
            suffix, frames=5, rate="50", filters=f"interlace=scan={scan}",
            codec=(*X264, *FIELDS, "-x264opts", f"{scan}=1"),
        )  # fmt: skip
        assert coding(path).field_order == order


def test_fields_that_turn_round_in_mid_stream_are_told(clips: Clips) -> None:
    parts = [
        clips.picture(".m2v", frames=25, rate="50", filters=f"interlace=scan={scan}", codec=MPEG2)
        for scan in ("tff", "bff")
    ]
    joined = parts[0].with_name("turned.m2v")
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    orders = [picture.coding.field_order for picture in pictures(joined)]
    assert orders[:25] == ["top first"] * 25
    assert orders[-12:] == ["bottom first"] * 12


def test_nothing_new_is_made_while_nothing_changes(clips: Clips) -> None:
    assert len({id(picture.coding) for picture in pictures(clips.picture())}) == 1


def test_the_containers_timecode_is_read(clips: Clips) -> None:
    for suffix, codec in ((".mov", X264), (".mxf", MPEG2)):
        path = clips.picture(suffix, frames=5, codec=codec, output=("-timecode", "09:59:58:00"))
        assert described(path).timecode == "09:59:58:00"
    assert described(clips.picture()).timecode is None


def test_a_pictures_own_timecode_is_read(clips: Clips) -> None:
    codec = ("-c:v", "mpeg2video", "-g", "12", "-timecode", "10:00:00:00")
    labels = [
        picture.timecode for picture in pictures(clips.picture(".ts", frames=26, codec=codec))
    ]
    assert [label for label in labels if label] == ["10:00:00:00", "10:00:00:12", "10:00:00:24"]
