"""Workers as real processes: started, spoken to, and awaited line by line with a bound."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType

from monitor.lines import Credit, InLine, Open, OutLine, decode_out, encode

PATIENCE_S = 30.0  # a loaded machine starts a worker in several seconds


def opening(kind: str, **options: object) -> Open:
    """Return the first line for a source ``it`` of one kind."""
    return Open(source={"id": "it", "kind": kind, "name": "It", **options})


class Worker:
    """One worker process; ``lines`` holds everything it has said so far."""

    def __init__(
        self, *first: InLine, env: dict[str, str] | None = None, before: str | None = None
    ) -> None:
        """Start it; ``before`` is Python that its process runs first."""
        run = "import runpy; runpy.run_module('monitor.worker', run_name='__main__')"
        self.process = subprocess.Popen(
            [
                sys.executable,
                *(("-m", "monitor.worker") if before is None else ("-c", f"{before}\n{run}")),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
        )
        self.lines: list[OutLine] = []
        self.arrived_ns: list[int] = []
        self._queue: queue.Queue[tuple[bytes, int] | None] = queue.Queue()
        self._reading = threading.Event()
        self._reading.set()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        for line in first:
            self.send(line)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self._queue.put((text, time.monotonic_ns()))
        self._queue.put(None)

    def send(self, line: InLine) -> None:
        """Write one line to it."""
        self.write(encode(line))

    def write(self, text: bytes) -> None:
        """Write bytes to it."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end_input(self) -> None:
        """Close its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def until(
        self, wanted: Callable[[OutLine], bool], within_s: float = PATIENCE_S, credit: bool = False
    ) -> OutLine:
        """Return the first line from now on that is wanted. Raises ``AssertionError`` without."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                found = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no such line within {within_s} s: {self.tail()}") from None
            assert found is not None, f"the worker ended first: {self.tail()}"
            line = decode_out(found[0])
            self.lines.append(line)
            self.arrived_ns.append(found[1])
            if credit and line.line == "reading":
                self.send(Credit(readings=1))
            if wanted(line):
                return line

    def rest(self, within_s: float = PATIENCE_S) -> list[OutLine]:
        """Return what it says until its end."""
        found: list[OutLine] = []
        deadline = time.monotonic() + within_s
        while (item := self._queue.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
            found.append(decode_out(item[0]))
        self.lines += found
        return found

    def tail(self) -> Iterable[str]:
        """Return its last lines, for a failed test's words."""
        return [line.model_dump_json()[:160] for line in self.lines[-3:]]

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """Return its exit status."""
        return self.process.wait(within_s)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._thread.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue


def is_live(line: OutLine) -> bool:
    """Say whether a line tells that the source is live."""
    return line.line == "state" and line.state == "live"


def is_a(word: str) -> Callable[[OutLine], bool]:
    """Return a test for lines of one kind."""
    return lambda line: line.line == word
