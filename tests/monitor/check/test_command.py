"""``takewatch check`` as a process: exit status, streams, order, formats, crashes."""

import csv
import io
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from click.testing import CliRunner

from api.commands.check import STAGES, command
from config.spec import Stage
from monitor.check.many_files import Judge, check_files
from monitor.report.document import CheckDocument
from tests.monitor.check.conftest import Takewatch, environment
from tests.monitor.check.sound_files import RATE, clipped, sine, write_pcm24, write_silence

JUDGE = Judge(spec=None, spec_name=None, stage="recording")


def test_a_conforming_file_ends_with_0(tmp_path: Path, takewatch: Takewatch) -> None:
    write_pcm24(tmp_path / "sine.wav", sine(20))
    ran = takewatch("check", "--spec", "tv-25p-hd", "--format", "json", "sine.wav")
    (document,) = ran.documents
    assert (ran.status, document["verdict"], document["file"]) == (0, "pass", "sine.wav")
    assert document["audio"][0]["loudness"]["integrated_lufs"] == pytest.approx(-23.0, abs=0.1)
    assert ran.err == ""


def test_clipping_ends_with_1(tmp_path: Path, takewatch: Takewatch) -> None:
    starts = (RATE, RATE + 4800, RATE + 9600)
    write_pcm24(tmp_path / "clip.wav", clipped(sine(4), 0, starts))
    ran = takewatch("check", "clip.wav")
    assert ran.status == 1
    assert "audio.clipping" in ran.out
    assert "FAIL" in ran.out


def test_rubbish_ends_with_2_and_the_others_are_still_checked_in_order(
    tmp_path: Path, takewatch: Takewatch
) -> None:
    (tmp_path / "random.bin").write_bytes(np.random.default_rng(1).bytes(100_000))
    (tmp_path / "empty.wav").touch()
    write_pcm24(tmp_path / "clip.wav", clipped(sine(3), 0, (RATE, RATE + 4800, RATE + 9600)))
    write_pcm24(tmp_path / "sine.wav", sine(3))
    names = ["random.bin", "clip.wav", "empty.wav", "sine.wav"]
    ran = takewatch("check", "--format", "json", "--jobs", "2", *names)
    assert ran.status == 2
    assert [document["file"] for document in ran.documents] == names
    assert [document["verdict"] for document in ran.documents] == [
        "unreadable", "fail", "unreadable", "pass",
    ]  # fmt: skip
    told = ran.err.splitlines()
    assert [line.partition(":")[0] for line in told] == ["random.bin", "empty.wav"]


def test_names_in_any_script_and_hostile_ones_come_through(
    tmp_path: Path, takewatch: Takewatch
) -> None:
    names = ["Zoë Šůrka 場面.wav", "=cmd|' calc'!A0.wav", "a\nb\x1b[2J.wav", "-dash.wav"]
    for name in names:
        write_pcm24(tmp_path / name, sine(1))
    raw = b"latin-\xe9.wav"
    (tmp_path / os.fsdecode(raw)).write_bytes((tmp_path / names[0]).read_bytes())
    ran = takewatch("check", "--format", "json", "--", *names, raw)
    assert [document["file"] for document in ran.documents] == [*names, "latin-\\xe9.wav"]
    assert {document["verdict"] for document in ran.documents} == {"pass"}
    shown = takewatch("check", "--", *names)
    assert "\x1b" not in shown.out
    table = takewatch("check", "--format", "csv", "--", *names).out
    files = [row["file"] for row in csv.DictReader(io.StringIO(table, newline=""))]
    assert "'" + names[1] in files
    assert "'" + names[3] in files


def test_a_page_goes_to_its_file_and_nothing_to_the_terminal(
    tmp_path: Path, takewatch: Takewatch
) -> None:
    write_pcm24(tmp_path / "sine.wav", sine(2))
    ran = takewatch("check", "--format", "html", "--output", "page.html", "sine.wav")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    page = (tmp_path / "page.html").read_text()
    assert "sine.wav" in page
    assert "<svg" in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "sine.wav"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["Missing argument"]),
        (["--format", "jsno"], ["'jsno'", "text, json, html, csv", "did you mean json?"]),
        (["--format", "pdf"], ["'pdf'", "text, json, html, csv"]),
        (["--stage", "recordin"], ["did you mean recording?"]),
        (["--spec", "tv-25p-hb"], ["tv-25p-hb", "tv-25p-hd"]),
        (["--output", "no/such/folder/x.json"], ["no folder"]),
        (["--jobs", "0"], ["0"]),
    ],
)
def test_misuse_ends_with_2_and_says_what_was_expected(
    arguments: list[str], words: list[str]
) -> None:
    result = CliRunner().invoke(command, [*arguments, "x.wav"] if arguments else [])
    assert result.exit_code == 2
    for word in words:
        assert word in result.output


