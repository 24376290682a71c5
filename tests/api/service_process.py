"""A real ``takewatch run`` in a process of its own, and pages connected to it."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

START_S = 30.0
WAIT_S = 20.0
CONFIG = """
[production]
name = "Night shoot"
day_starts = "00:00"
time_zone = "UTC"

[[source]]
id = "cart"
kind = "synthetic"
name = "Sound cart"
department = "sound"
scene = "sound"
channels = 2
faults = [{what = "clip", at_s = 0.5, for_s = 0.01, channel = 1, repeat_s = 2}]
"""
Message = dict[str, Any]


@dataclass
class Running:
    """One service process."""

    process: asyncio.subprocess.Process
    port: int
    said: list[str]
    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: object | None = None) -> httpx.Response:
        if method == "GET":
            return await self.http.get(f"/api/{path}")
        return await self.http.request(method, f"/api/{path}", json={} if body is None else body)

    async def until(self, path: str, true: Callable[[Any], bool], within_s: float = WAIT_S) -> Any:  # noqa: ANN401  JSON
        """Ask again and again until the answer is as wanted."""
        async with asyncio.timeout(within_s):
            while not true(answer := (await self.ask("GET", path)).json()):
                await asyncio.sleep(0.05)
        return answer

    async def live(self) -> None:
        """Wait until its source is."""
        await self.until("health", lambda health: health["sources_live"] == 1, START_S)

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end; its exit status."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WAIT_S):
            return await self.process.wait()


def config(folder: Path, text: str = CONFIG) -> Path:
    path = folder / "settings.toml"
    path.write_text(text)
    return path


@asynccontextmanager
async def running(*arguments: str | Path) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from api.cli import main; main()",
        *map(str, arguments),
        "--port",
        "0",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    said: list[str] = []
    port = 0
    async with asyncio.timeout(START_S):
        while not (said and "Ctrl-C" in said[-1]):
            line = (await process.stdout.readline()).decode()
            assert line, said
            said.append(line)
            found = re.search(r"http://localhost:(\d+)", line)
            port = int(found[1]) if found else port
    drain = asyncio.create_task(process.stdout.read())
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx.AsyncClient(base_url=url, timeout=WAIT_S, verify=False) as http:
            yield Running(process, port, said, http)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), WAIT_S)
            finally:
                if process.returncode is None:
                    process.kill()
        said.append((await drain).decode())


@dataclass
class Page:
    """One connected page and all it was sent."""

    socket: ClientConnection
    heard: list[Message] = field(default_factory=list)
    binary: list[bytes] = field(default_factory=list)

    async def next(self) -> Message | bytes:
        message = await asyncio.wait_for(self.socket.recv(), WAIT_S)
        if isinstance(message, bytes):
            self.binary.append(message)
            return message
        decoded: Message = json.loads(message)
        self.heard.append(decoded)
        return decoded

    async def until(self, true: Callable[[Message], bool]) -> Message:
        """Read until a message is as wanted."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.next()
                if isinstance(message, dict) and true(message):
                    return message

    async def until_type(self, kind: str) -> Message:
        return await self.until(lambda message: message["type"] == kind)

    def records(self) -> list[Message]:
        return [message["record"] for message in self.heard if message["type"] == "record"]

    def durable(self) -> set[int]:
        """Seqs that were said to be on the disk."""
        told = {record["seq"] for record in self.records() if record["durable"]}
        return told | {m["seq"] for m in self.heard if m["type"] == "confirm"}


@asynccontextmanager
async def page(service: Running, since: int | None = None) -> AsyncIterator[Page]:
    query = "" if since is None else f"?since={since}"
    async with connect(
        f"ws://127.0.0.1:{service.port}/api/live{query}", max_size=None, compression=None
    ) as socket_:
        yield Page(socket_)


def deaf(port: int) -> socket.socket:
    """Connect a page that never reads, with next to no room for what it does not read."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", port))
    raw.sendall(
        b"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    return raw
