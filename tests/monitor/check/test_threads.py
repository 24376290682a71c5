"""A file whose pictures several threads decode has the document of one."""

from pathlib import Path

import pytest

from monitor.check.many_files import THREADS_LIMIT, decoding_threads
from monitor.check.one_file import check_file
from monitor.report.document import CheckDocument
from tests.rigs.clips import Clips

FAULTS = (
    "noise=alls=8:allf=t,"
    "drawbox=color=black:t=fill:enable='between(n,48,56)',"  # black over a key frame
    "eq=brightness=0.6:enable='between(n,95,130)',"
    "loop=loop=300:size=1:start=140,"
    "select='not(between(n,468,471))'"
)
CODER = ("-c:v", "libx264", "-preset", "medium", "-bf", "3", "-g", "50")


@pytest.fixture
def faulty(clips: Clips) -> Path:
    """Return 20 s with faults across key frames: black, too bright, frozen, pictures missing."""
    coder = (*CODER, "-fps_mode", "passthrough")
    return clips.picture(frames=516, size="160x96", filters=FAULTS, codec=coder)


def document(path: Path, threads: int) -> CheckDocument:
    return check_file(path, None, None, "recording", threads=threads)


def test_three_threads_give_the_document_of_one(faulty: Path) -> None:
    alone = document(faulty, 1)
    assert {"video.black", "video.freeze", "video.frames_dropped"} <= {
        alert.rule for alert in alone.alerts
    }
    for threads in (2, 3):
        assert document(faulty, threads).model_dump() == alone.model_dump()


def test_a_damaged_file_is_judged_by_what_one_thread_sees(faulty: Path, tmp_path: Path) -> None:
    data = bytearray(faulty.read_bytes())
    for at in range(len(data) // 4, len(data) // 2, len(data) // 40):
        data[at : at + 200] = bytes(200)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    alone = document(path, 1)
    assert any(alert.rule in ("source.gap", "video.block_loss") for alert in alone.alerts)
    assert document(path, 3).model_dump() == alone.model_dump()


def test_a_file_that_ends_early_is_judged_the_same(faulty: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.mkv"
    path.write_bytes(faulty.read_bytes()[:-20_000])
    assert document(path, 3).model_dump() == document(path, 1).model_dump()


def test_two_pictures_are_judged_the_same(clips: Clips) -> None:
    path = clips.picture(frames=2, codec=CODER)
    assert document(path, 3).model_dump() == document(path, 1).model_dump()


def test_threads_are_for_cores_that_have_no_file_of_their_own() -> None:
    assert decoding_threads(jobs=2, files=1) == 3
    assert decoding_threads(jobs=2, files=2) == 1
    assert decoding_threads(jobs=1, files=1) == 1
    assert decoding_threads(jobs=8, files=3) == 3
    assert decoding_threads(jobs=64, files=1) == THREADS_LIMIT
