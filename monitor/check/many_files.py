"""Check several files at a time, each in a process that may crash without taking others along.

Native decoders crash on hostile files; a checker process that dies or hangs makes its own file
unreadable and is replaced. Nothing here measures: ``one_file`` does, inside the processes.
"""

import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from capture.wav import read_wav_header
from monitor.check import processes

if TYPE_CHECKING:
    from config.spec import Spec, Stage
    from monitor.report.document import CheckDocument

HANG_S = 120.0
"""A checker that says nothing for so long hangs: a step of 0.1 s of 8K takes under 10 s here."""
TELL_S = 0.1  # between two words of progress: smooth to the eye, nothing to the machine
HALVED_FROM_S = 60.0  # of sound, 0.25 s of measuring: starting a second process takes 0.03 s
THREADS_LIMIT = 16  # that decode one file's pictures, each with some of its own: as FFmpeg's
STOP_S = 2.0  # for a checker to end by itself once its pipe is closed

Progress = Callable[[int, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What files are judged by."""

    spec: "Spec | None"
    spec_name: str | None
    stage: "Stage"


@dataclass(slots=True)
class _Checker:
    """A process, the pipe to it, and the file it works on; of a long file the one beside it."""

    process: BaseProcess
    other: BaseProcess | None
    pipe: Connection
    index: int
    heard_s: float


def check_files(
    paths: Sequence[Path], judge: Judge, jobs: int, progress: Progress
) -> "list[CheckDocument]":
    """Return the documents of all files in their order; ``progress`` hears of each by its index.

    At most ``jobs`` processes read at a time. While there are fewer files than that, long WAV files
    have two and pictures are decoded in several threads.
    """
    processes.warm_up()
    import monitor.report.document  # noqa: F401  in the meantime

    waiting = deque(range(len(paths)))
    found: dict[int, CheckDocument] = {}
    with _checkers() as busy:
        spare = jobs - len(paths)
        threads = decoding_threads(jobs, len(paths))
        for _ in range(min(jobs, len(paths))):
            halved = spare > 0 and is_halved(paths[waiting[0]])
            spare -= halved
            busy.append(_begin(judge, paths, waiting.popleft(), threads, halved=halved))
        while busy:
            for checker in _ready(busy):
                document = _hear(checker, paths[checker.index], judge, progress)
                if document is None:
                    continue
                found[checker.index] = document
                progress(checker.index, 1.0)
                _next(judge, paths, waiting, busy, checker, threads)
    return [found[index] for index in range(len(paths))]


@contextmanager
def _checkers() -> "Iterator[list[_Checker]]":
    """Hold the running checkers, and end every one of them however this is left."""
    busy: list[_Checker] = []
    try:
        yield busy
    except BaseException:
        for checker in busy:
            _kill(checker)
        raise
    finally:
        for checker in busy:
            _dismiss(checker)


def decoding_threads(jobs: int, files: int) -> int:
    """Return how many threads decode a file's pictures: one more than it has cores, as FFmpeg.

    While its measuring takes a core, the others decode. One thread is cheapest where each core has
    a file of its own.
    """
    cores = jobs // max(1, files)
    return min(cores + 1, THREADS_LIMIT) if cores > 1 else 1


def is_halved(path: Path) -> bool:
    """Say whether a file is worth two processes: decoding twice is cheap, and it is long."""
    try:
        header = read_wav_header(path) if path.is_file() else None
    except OSError:
        return False
    return header is not None and header.is_pcm and header.length_s >= HALVED_FROM_S


def _begin(
    judge: Judge, paths: Sequence[Path], index: int, threads: int, *, halved: bool = False
) -> _Checker:
    ours, theirs = processes.pipe()
    receiver, sender = processes.pipe() if halved else (None, None)
    process = processes.start(_work, theirs, judge, receiver, threads)
    other = None
    if receiver is not None and sender is not None:
        other = processes.start(_work_beside, sender, judge, os.fsencode(paths[index]))
        receiver.close()
        sender.close()
    theirs.close()
    checker = _Checker(process, other, ours, index, time.monotonic())
    _give(checker, paths[index])
    return checker


def _give(checker: _Checker, path: Path) -> None:
    checker.heard_s = time.monotonic()
    with suppress(OSError):  # it has died: hearing its end of file says so
        checker.pipe.send(os.fsencode(path))


def _next(
    judge: Judge,
    paths: Sequence[Path],
    waiting: deque[int],
    busy: list[_Checker],
    checker: _Checker,
    threads: int,
) -> None:
    """Give a checker that is done its next file; replace one that died; send one home."""
    if waiting and checker.process.is_alive() and not checker.pipe.closed:
        checker.index = waiting.popleft()
        _give(checker, paths[checker.index])
        return
    busy.remove(checker)
    _dismiss(checker)
    if waiting:
        busy.append(_begin(judge, paths, waiting.popleft(), threads))


def _dismiss(checker: _Checker) -> None:
    checker.pipe.close()
    for process in _processes(checker):
        process.join(STOP_S)
        if process.is_alive():
            process.kill()
            process.join()


def _kill(checker: _Checker) -> None:
    for process in _processes(checker):
        process.kill()


def _processes(checker: _Checker) -> list[BaseProcess]:
    return [checker.process] if checker.other is None else [checker.process, checker.other]


def _ready(busy: Sequence[_Checker]) -> list[_Checker]:
    """Return the checkers that said something, died or hang."""
    oldest_s = min(checker.heard_s for checker in busy)
    heard = wait([one.pipe for one in busy], max(0.0, oldest_s + HANG_S - time.monotonic()))
    now_s = time.monotonic()
    return [one for one in busy if one.pipe in heard or now_s - one.heard_s >= HANG_S]


def _hear(
    checker: _Checker, path: Path, judge: Judge, progress: Progress
) -> "CheckDocument | None":
    """Take what a checker said; return the document when its file is done."""
    from monitor.report.document import CheckDocument

    if not checker.pipe.poll():
        return _given_up(checker, path, judge, f"gave no sign for {HANG_S:g} s")
    try:
        said = checker.pipe.recv()
    except (EOFError, OSError):
        checker.process.join(STOP_S)
        return _given_up(checker, path, judge, _end_of(checker.process))
    checker.heard_s = time.monotonic()
    if isinstance(said, CheckDocument):
        return said
    progress(checker.index, float(said))
    return None


def _given_up(checker: _Checker, path: Path, judge: Judge, why: str) -> "CheckDocument":
    from monitor.check.one_file import unreadable

    _kill(checker)
    checker.pipe.close()
    error = f"the process measuring this file {why}; the file may be damaged"
    return unreadable(path, judge.spec_name, judge.stage, error)


def _end_of(process: BaseProcess) -> str:
    """Say in words how a process ended."""
    code = process.exitcode
    if code is not None and code < 0:
        with suppress(ValueError):
            return f"crashed ({signal.Signals(-code).name})"
    return f"ended with status {code}" if code is not None else "closed its pipe"


# ---- inside the process


def _work(pipe: Connection, judge: Judge, other: Connection | None, threads: int) -> None:
    """Check one path after another until the pipe is closed; ``other``: half of the first one."""
    from monitor.check.halves import Half, shares
    from monitor.check.one_file import check_file

    half = None if other is None else Half(other, shares()[0])
    with suppress(EOFError, OSError):
        while True:
            path = Path(os.fsdecode(pipe.recv()))
            tell = _Teller(pipe).tell
            judged = (judge.spec, judge.spec_name, judge.stage)
            pipe.send(check_file(path, *judged, tell, half, threads))
            half = None


def _work_beside(pipe: Connection, judge: Judge, path: bytes) -> None:
    """Measure half of a file for the process that checks it, which says what is wrong with it."""
    from capture.source import SourceError
    from monitor.check.halves import measure_half, shares

    with suppress(SourceError, OSError):
        measure_half(pipe, Path(os.fsdecode(path)), judge.spec, judge.stage, shares()[1])


class _Teller:
    """Passes progress on, at most every ``TELL_S``."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._told_s = 0.0

    def tell(self, fraction: float) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= TELL_S:
            self._told_s = now_s
            self._pipe.send(fraction)
