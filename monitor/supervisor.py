"""The supervisor: one worker process a source; it starts, watches, kills and restarts them.

The one place that knows of retry. A worker that is silent for ``stall_s``, that talks garbage or
dies is reported as ``State(state="lost")`` here, killed, and started again after a bounded
exponential backoff with jitter. A source that came to its proper end is not started again.
Everything runs on the event loop of whoever called ``start``.
"""

import asyncio
import contextlib
import logging
import random
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from config.settings import SourceSettings
from monitor.lines import (
    READINGS_IN_FLIGHT,
    Baseline,
    Close,
    Credit,
    InLine,
    Limits,
    Open,
    OutLine,
    Reading,
    SourceState,
    Splitter,
    State,
    decode_out,
    encode,
)

log = logging.getLogger(__name__)

STALL_S = 1.0  # a worker's heartbeat comes every 0.25 s
START_LIMIT_S = 25.0  # until its first hello: imports, and a stream's own opening time-outs
STOP_LIMIT_S = 1.0  # to close by itself; then it is killed, so that Ctrl-C ends all within 2 s
CHUNK_BYTES = 64 * 1024
STDIN_LIMIT_BYTES = 64 * 1024  # commands unread by a worker: it hangs, silence will find it
GARBAGE_LIMIT = 20  # lines that are none, within GARBAGE_WINDOW_S
GARBAGE_WINDOW_S = 10.0
GARBAGE_QUOTED = 80  # bytes of it quoted in words
FIRST_BACKOFF_S = 0.25
BACKOFF_LIMIT_S = 15.0  # a source plugged in again is back within this and its opening time
BACKOFF_FACTOR = 2.0
STABLE_S = 20.0  # live for this long: the next fault starts from the first backoff again
EPOCH_ZERO_UTC_S = 1_767_225_600  # 2026-01-01: first epochs count seconds from here
EXIT_ENDED = 3

Deliver = Callable[[OutLine, int], None]


def backoff_s(failures: int, jitter: float) -> float:
    """Return how long to wait before the next start; ``jitter`` from 0 to 1 shortens by a third.

    So that sources lost together, as on a pulled switch, do not come back in step.
    """
    grown = FIRST_BACKOFF_S * BACKOFF_FACTOR ** min(failures, 32)
    return min(grown, BACKOFF_LIMIT_S) * (1 - jitter / 3)


def first_epoch() -> int:
    """Return an epoch number no earlier run of the service used: seconds since 2026."""
    return max(0, int(time.time()) - EPOCH_ZERO_UTC_S)


def command(node: str) -> list[str]:
    """Return the command that starts a worker."""
    return [sys.executable, "-m", "monitor.worker", "--node", node, "--die-with-parent"]


@dataclass(slots=True)
class _Session:
    """One life of one worker."""

    process: Process
    started_s: float
    heard_s: float
    splitter: Splitter = field(default_factory=Splitter)
    greeted: bool = False
    live_since_s: float | None = None
    state: SourceState = "starting"
    why: str | None = None
    garbage: int = 0
    garbage_since_s: float = 0.0
    killed: str | None = None


