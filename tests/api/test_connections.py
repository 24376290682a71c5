"""A listener under people who open connections and say little."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api import connections
from api.connections import Connection

WAIT_S = 10.0
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer once the whole body came."""
    while (await receive()).get("more_body"):
        continue
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    config = uvicorn.Config(app, http=Connection, lifespan="off", log_level="error", port=0)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        await server.shutdown()


async def opened(port: int, stack: AsyncExitStack) -> Pair:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    stack.callback(writer.close)
    return reader, writer


async def closed(reader: asyncio.StreamReader) -> bool:
    """Await the end of a connection, with a bound."""
    async with asyncio.timeout(WAIT_S):
        try:
            return await reader.read(1) == b""
        except ConnectionError:
            return True


async def answered(pair: Pair) -> bytes:
    pair[1].write(WHOLE)
    async with asyncio.timeout(WAIT_S):
        return await pair[0].readuntil(b"\r\n\r\nok")


@pytest.mark.parametrize("limit", ["CONNECTIONS_LIMIT", "PEER_CONNECTIONS_LIMIT"])
async def test_what_is_too_many_is_cut_off_and_the_others_are_served(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(connections, limit, 3)
    async with listening() as port, AsyncExitStack() as stack:
        first = [await opened(port, stack) for _ in range(3)]
        for pair in first:
            assert await answered(pair)
        assert await closed((await opened(port, stack))[0])
        assert await answered(first[0])


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HT",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
        WHOLE + b"G",
    ],
)
async def test_a_request_that_does_not_come_whole_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.05)
    async with listening() as port, AsyncExitStack() as stack:
        reader, writer = await opened(port, stack)
        writer.write(said)
        if said.startswith(WHOLE):
            async with asyncio.timeout(WAIT_S):
                await reader.readuntil(b"\r\n\r\nok")
        assert await closed(reader)