def test_the_stages_offered_are_those_a_spec_has() -> None:
    assert get_args(Stage) == STAGES


def test_an_original_is_never_the_output(tmp_path: Path) -> None:
    path = write_pcm24(tmp_path / "sine.wav", sine(1))
    (tmp_path / "link.wav").symlink_to(path)
    before = path.read_bytes()
    for output in (path, tmp_path / "link.wav"):
        result = CliRunner().invoke(command, [str(path), "--output", str(output)])
        assert result.exit_code == 2
        assert "never written to" in result.output
    assert path.read_bytes() == before


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    write_pcm24(tmp_path / "sine.wav", sine(1))
    child = subprocess.Popen(
        [sys.executable, "-m", "api", "check", *["sine.wav"] * 2],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(),
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert child.wait(60) == 0
    assert child.stderr.read() == b""
    child.stderr.close()


@pytest.mark.parametrize(("files", "seconds"), [(20, 50), (1, 1200)], ids=["many", "divided"])
def test_ctrl_c_leaves_no_file_no_trace_and_no_process(
    tmp_path: Path, files: int, seconds: int
) -> None:
    write_silence(tmp_path / "long.wav", seconds)
    names = ["long.wav"] * files
    child = subprocess.Popen(
        [sys.executable, "-m", "api", "check", "--output", "out.txt", *names],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(),
        start_new_session=True,
    )  # fmt: skip
    await_children(child.pid)
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert (out, err) == (b"", b"interrupted; nothing was written\n")
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]
    await_empty_group(child.pid)


def await_children(pid: int) -> None:
    """Wait until a process of the group that ``pid`` leads has opened the sound file."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for task in Path("/proc").glob("[0-9]*"):
            try:
                group = os.getpgid(int(task.name))
                files = [str(link.readlink()) for link in (task / "fd").iterdir()]
            except (OSError, ValueError):
                continue
            if group == pid and any(name.endswith("long.wav") for name in files):
                return
    raise AssertionError("no checker opened the file in 30 s")


def await_empty_group(group: int) -> None:
    """Wait until no process of a group runs; what nobody has buried does not run."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not any(stat[2] == str(group) and stat[0] != "Z" for stat in process_states()):
            return
    raise AssertionError("a process outlived Ctrl-C by 20 s")


def process_states() -> list[list[str]]:
    """Return state, parent and group of every process."""
    found = []
    for task in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found.append((task / "stat").read_text().rpartition(")")[2].split()[:3])
    return found


class Killer:
    """Progress that kills the process checking one file, as a crashing decoder would."""

    def __init__(self, victim: int, number: int) -> None:
        self.victim, self.number, self.done = victim, number, False

    def __call__(self, index: int, fraction: float) -> None:
        if index == self.victim and not self.done and fraction < 1.0:
            self.done = True
            for pid in descendants_of(os.getpid()):
                if b"long.wav" in open_files(pid):
                    os.kill(pid, self.number)


def descendants_of(pid: int) -> list[int]:
    """Return children and theirs: a checker's parent is the server that has it all imported."""
    words = [task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    children = [int(word) for word in " ".join(words).split()]
    return [*children, *(one for child in children for one in descendants_of(child))]


def open_files(pid: int) -> bytes:
    links = Path(f"/proc/{pid}/fd").iterdir()
    return b" ".join(os.fsencode(str(link.readlink())) for link in links)


def test_a_decoder_that_crashes_takes_only_its_own_file_along(tmp_path: Path) -> None:
    crashing = write_pcm24(tmp_path / "long.wav", np.tile(sine(10), (6, 1)))
    good = write_pcm24(tmp_path / "good.wav", sine(2))
    paths = [crashing, good, good]
    documents: list[CheckDocument] = check_files(paths, JUDGE, 1, Killer(0, signal.SIGSEGV))
    assert [document.verdict for document in documents] == ["unreadable", "pass", "pass"]
    assert documents[0].error is not None
    assert "crashed (SIGSEGV)" in documents[0].error
