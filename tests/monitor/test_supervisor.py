"""The supervisor over real processes: killed, hung, talking garbage, unplugged and back again."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from config.settings import SourceSettings
from monitor.lines import Hello, OutLine, Reset
from monitor.supervisor import BACKOFF_LIMIT_S, FIRST_BACKOFF_S, Supervisor, backoff_s
from tests.rigs.sound_card import SoundCard

PATIENCE_S = 40.0


def sound(identifier: str = "it", **options: object) -> SourceSettings:
    """Return settings of a small practice feed."""
    plain = {"kind": "synthetic", "name": "It", "channels": 2, "faults": []}
    return SourceSettings.model_validate({"id": identifier, **plain, **options})


class Heard:
    """Everything delivered; awaited with a bound."""

    def __init__(self) -> None:
        self.lines: list[tuple[OutLine, int]] = []
        self._news = asyncio.Event()

    def deliver(self, line: OutLine, t_ns: int) -> None:
        self.lines.append((line, t_ns))
        self._news.set()

    def since(self, mark: int) -> list[OutLine]:
        return [line for line, _ in self.lines[mark:]]

    async def until(
        self, wanted: Callable[[OutLine], bool], mark: int = 0, within_s: float = PATIENCE_S
    ) -> tuple[OutLine, int]:
        async with asyncio.timeout(within_s):
            while True:
                for line, t_ns in self.lines[mark:]:
                    if wanted(line):
                        return line, t_ns
                mark = len(self.lines)
                self._news.clear()
                await self._news.wait()


def says(state: str, source: str = "it") -> Callable[[OutLine], bool]:
    return lambda line: line.line == "state" and line.state == state and line.source == source


def reads(source: str = "it") -> Callable[[OutLine], bool]:
    return lambda line: line.line == "reading" and line.source == source


@asynccontextmanager
async def watching(
    *sources: SourceSettings, arguments: list[str] | None = None
) -> AsyncIterator[tuple[Supervisor, Heard]]:
    heard = Heard()
    supervisor = Supervisor(sources, heard.deliver, jitter=lambda: 1.0, arguments=arguments)
    await supervisor.start()
    try:
        yield supervisor, heard
    finally:
        before = time.monotonic()
        await supervisor.stop()
        assert time.monotonic() - before < 2.5


def script(text: str) -> list[str]:
    return [sys.executable, "-u", "-c", text]


def test_a_killed_worker_is_lost_at_once_the_rest_goes_on_and_it_comes_back() -> None:
    async def check() -> None:
        async with watching(sound("a"), sound("b")) as (supervisor, heard):
            hello, _ = await heard.until(lambda line: line.line == "hello" and line.source == "a")
            await heard.until(reads("a"))
            await heard.until(reads("b"))
            other, victim = supervisor.pid("b"), supervisor.pid("a")
            assert victim is not None
            mark, killed_ns = len(heard.lines), time.monotonic_ns()
            os.kill(victim, signal.SIGKILL)
            _, lost_ns = await heard.until(says("lost", "a"), mark)
            assert lost_ns - killed_ns < 2_000_000_000
            again, _ = await heard.until(
                lambda line: line.line == "hello" and line.source == "a", mark
            )
            await heard.until(reads("a"), mark)
            await heard.until(reads("b"), len(heard.lines))
            assert isinstance(hello, Hello)
            assert isinstance(again, Hello)
            assert again.epoch > hello.epoch
            assert supervisor.pid("b") == other
            assert supervisor.counts("a")["restarts"] == 1

    asyncio.run(check())


def test_a_hung_worker_is_given_up_after_its_stall_time_and_comes_back() -> None:
    async def check() -> None:
        async with watching(sound()) as (supervisor, heard):
            await heard.until(reads())
            victim = supervisor.pid("it")
            assert victim is not None
            mark, stopped_ns = len(heard.lines), time.monotonic_ns()
            os.kill(victim, signal.SIGSTOP)
            line, lost_ns = await heard.until(says("lost"), mark)
            assert lost_ns - stopped_ns < 2_000_000_000
            assert line.line == "state"
            assert line.why == "no sign from what measures it for 1.0 s"
            await heard.until(reads(), len(heard.lines))  # what it said before may still come
            assert supervisor.pid("it") != victim

    asyncio.run(check())


def test_an_unplugged_device_is_lost_and_comes_back_by_itself_when_it_is_plugged_in(
    tmp_path: Path, card_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.random.default_rng(1).integers(-(2**16), 2**16, (48_000, 2), np.int32) << 8
    device = SourceSettings.model_validate(
        {"id": "it", "kind": "audio_device", "name": "Cart", "device": "cart"}
    )

    async def check(card: SoundCard) -> None:
        async with watching(device) as (_, heard):
            await heard.until(reads())
            mark, pulled_ns = len(heard.lines), time.monotonic_ns()
            card.unplug()
            _, lost_ns = await heard.until(says("lost"), mark)
            assert lost_ns - pulled_ns < 2_000_000_000
            missing, _ = await heard.until(
                lambda line: line.line == "state" and "no sound input" in str(line.why), mark
            )
            assert missing.line == "state"
            mark = len(heard.lines)
            card.plug_in()
            await heard.until(reads(), mark)

    with SoundCard(tmp_path, card_library, samples) as card:
        for key, value in card.env.items():
            monkeypatch.setenv(key, value)
        asyncio.run(check(card))


@pytest.mark.parametrize(
    "noise", ["print('garbage')", "sys.stdout.write('x' * 70_000)", 'print(\'{"line":"clock"}\')']
)
def test_a_worker_that_talks_garbage_is_counted_given_up_and_started_again(noise: str) -> None:
    text = f"import sys\nwhile True:\n    {noise}\n"

    async def check() -> None:
        async with watching(sound(), arguments=script(text)) as (supervisor, heard):
            line, _ = await heard.until(says("lost"))
            assert line.line == "state"
            assert "lines that are none" in str(line.why)
            assert supervisor.counts("it")["garbage"] > 20
            await heard.until(says("lost"), len(heard.lines))
            assert all(says("lost")(line) for line in heard.since(0))

    asyncio.run(check())


def test_a_few_lines_of_garbage_are_counted_and_the_worker_lives() -> None:
    text = (
        "import sys\n"
        "print('native noise'); print('{}')\n"
        "from monitor.worker.filter import main; sys.exit(main())\n"
    )

    async def check() -> None:
        async with watching(sound(), arguments=script(text)) as (supervisor, heard):
            await heard.until(reads())
            assert supervisor.counts("it") == {"restarts": 0, "garbage": 2, "unsent": 0}

    asyncio.run(check())


def test_a_line_that_cannot_be_taken_is_counted_and_its_source_is_watched_on() -> None:
    class Choking(Heard):
        refused = 0

        def deliver(self, line: OutLine, t_ns: int) -> None:
            if line.line == "reading" and self.refused < 2:
                self.refused += 1
                raise OverflowError("beyond 64 bits")
            super().deliver(line, t_ns)

    async def check() -> None:
        heard = Choking()
        supervisor = Supervisor([sound()], heard.deliver, jitter=lambda: 1.0)
        await supervisor.start()
        try:
            await heard.until(reads())
            assert supervisor.counts("it") == {"restarts": 0, "garbage": 2, "unsent": 0}
        finally:
            await supervisor.stop()

    asyncio.run(check())


def test_a_source_that_ended_properly_is_not_started_again() -> None:
    async def check() -> None:
        async with watching(sound(duration_s=0.2)) as (supervisor, heard):
            await heard.until(says("ended"))
            task = supervisor._tasks["it"]
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.wait([task])
            assert supervisor.pid("it") is None
            assert supervisor.counts("it")["restarts"] == 0

    asyncio.run(check())


def test_a_worker_that_cannot_start_is_lost_with_the_reason() -> None:
    async def check() -> None:
        async with watching(sound(), arguments=["/no/such/program"]) as (_, heard):
            line, _ = await heard.until(says("lost"))
            assert line.line == "state"
            assert "could not be started" in str(line.why)

    asyncio.run(check())


def test_lines_are_sent_sources_added_and_removed_while_running() -> None:
    async def check() -> None:
        async with watching(sound()) as (supervisor, heard):
            await heard.until(reads())
            supervisor.send("it", Reset(take="t1"))
            done, _ = await heard.until(lambda line: line.line == "reset_done")
            assert done.line == "reset_done"
            assert done.take == "t1"
            with pytest.raises(ValueError, match="watched already"):
                supervisor.add(sound())
            pid = supervisor.pid("it")
            assert pid is not None
            await supervisor.remove("it")
            assert not Path(f"/proc/{pid}").exists()
            with pytest.raises(KeyError):
                supervisor.send("it", Reset())
            mark = len(heard.lines)
            supervisor.add(sound())
            await heard.until(reads(), mark)

    asyncio.run(check())


def test_stop_ends_even_a_worker_that_does_not_listen_within_two_seconds() -> None:
    text = "import signal, threading\nsignal.signal(15, signal.SIG_IGN)\nthreading.Event().wait()"

    async def check() -> int:
        async with watching(sound(), arguments=script(text)) as (supervisor, _):
            async with asyncio.timeout(PATIENCE_S):
                while supervisor.pid("it") is None:
                    await asyncio.sleep(0.01)
            pid = supervisor.pid("it")
            assert pid is not None
            return pid

    assert not Path(f"/proc/{asyncio.run(check())}").exists()


SERVICE = """
import asyncio, json, sys
from config.settings import SourceSettings
from monitor.supervisor import Supervisor
async def serve():
    source = SourceSettings.model_validate(json.loads(sys.argv[1]))
    def deliver(line, t_ns):
        if line.line == "reading":
            print(supervisor.pid("it"), flush=True)
    supervisor = Supervisor([source], deliver)
    await supervisor.start()
    await asyncio.Event().wait()
asyncio.run(serve())
"""


@pytest.mark.parametrize("stopped", [False, True])
def test_workers_die_with_a_service_that_was_killed(stopped: bool) -> None:
    settings = json.dumps(sound().model_dump())
    command = [sys.executable, "-c", SERVICE, settings]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        worker = int(service.stdout.readline())
        if stopped:
            os.kill(worker, signal.SIGSTOP)
        service.kill()
    deadline = time.monotonic() + 10
    while _lives(worker):
        assert time.monotonic() < deadline, "the worker outlived its service"
        time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_backoff_grows_is_bounded_and_jitter_only_shortens_it() -> None:
    plain = [backoff_s(failures, 0.0) for failures in range(40)]
    assert plain[0] == FIRST_BACKOFF_S
    assert plain == sorted(plain)
    assert plain[-1] == BACKOFF_LIMIT_S
    assert backoff_s(3, 1.0) == pytest.approx(plain[3] * 2 / 3)
