"""A file's properties against a spec: each right, wrong, and not declared at all."""

from pathlib import Path

import pytest

from config.loading import load_spec
from monitor.check.one_file import check_file
from monitor.report.document import CheckDocument
from tests.rigs.clips import Clips

X264 = ("-c:v", "libx264", "-preset", "ultrafast")
TAGS = ("-x264opts", "colorprim=bt709:transfer=bt709:colormatrix=bt709")
RIGHT = {
    "video.resolution/pixel_aspect": "{ value = 1 }",
    "video.format/field_order": '{ value = "progressive" }',
    "video.format/codec": '{ one_of = ["hevc", "h264"] }',
    "video.format/profile": '{ value = "High 4:2:2" }',
    "video.format/level": '{ one_of = ["1.2", "1.3"] }',
    "video.format/pixels": '{ value = "yuv422p10le" }',
    "video.format/bit_depth": "{ min = 10 }",
    "video.format/chroma": '{ one_of = ["4:2:2", "4:4:4"] }',
    "video.format/primaries": '{ value = "bt709" }',
    "video.format/transfer": '{ value = "bt709" }',
    "video.format/matrix": '{ one_of = ["bt709", "undeclared"] }',
    "video.format/range": '{ value = "limited" }',
}


@pytest.fixture(scope="module")
def good(clips: Clips) -> Path:
    return clips.picture(
        codec=(*X264, "-profile:v", "high422", "-pix_fmt", "yuv422p10le", *TAGS),
        output=("-color_range", "tv"),
    )


def checked(path: Path, folder: Path, limits: dict[str, str]) -> CheckDocument:
    spec = folder / "own.toml"
    cells = "\n".join(f'"{rule}" = {limit}' for rule, limit in limits.items())
    spec.write_text(f'title = "Own"\nsource = "us"\n[recording.limits]\n{cells}\n')
    return check_file(path, load_spec(str(spec)), "own", "recording")


def told(document: CheckDocument) -> dict[str, str]:
    return {alert.message: alert.severity for alert in document.alerts}


def test_a_file_that_is_what_the_spec_asks_conforms(good: Path, tmp_path: Path) -> None:
    document = checked(good, tmp_path, RIGHT)
    assert told(document) == {}
    (stream,) = document.video
    assert (stream.profile, stream.chroma, stream.bit_depth) == ("High 4:2:2", "4:2:2", 10)
    assert (stream.field_order, stream.pixel_aspect) == ("progressive", "1/1")
    assert stream.colour.primaries == stream.colour.transfer == stream.colour.matrix == "bt709"
    assert stream.colour.range == "limited"
    assert stream.undeclared == ["timecode"]


@pytest.mark.parametrize(
    ("rule", "limit", "message", "severity"),
    [
        ("video.resolution/pixel_aspect", '{ value = "64/45" }', "pixels 1/1 wide", "FAULT"),
        ("video.format/field_order", '{ value = "top first" }', "fields progressive", "FAULT"),
        ("video.format/codec", '{ one_of = ["hevc", "prores"] }', "hevc or prores", "FAULT"),
        ("video.format/profile", '{ value = "High" }', "4:2:2, expected High", "FAULT"),
        ("video.format/level", '{ value = "4.1" }', "expected 4.1", "CHECK"),
        ("video.format/pixels", '{ value = "yuv420p" }', "pixels as yuv422p10le", "FAULT"),
        ("video.format/bit_depth", "{ min = 12 }", "10 bits a sample, expected", "FAULT"),
        ("video.format/chroma", '{ value = "4:4:4" }', "chroma 4:2:2, expected 4:4:4", "FAULT"),
        ("video.format/primaries", '{ value = "bt2020" }', "primaries bt709, expected", "CHECK"),
        ("video.format/transfer", '{ value = "smpte2084" }', "transfer bt709, expected", "CHECK"),
        ("video.format/matrix", '{ value = "bt2020nc" }', "matrix bt709, expected", "CHECK"),
        ("video.format/range", '{ value = "full" }', "limited range, expected full", "CHECK"),
    ],
)  # fmt: skip
def test_each_property_that_is_another_is_told_in_words(
    good: Path, tmp_path: Path, rule: str, limit: str, message: str, severity: str
) -> None:
    document = checked(good, tmp_path, RIGHT | {rule: limit})
    ((words, found),) = told(document).items()
    assert message in words
    assert found == severity
    (alert,) = document.alerts
    assert alert.ebu_qc == (["0105F"] if rule.endswith("codec") else [])
    assert (alert.rule, alert.start_s) == (rule.partition("/")[0], 0.0)