class _Ward:
    """One source and whoever watches it at the moment."""

    def __init__(
        self,
        settings: SourceSettings,
        deliver: Deliver,
        limits: Mapping[str, object],
        arguments: Sequence[str],
        jitter: Callable[[], float],
    ) -> None:
        self.settings = settings
        self._deliver = deliver
        self._limits = dict(limits)
        self._baseline = Baseline(baseline={})
        self._arguments = list(arguments)
        self._jitter = jitter
        self._epoch = first_epoch()
        self._failures = 0
        self._session: _Session | None = None
        self._stopping = False
        self.garbage = 0
        self.restarts = 0
        self.unsent = 0

    @property
    def stall_s(self) -> float:
        return self.settings.stall_s or STALL_S

    @property
    def pid(self) -> int | None:
        return None if self._session is None else self._session.process.pid

    # the life of it

    async def run(self) -> None:
        """Keep a worker alive until the source ends or ``stop`` is called."""
        while not self._stopping:
            ended = await self._live_once()
            if ended or self._stopping:
                return
            wait_s = backoff_s(self._failures, self._jitter())
            self._failures += 1
            self.restarts += 1
            await asyncio.sleep(wait_s)

    async def _live_once(self) -> bool:
        """Run one worker to its end; True when its source ended properly."""
        session = await self._start()
        if session is None:
            return False
        watch = asyncio.create_task(self._watch(session))
        try:
            await self._pump(session)
            status = await session.process.wait()
        finally:
            watch.cancel()
            self._kill(session)
            await session.process.wait()
            self._session = None
        if session.live_since_s is not None and _now_s() - session.live_since_s > STABLE_S:
            self._failures = 0
        return self._report_end(session, status)

    async def _start(self) -> _Session | None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._arguments,
                stdin=PIPE,
                stdout=PIPE,
                start_new_session=True,  # a Ctrl-C on the terminal is for the service alone
            )
        except OSError as fault:
            self._say("lost", f"the worker could not be started: {fault}")
            return None
        now_s = _now_s()
        self._session = session = _Session(process=process, started_s=now_s, heard_s=now_s)
        self._write(session, self._opening())
        self._write(session, Credit(readings=READINGS_IN_FLIGHT))
        return session

    def _opening(self) -> Open:
        return Open(
            source=self.settings.model_dump(mode="json"),
            limits=self._limits,
            baseline=self._baseline.baseline,
            epoch=self._epoch,
        )

    async def _pump(self, session: _Session) -> None:
        """Read lines until the worker closes its output."""
        assert session.process.stdout is not None
        while chunk := await session.process.stdout.read(CHUNK_BYTES):
            over_long = session.splitter.over_long
            for text in session.splitter.feed(chunk):
                self._line(session, text)
            for _ in range(session.splitter.over_long - over_long):
                self._bad(session, b"a line over the limit")

    def _line(self, session: _Session, text: bytes) -> None:
        try:
            line = decode_out(text)
        except ValueError:
            self._bad(session, text)
            return
        if line.source != self.settings.id:
            self._bad(session, text)
            return
        session.heard_s = _now_s()
        if session.killed is not None and line.line == "state":
            return  # said before it was given up: "live" would hide the loss
        self._note(session, line)
        try:
            self._deliver(line, time.monotonic_ns())
        except Exception:  # one line nobody can take must not end the watching of its source
            log.exception("%s: a line could not be taken", self.settings.id)
            self._bad(session, text)
        if isinstance(line, Reading):
            self._write(session, Credit(readings=1))

    def _note(self, session: _Session, line: OutLine) -> None:
        if line.line == "hello":
            session.greeted = True
            self._epoch = max(self._epoch, line.epoch + 1)
        if line.line == "state":
            session.state, session.why = line.state, line.why
            if line.state == "live" and session.live_since_s is None:
                session.live_since_s = _now_s()

    def _bad(self, session: _Session, text: bytes) -> None:
        """Count a line that is none; too many, and the worker is given up."""
        self.garbage += 1
        now_s = _now_s()
        if now_s - session.garbage_since_s > GARBAGE_WINDOW_S:
            session.garbage, session.garbage_since_s = 0, now_s
            log.warning("%s: not a line: %r", self.settings.id, text[:GARBAGE_QUOTED])
        session.garbage += 1
        if session.garbage > GARBAGE_LIMIT and session.killed is None:
            self._give_up(session, f"its worker wrote {session.garbage} lines that are none")

    async def _watch(self, session: _Session) -> None:
        """Give the worker up once it has been silent for too long."""
        step_s = min(0.1, self.stall_s / 4)
        while session.killed is None:
            before_s = _now_s()
            await asyncio.sleep(step_s)
            now_s = _now_s()
            if now_s - before_s > step_s + 0.25:
                continue  # this loop itself was late: first let it read what has come
            limit_s = self.stall_s if session.greeted else START_LIMIT_S
            if now_s - session.heard_s > limit_s:
                self._give_up(session, f"no sign from what measures it for {limit_s:.1f} s")

    def _give_up(self, session: _Session, why: str) -> None:
        session.killed = why
        self._say("lost", why)
        self._kill(session)

    def _kill(self, session: _Session) -> None:
        if session.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                session.process.kill()

    def _report_end(self, session: _Session, status: int) -> bool:
        """Say what the worker could not say itself; True when the source ended properly."""
        if session.killed is not None or self._stopping:
            return False
        if status == EXIT_ENDED:
            if session.state != "ended":
                self._say("ended", session.why)
            return True
        if session.state != "lost":
            self._say("lost", _death(status))
        return False

    def _say(self, state: SourceState, why: str | None) -> None:
        log.warning("%s: %s: %s", self.settings.id, state, why)
        now_ns = time.monotonic_ns()
        line = State(source=self.settings.id, state=state, why=why, t_mono_ns=now_ns)
        self._deliver(line, now_ns)

    # what is sent to it

    def send(self, line: InLine) -> None:
        if isinstance(line, Limits):
            self._limits = dict(line.limits)
        if isinstance(line, Baseline):
            self._baseline = line
        if self._session is not None:
            self._write(self._session, line)

    def _write(self, session: _Session, line: InLine) -> None:
        pipe = session.process.stdin
        assert pipe is not None
        if pipe.is_closing() or pipe.transport.get_write_buffer_size() > STDIN_LIMIT_BYTES:
            self.unsent += 1
            return
        pipe.write(encode(line))

    async def stop(self) -> None:
        """Ask the worker to finish; kill it when it does not within ``STOP_LIMIT_S``."""
        self._stopping = True
        session = self._session
        if session is None:
            return
        self._write(session, Close())
        pipe = session.process.stdin
        assert pipe is not None
        with contextlib.suppress(OSError, RuntimeError):
            pipe.close()
        try:
            await asyncio.wait_for(session.process.wait(), STOP_LIMIT_S)
        except TimeoutError:
            self._kill(session)


