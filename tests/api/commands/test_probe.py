"""Probe says what is there in a table or as JSON, or in one line that nothing is."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.commands.probe import command
from tests.rigs.clips import Clips
from tests.rigs.feeds import RtspServer


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_a_files_streams_are_declared_and_measured(clips: Clips) -> None:
    result = run(str(clips.both(seconds=4)), "--format", "json")
    assert result.exit_code == 0
    video, audio = json.loads(result.output)["streams"]
    assert (video["codec"], video["width"], video["height"]) == ("h264", 320, 180)
    assert (video["pixel_format"], video["scan"]) == ("yuv420p", "progressive")
    assert video["frame_rate"]["declared"] == "25"
    assert video["frame_rate"]["measured"] == pytest.approx(25, abs=0.01)
    assert video["bit_rate_bps"] > 10_000
    assert (audio["codec"], audio["channels"], audio["sample_rate_hz"]) == ("aac", 1, 48_000)
    assert audio["sample_peak_dbfs"][0] == pytest.approx(-18, abs=1)


def test_the_table_names_what_a_person_asks_for(clips: Clips) -> None:
    output = run(str(clips.both(seconds=4))).output
    for words in (
        "320×180",
        "h264",
        "progressive",
        "25.000 ±",
        "1 picture",
        "2 sound",
        "1 channel at 48000 Hz",
        "kb/s",
    ):
        assert words in output


def test_a_feed_with_a_password_is_probed_without_showing_it() -> None:
    with RtspServer("viewer", "right-horse") as server:
        address = server.address.replace("://", "://viewer:right-horse@")
        result = run(address, "--format", "json")
    assert result.exit_code == 0
    assert "horse" not in result.output
    found = json.loads(result.output)
    assert {stream["kind"] for stream in found["streams"]} == {"audio", "video"}
    video = next(stream for stream in found["streams"] if stream["kind"] == "video")
    rate = video["frame_rate"]
    assert abs(rate["measured"] - 25) < rate["error"] + 0.5


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("no-such-file.mov", "no such file"),
        ("rtsp://127.0.0.1:9/x", "nothing listens"),
        ("file:///etc/passwd", "not an allowed media address"),
        ("concat:a|b", "not an allowed media address"),
        ("rtsp://user:horse@", "no host"),
    ],
)
def test_nothing_there_is_one_line_and_status_2(address: str, words: str) -> None:
    result = run(address)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert "horse" not in result.stderr


def test_an_address_may_be_read_from_a_file_so_that_no_process_list_has_it(tmp_path: Path) -> None:
    file = tmp_path / "camera.txt"
    file.write_text("rtsp://viewer:horse@127.0.0.1:9/x\n")
    result = run("--address-file", str(file))
    assert result.exit_code == 2
    assert "nothing listens" in result.stderr
    assert "horse" not in result.stderr


def test_an_address_may_come_by_standard_input() -> None:
    result = CliRunner().invoke(
        command, ["--address-file", "-"], input="rtmp://127.0.0.1:9/a/horse\n"
    )
    assert "nothing listens" in result.stderr
    assert "horse" not in result.stderr


@pytest.mark.parametrize("arguments", [(), ("a.mov", "--address-file", "-")])
def test_an_address_comes_from_one_place(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "expected one ADDRESS_OR_FILE" in result.stderr


def test_what_cannot_listen_is_refused_with_what_can() -> None:
    result = run("udp://127.0.0.1:9", "--listen")
    assert result.exit_code == 2
    assert "rtmp://" in result.stderr


def test_random_bytes_are_nothing(tmp_path: Path) -> None:
    path = tmp_path / "random.mov"
    path.write_bytes(bytes(range(256)) * 40)
    assert run(str(path)).exit_code == 2