def test_what_is_not_declared_is_null_and_told_as_undeclared(clips: Clips, tmp_path: Path) -> None:
    document = checked(clips.picture(), tmp_path, {"video.format/primaries": '{ value = "bt709" }'})
    assert list(told(document)) == [
        "file: colour primaries undeclared, expected bt709".replace("file", _name(document))
    ]
    (stream,) = document.video
    assert stream.colour.primaries is None
    assert stream.undeclared == [
        "colour.primaries", "colour.transfer", "colour.matrix", "colour.range", "timecode",
    ]  # fmt: skip


def _name(document: CheckDocument) -> str:
    return Path(document.file).name


def test_a_uhd_recording_for_a_streamer_is_held_to_bits_a_picture(clips: Clips) -> None:
    path = clips.picture(
        ".mov", size="3840x2160", frames=2, rate="24",
        codec=("-c:v", "prores_ks", "-profile:v", "0", "-pix_fmt", "yuv422p10le"),
        output=("-timecode", "10:00:00:00"),
    )  # fmt: skip
    spec = load_spec("capture-streaming-uhd")
    document = check_file(path, spec, "capture-streaming-uhd", "recording")
    bits = document.video[0].bit_rate_bps.mean
    assert bits is not None
    assert [alert.rule for alert in document.alerts] == ["video.bitrate"] * (bits < 240_000_000)
    small = check_file(clips.picture(), spec, "capture-streaming-uhd", "recording")
    told = " ".join(alert.message for alert in small.alerts)
    for words in (
        "320 pixels wide",
        "8 bits a sample",
        "chroma 4:2:0",
        "bits a picture",
        "timecode",
    ):
        assert words in told


def test_fields_that_a_uk_delivery_asks_for_conform_and_progressive_does_not(clips: Clips) -> None:
    def told(path: Path) -> set[str]:
        document = check_file(path, load_spec("uk-hd-1080i25"), "uk-hd-1080i25", "delivery")
        faults = [alert for alert in document.alerts if alert.rule != "video.colour_bars"]
        return {alert.message.partition(": ")[2] for alert in faults}

    coded = (*X264, "-pix_fmt", "yuv422p10le", "-g", "1")
    fields = (
        "-flags",
        "+ildct+ilme",
        "-x264opts",
        "tff=1:colorprim=bt709:transfer=bt709:colormatrix=bt709",
    )
    right = clips.picture(
        size="1920x1080", rate="50", frames=4, source="smptehdbars",
        filters="interlace=scan=tff",
        codec=(*coded, *fields),
    )  # fmt: skip
    assert told(right) == set()
    wrong = told(clips.picture(size="1920x1080", rate="25", frames=4, codec=X264))
    assert "progressive pictures, expected interlaced" in wrong
    assert "fields progressive, expected top first" in wrong
    assert "colour primaries undeclared, expected bt709" in wrong


def test_timecode_is_found_in_the_container_and_in_pictures_and_missed(
    clips: Clips, tmp_path: Path
) -> None:
    asked = {"timecode.missing": '{ one_of = ["container", "pictures"] }'}
    label = ("-timecode", "10:00:00:00")
    in_container = clips.picture(".mov", frames=5, codec=X264, output=label)
    in_pictures = clips.picture(".ts", frames=5, codec=("-c:v", "mpeg2video", *label))
    for path in (in_container, in_pictures):
        document = checked(path, tmp_path, asked)
        assert document.alerts == []
        assert document.video[0].timecode == "10:00:00:00"
    missed = checked(clips.picture(), tmp_path, asked)
    (alert,) = missed.alerts
    assert alert.rule == "timecode.missing"
    assert "timecode undeclared, expected in container or pictures" in alert.message
    assert missed.video[0].timecode is None


@pytest.mark.parametrize(
    ("rate", "label", "wanted"),
    [("25", "10:00:00:00", "10:00:01:05"), ("30000/1001", "10:00:59;00", "10:01:00;02")],
)
def test_an_alert_has_the_timecode_of_its_first_picture(
    clips: Clips, tmp_path: Path, rate: str, label: str, wanted: str
) -> None:
    dark = "drawbox=t=fill:c=black:enable='between(n,30,59)'"
    output = ("-timecode", label)
    clip = clips.picture(".mov", rate=rate, frames=100, filters=dark, codec=X264, output=output)
    (alert,) = (a for a in check_file(clip, None, None, "recording").alerts if "black" in a.rule)
    assert alert.timecode == wanted
