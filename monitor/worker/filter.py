"""The worker: a plain filter that watches one source, JSON lines in, JSON lines out.

Run by hand::

    echo '{"line":"open","source":{"id":"demo","kind":"synthetic","name":"Demo"}}' \
        | (cat; sleep 5) | python -m monitor.worker | jq

The schema is ``monitor/lines.py``; logs go to standard error. End of input means exit. Until the
first ``credit`` line readings flow as fast as the pipe is read, at most 25 a second; after it,
only as many as were granted.

Exit status: 0 asked to (``close``, end of input), 2 misuse (the first line is no valid ``open``),
3 the source ended, 4 it was lost, 5 it did not open, 6 stuck in native code.

The real standard output is kept aside and descriptor 1 points at standard error, so that nothing
a native library prints can corrupt a line.
"""

import argparse
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

from monitor.lines import (
    LINE_LIMIT_BYTES,
    InLine,
    Open,
    SourceState,
    State,
    decode_in,
    encode,
)

if TYPE_CHECKING:
    from monitor.worker.handover import HandOver

EXIT_MISUSE: Final = 2
EXIT_STUCK: Final = 6
LAST_WORD_S = 0.2
END_OF_INPUT_GRACE_S = 1.5  # closing a source takes less; then the process goes anyway
PR_SET_PDEATHSIG = 1
ONE_THREAD_LIBRARIES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def keep_stdout() -> int:
    """Return a descriptor of the real standard output; descriptor 1 is standard error from now."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return kept


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere end of input must do."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class LineReader:
    """Whole lines from a descriptor; lines over the limit are left out."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._rest = b""
        self._skipping = False

    def lines(self) -> list[bytes] | None:
        """Wait for more and return the lines that are complete, or None at the end."""
        chunk = os.read(self._fd, 65_536)
        if not chunk:
            return None
        *whole, self._rest = (self._rest + chunk).split(b"\n")
        if self._skipping and whole:
            whole, self._skipping = whole[1:], False
        if len(self._rest) > LINE_LIMIT_BYTES:
            self._rest, self._skipping = b"", True
        return [line for line in whole if line.strip()]


def log(text: str) -> None:
    """Write one line to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def first_line(reader: LineReader) -> tuple[Open | None, list[bytes]]:
    """Return the ``open`` line, or None where the first line is not one, and what followed it."""
    while (found := reader.lines()) is not None:
        if not found:
            continue
        try:
            line = decode_in(found[0])
        except ValueError as fault:
            log(f"worker: first line is not a valid open: {fault}")
            return None, []
        if isinstance(line, Open):
            return line, found[1:]
        log(f"worker: first line must be open, found {line.line}")
        return None, []
    return None, []


def listen(reader: LineReader, first: list[bytes], door: "HandOver") -> None:
    """Hand commands over until the input ends, then see to it that the process ends too."""
    found: list[bytes] | None = first
    while found is not None:
        for text in found:
            line = _parse(text)
            if line is not None and not door.command(line):
                log("worker: more commands than can wait, one left out")
        found = reader.lines()
    door.end_of_input()
    time.sleep(END_OF_INPUT_GRACE_S)
    os._exit(0)


def _parse(text: bytes) -> InLine | None:
    try:
        return decode_in(text)
    except ValueError:
        log(f"worker: not a command: {text[:80]!r}")
        return None


def state(source: str, word: SourceState, why: str | None) -> State:
    """Return a state line of now."""
    return State(source=source, state=word, why=why, t_mono_ns=time.monotonic_ns())


def work(opening: Open, reader: LineReader, rest: list[bytes], fd: int, node: str) -> int:
    """Watch the source until it or the input ends; return the exit status."""
    name = str(opening.source.get("id", ""))
    os.write(fd, encode(state(name, "starting", None)))  # at once: the imports take a second
    import cv2

    from monitor.worker import measuring as body
    from monitor.worker import watchdog
    from monitor.worker.handover import HandOver
    from monitor.worker.outbox import Outbox

    cv2.setNumThreads(1)  # processes share the cores among each other
    door, outbox = HandOver(), Outbox(fd)
    threading.Thread(target=listen, args=(reader, rest, door), name="stdin", daemon=True).start()
    try:
        measuring = body.Measuring(opening, door, outbox, node)
    except ValueError as fault:
        log(f"{name}: {fault}")
        outbox.put(state(name, "lost", str(fault)))
        outbox.flush(1.0)
        return EXIT_MISUSE

    def give_up(why: str) -> None:
        log(f"{name}: {why}")
        outbox.last_word(state(name, "lost", why), LAST_WORD_S)
        os._exit(EXIT_STUCK)

    watchdog.watch(measuring, give_up)
    return measuring.run()


def main() -> int:
    """Run the worker on this process's standard streams."""
    parser = argparse.ArgumentParser(prog="python -m monitor.worker", description=__doc__)
    parser.add_argument("--node", default=socket.gethostname(), help="this machine's name")
    parser.add_argument("--die-with-parent", action="store_true", help="Linux only")
    options = parser.parse_args()
    if options.die_with_parent:
        die_with_parent()
    fd = keep_stdout()
    for variable in ONE_THREAD_LIBRARIES:
        os.environ.setdefault(variable, "1")
    reader = LineReader(0)
    opening, rest = first_line(reader)
    if opening is None:
        return EXIT_MISUSE
    return work(opening, reader, rest, fd, options.node)
