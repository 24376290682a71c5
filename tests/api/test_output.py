"""Reports on their way out: whole or not at all, and a full disk is told, never a verdict."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli import MISUSE
from api.output import Misuse, put
from tests.monitor.check.sound_files import sine, write_pcm24

LIMIT_BYTES = 4096
PUT = f"""
import resource
from pathlib import Path
from api.output import Misuse, put
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT_BYTES}, {LIMIT_BYTES}))
try:
    put("x" * {2 * LIMIT_BYTES}, Path("report.html"))
except Misuse as error:
    error.show()
    raise SystemExit(error.exit_code) from None
"""


def test_a_disk_that_fills_up_leaves_the_report_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("yesterday's")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(
        [sys.executable, "-B", "-c", PUT], cwd=tmp_path, env=environment, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == MISUSE
    assert ran.stderr == "Error: report.html cannot be written: File too large\n"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "yesterday's"


def test_a_verdict_that_could_not_be_printed_is_misuse_and_never_a_pass(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    write_pcm24(tmp_path / "sine.wav", sine(1))
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "api", "check", "sine.wav"], cwd=tmp_path, env=environment,
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert ran.returncode == MISUSE
    assert ran.stderr == "Error: standard output cannot be written: No space left on device\n"


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    put("new", link)
    assert (target.read_text(), link.is_symlink()) == ("new", True)
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        put("through", pipe)
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="cannot be written: No such file or directory"):
        put("x", tmp_path / "gone" / "report.html")
