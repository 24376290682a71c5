"""The guard before every route and the WebSocket. One guard a listener: trust goes by the socket.

In order: the Host must be one of ours (a page of another site that resolves to this address is
refused: DNS rebinding), a change must come from our own page and be JSON, the body is bounded, and
off loopback everybody needs a paired device's session, but for the page's static shell and the
exchange that pairs. What is not explicitly open is closed, also for paths that do not exist.
"""

import asyncio
import json
from collections.abc import Callable, Collection
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.identity import THIS_COMPUTER, Identity

BODY_LIMIT_BYTES = 64 * 1024  # the largest honest body is a take's notes, 4000 characters
REFUSED_BODY_S = 1.0  # to take in what came with a refused request
COOKIE = "takewatch"
IDENTITY = "takewatch.identity"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
READS = frozenset({"GET", "HEAD", "OPTIONS"})
EXCHANGE = ("POST", "/api/devices")

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Refused(Exception):
    """Why a request goes no further: an HTTP status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


def host_name(host: str) -> str | None:
    """Return the name in a Host header, lower case, without port; None when it is not one."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or parts.username)
    return parts.hostname.lower() if parts.hostname and plain else None


def policy(host: str) -> str:
    """Return the content policy: our own files only, and our own WebSocket by name.

    The WebSocket is named because older Safari does not count it as 'self'.
    """
    return (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; media-src 'self' data:;"
        f" worker-src 'self'; connect-src 'self' ws://{host} wss://{host};"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def is_shell(method: str, path: str) -> bool:
    """Say whether it is the page's static shell, which holds nothing of the production."""
    data = path.startswith(("/api", "/metrics", "/openapi", "/docs"))
    return method in ("GET", "HEAD") and not data


class Guard:
    """ASGI around the application, for one listener.

    ``identify`` turns a cookie into an identity; None makes this the loopback listener, where
    everybody is this computer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        identify: Callable[[str], Identity | None] | None,
        allowed_hosts: Collection[str] = (),
    ) -> None:
        self._app, self._identify = app, identify
        self._names = LOOPBACK_NAMES | {name.lower() for name in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why not."""
        if scope["type"] not in ("http", "websocket"):
            return
        headers = Headers(scope=scope)
        try:
            scope[IDENTITY] = self._admitted(scope, headers)
            bounded = _bounded(receive, headers) if scope["type"] == "http" else receive
        except Refused as refused:
            if scope["type"] == "http" and "expect" not in headers:
                await _take_in(receive)
            await _refuse(scope, send, refused)
            return
        await self._app(scope, bounded, _with_headers(send, headers.get("host", "")))

    def _admitted(self, scope: Scope, headers: Headers) -> Identity | None:
        method = scope.get("method", "GET")
        self._check_host(scope, headers)
        changes = method not in READS
        if changes or scope["type"] == "websocket":
            _check_origin(headers)
        if changes and method != "DELETE":
            _check_json(headers)
        identity = self._whose(headers)
        if identity is None and not is_shell(method, scope["path"]):
            if (method, scope["path"]) != EXCHANGE:
                raise Refused(401, "this device is not paired: ask for a link (takewatch pair)")
        elif identity is not None and changes and not identity.may("log"):
            raise Refused(403, "this device may look, not change anything")
        return identity

    def _whose(self, headers: Headers) -> Identity | None:
        if self._identify is None:
            return THIS_COMPUTER
        # Cookies know no ports: another service of this machine may have set some that the
        # standard library's parser stops at, and the device would seem not to be paired.
        found = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        return self._identify(found) if found else None

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        hosts = headers.getlist("host")
        name = host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None:
            raise Refused(400, "the request names no host")
        local = (scope.get("server") or ("", 0))[0]
        if name in self._names or (self._identify is not None and _same_address(name, local)):
            return
        raise Refused(421, "this name is not one of ours: see allowed_hosts in the settings")


def _same_address(name: str, local: str) -> bool:
    try:
        return ip_address(name) == ip_address(local)
    except ValueError:
        return False


def _check_origin(headers: Headers) -> None:
    """Browsers name the page's origin with every change and WebSocket; programs name none."""
    origins, host = headers.getlist("origin"), headers.get("host", "")
    ours = (f"http://{host}", f"https://{host}")
    if any(origin.lower() not in (our.lower() for our in ours) for origin in origins):
        raise Refused(403, "changes are only taken from our own page")
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused(403, "changes are only taken from our own page")


def _check_json(headers: Headers) -> None:
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, f"the body's type is {kind or 'not given'}, expected application/json")


def _bounded(receive: Receive, headers: Headers) -> Receive:
    """Bound the body: by its declared length at once, else by counting."""
    declared = headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit():
        raise Refused(400, "the content length is not a number")
    if int(declared[:20]) > BODY_LIMIT_BYTES:
        raise Refused(413, f"the body is larger than {BODY_LIMIT_BYTES} bytes")
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT_BYTES:
            # A body cut off reads as one that cannot be parsed: answered with 400.
            return {"type": "http.disconnect"}
        return message

    return counted


def _with_headers(send: Send, host: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("content-security-policy", policy(host))
            headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending


async def _take_in(receive: Receive) -> None:
    """Read what little a refused request brings.

    A connection closed on unread bytes is reset, and the answer that says why may be lost with it.
    """
    taken = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(REFUSED_BODY_S):
            while taken <= BODY_LIMIT_BYTES:
                message = await receive()
                taken += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


async def _refuse(scope: Scope, send: Send, refused: Refused) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": refused.words})
        return
    body = json.dumps({"error": refused.words}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    headers += [(b"connection", b"close"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