def _now_s() -> float:
    return time.monotonic()


def _death(status: int) -> str:
    """Return in words how a worker died."""
    if status < 0:
        return f"its worker was killed by signal {-status}"
    return f"its worker ended with status {status}"


class Supervisor:
    """Workers for all sources; ``deliver(line, t_arrival_mono_ns)`` gets every line, in order.

    ``limits`` are detector limits by source id. ``jitter`` gives numbers from 0 to 1;
    ``arguments`` is the command of a worker: both are arguments for tests.
    """

    def __init__(
        self,
        sources: Sequence[SourceSettings],
        deliver: Deliver,
        *,
        limits: Mapping[str, Mapping[str, object]] | None = None,
        node: str = "",
        jitter: Callable[[], float] = random.random,
        arguments: Sequence[str] | None = None,
    ) -> None:
        self._deliver = deliver
        self._limits = dict(limits or {})
        self._jitter = jitter
        self._arguments = list(arguments or command(node or socket.gethostname()))
        self._waiting = list(sources)
        self._wards: dict[str, _Ward] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Start a worker for every source."""
        waiting, self._waiting = self._waiting, []
        for settings in waiting:
            self.add(settings)

    async def stop(self) -> None:
        """End all workers at once, within a little more than ``STOP_LIMIT_S``."""
        await asyncio.gather(*(self.remove(source) for source in list(self._wards)))

    def add(self, source: SourceSettings) -> None:
        """Start watching one more source. Raises ``ValueError`` when its id is taken."""
        if source.id in self._wards:
            raise ValueError(f"source {source.id!r} is watched already")
        limits = self._limits.get(source.id, {})
        ward = _Ward(source, self._deliver, limits, self._arguments, self._jitter)
        self._wards[source.id] = ward
        self._tasks[source.id] = asyncio.get_running_loop().create_task(ward.run())

    async def remove(self, source: str) -> None:
        """Stop watching a source. Raises ``KeyError`` when there is none of that id."""
        ward, task = self._wards.pop(source), self._tasks.pop(source)
        await ward.stop()
        if ward.pid is None:
            task.cancel()  # it waits for its next start
        with contextlib.suppress(asyncio.CancelledError):
            await task

    def send(self, source: str, line: InLine) -> None:
        """Send a line to a source's worker. Limits and baseline hold for later starts too."""
        self._wards[source].send(line)

    def pid(self, source: str) -> int | None:
        """Return the process id of a source's worker, or None where none runs."""
        return self._wards[source].pid

    def counts(self, source: str) -> dict[str, int]:
        """Return what was counted about a source's workers so far."""
        ward = self._wards[source]
        return {"restarts": ward.restarts, "garbage": ward.garbage, "unsent": ward.unsent}
