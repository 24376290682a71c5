"""Runs the service: two listeners, one application, one loop, until a signal."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from api.addresses import names, network_addresses
from api.app import create_app
from api.connections import Connection
from api.identity import Identity
from api.security import Guard
from api.service import Service
from monitor import clocks

PING_S = 5.0
PING_TIMEOUT_S = 10.0  # a locked tablet's socket looks open and is dead
MESSAGE_LIMIT_BYTES = 4096  # a page sends nothing but pongs
GRACE_S = 1  # what an open request gets at the end; the whole end stays under 3 s
KEEP_ALIVE_S = 5
BACKLOG = 64  # asyncio takes as many at one go, before any of them can be refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Files of the certificate and key for https on the set's network."""

    chain: Path
    key: Path


class _Server(uvicorn.Server):
    """Signals are taken once for all listeners, by ``serve``."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _server(app: ASGIApp, certificate: Certificate | None = None) -> _Server:
    config = uvicorn.Config(
        app,
        http=Connection,
        backlog=BACKLOG,
        ws="websockets-sansio",
        loop="asyncio",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_TIMEOUT_S,
        ws_max_size=MESSAGE_LIMIT_BYTES,
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=certificate.chain if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    return _Server(config)


def page_addresses(host: str, port: int, *, https: bool) -> list[str]:
    """Return where tablets find the page, the best address first."""
    hosts = network_addresses() if host in ("0.0.0.0", "::") else [host]  # noqa: S104
    scheme = "https" if https else "http"
    return [f"{scheme}://{f'[{one}]' if ':' in one else one}:{port}" for one in hosts]


def guarded(
    service: Service, app: ASGIApp, *, allowed_hosts: Sequence[str] = ()
) -> tuple[Guard, Guard]:
    """Return the application as the loopback listener and as the set's network sees it."""

    def identify(cookie: str) -> Identity | None:
        return service.devices.identify(cookie, clocks.utc_ns())

    return (
        Guard(app, identify=None, allowed_hosts=allowed_hosts),
        Guard(app, identify=identify, allowed_hosts=[*allowed_hosts, *names()]),
    )


async def serve(
    service: Service,
    loopback: socket.socket,
    network: Sequence[socket.socket],
    *,
    practice: bool = False,
    certificate: Certificate | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT. Raises ``JournalBusy`` and ``JournalNewer`` at the start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    inner, outer = guarded(
        service, create_app(service), allowed_hosts=service.settings.network.allowed_hosts
    )
    await service.start(practice=practice)
    servers = [(_server(inner), [loopback])]
    if network:
        servers.append((_server(outer, certificate), list(network)))
    running = [asyncio.create_task(one.serve(sockets=sockets)) for one, sockets in servers]
    try:
        while not all(one.started for one, _ in servers):
            await asyncio.sleep(0.01)
        ready()
        await stop.wait()
    finally:
        service.live.restart()
        for one, _ in servers:
            one.should_exit = True
        await asyncio.gather(service.stop(), *running)
