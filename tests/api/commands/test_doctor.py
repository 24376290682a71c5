import http.server
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.commands import doctor


@contextmanager
def _answering(body: bytes) -> Iterator[int]:
    """A real web server on a free port that gives one answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            pass

    server = http.server.ThreadingHTTPServer((doctor.LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind((doctor.LOOPBACK, 0))
        return int(trial.getsockname()[1])


def test_old_python_is_broken_and_the_oldest_supported_is_not() -> None:
    assert doctor.python_finding((3, 10, 14)).state == "broken"
    assert doctor.python_finding((3, 11, 0)).state == "ok"


def test_ffmpegs_libraries_are_named_with_their_versions() -> None:
    finding = doctor.media_finding()
    assert finding.state == "ok"
    assert "libavcodec" in finding.found


def test_portaudio_that_is_there_is_named_with_its_inputs() -> None:
    finding = doctor.sound_finding()
    assert finding.state == "ok", finding
    assert finding.found.startswith("PortAudio V19")
    assert finding.found.endswith("sound inputs")


def test_portaudio_that_is_missing_limits_and_names_the_package(tmp_path: Path) -> None:
    # A Python without the environment's packages has no sounddevice either.
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    finding = doctor.sound_finding(str(bare / "bin" / "python"))
    assert finding.state == "limited"
    assert "libportaudio2" in finding.advice


def test_a_single_core_is_a_limit() -> None:
    assert doctor.cores_finding(1).state == "limited"
    assert doctor.cores_finding(2).state == "ok"


def test_a_data_folder_that_does_not_exist_yet_is_judged_by_its_parent(tmp_path: Path) -> None:
    finding = doctor.disk_finding(tmp_path / "not" / "yet")
    assert finding.state in {"ok", "limited"}
    assert "GiB free" in finding.found


def test_a_free_port_is_free_and_a_taken_one_is_broken_unless_it_is_ours() -> None:
    port = _free_port()
    assert doctor.port_finding(port).found == "free"
    with _answering(b"something else") as taken:
        finding = doctor.port_finding(taken)
        assert finding.state == "broken"
        assert f"--port {taken + 1}" in finding.advice
    with _answering(b'{"status": "ok"}') as ours:
        assert doctor.port_finding(ours).found == "Takewatch is running here"


def test_a_page_that_was_not_built_is_broken(tmp_path: Path) -> None:
    assert doctor.page_finding(tmp_path).state == "broken"
    (tmp_path / "index.html").write_text("<title>Takewatch</title>")
    assert doctor.page_finding(tmp_path).state == "ok"


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_finding_is_shown_and_the_exit_code_says_whether_it_can_run(
    form: str, tmp_path: Path
) -> None:
    arguments = ["--port", str(_free_port()), "--folder", str(tmp_path), "--format", form]
    result = CliRunner().invoke(doctor.command, arguments)
    for what in ("Python", "FFmpeg", "PortAudio", "Processor", "Data folder", "Clock", "Page"):
        assert what in result.output
    broken = "BROKEN" in result.output or '"broken"' in result.output
    assert result.exit_code == int(broken)
    if form == "json":
        assert json.loads(result.output)["works"] is not broken


@pytest.mark.parametrize(
    ("library", "ffmpeg", "state", "words"),
    [
        (True, None, "ok", "libsrt"),
        (False, "/opt/ffmpeg", "limited", "/opt/ffmpeg"),
        (False, None, "limited", "nothing"),
    ],
)
def test_srt_is_received_by_its_library_else_by_ffmpeg_else_the_package_is_named(
    library: bool, ffmpeg: str | None, state: str, words: str
) -> None:
    finding = doctor.srt_finding(library, ffmpeg)
    assert finding.state == state
    assert words in finding.found
    assert library or "srt-tools" in finding.advice
