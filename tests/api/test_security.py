"""A stranger gets nothing, a role gets its own, and hostile requests get a 4xx."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message, Scope

from api.security import BODY_LIMIT_BYTES, Guard, host_name
from api.service import Service
from capture.source import Found
from tests.api.service_in_process import HOST, a_service, client, network

CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
OPERATE = frozenset(
    {
        ("POST", "/api/session"),
        ("POST", "/api/invitations"),
        ("GET", "/api/devices"),
        ("DELETE", "/api/devices/x"),
        ("GET", "/api/inputs"),
    }
)
VALUES = {
    "alert": "x", "take": "x", "still": "x-0", "rule": "a.b", "source": "x", "device": "x",
    "stream": "0", "channel": "0",
}  # fmt: skip
Service_ = tuple[Service, FastAPI]


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Service_]:
    async with a_service(tmp_path) as pair:
        yield pair


def routes(app: FastAPI) -> list[tuple[str, str]]:
    """Every route with its methods, from the schema the application itself gives."""
    found = []
    for path, methods in app.openapi()["paths"].items():
        filled = path.format(**VALUES, day="2026-11-23", form="html")
        found += [(method.upper(), filled) for method in methods]
    return found


async def ask(http: httpx.AsyncClient, method: str, path: str, body: Any = None) -> httpx.Response:  # noqa: ANN401
    content = "{}" if body is None else body
    sends = {"content": content, "headers": {"content-type": "application/json"}}
    return await http.request(method, path, **(sends if method in CHANGES else {}))  # type: ignore[arg-type]


async def test_a_stranger_gets_nothing_from_any_route(served: Service_) -> None:
    _, app = served
    found = routes(app)
    assert len(found) > 20
    async with client(network(app)) as http:
        for method, path in [*found, ("GET", "/api/openapi.json"), ("GET", "/api/nothing")]:
            answer = await ask(http, method, path)
            if (method, path) == ("POST", "/api/devices"):
                assert answer.status_code == 422  # the exchange itself, with no token in it
            else:
                assert answer.status_code in (401, 403), (method, path)
                assert set(answer.json()) == {"error"}


async def test_every_route_is_described(served: Service_) -> None:
    _, app = served
    included = {r.path for r in app.routes if isinstance(r, APIRoute)}
    assert included - set(app.openapi()["paths"]) <= {"/api/{rest:path}", "/{path:path}"}


async def connect(guard: Guard, path: str, **headers: str) -> list[Message]:
    sent: list[Message] = []
    incoming: list[Message] = [{"type": "websocket.connect"}, {"type": "websocket.disconnect"}]

    async def receive() -> Message:
        return incoming.pop(0) if len(incoming) > 1 else incoming[0]

    async def send(message: Message) -> None:
        sent.append(message)

    names = {"host": HOST} | {key.replace("_", "-"): value for key, value in headers.items()}
    scope: Scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(key.encode(), value.encode()) for key, value in names.items()],
        "server": ("127.0.0.1", 1),
        "subprotocols": [],
    }
    await guard(scope, receive, send)
    return sent


async def test_a_stranger_s_websocket_is_refused_before_it_is_accepted(served: Service_) -> None:
    _, app = served
    (refusal,) = await connect(network(app), "/api/live")
    assert refusal["type"] == "websocket.close"


async def test_a_websocket_from_another_site_is_refused(served: Service_) -> None:
    _, app = served
    for guard in (network(app), Guard(app, identify=None, allowed_hosts=[HOST])):
        (refusal,) = await connect(
            guard, "/api/live", cookie="takewatch=operate", origin="http://evil.test"
        )
        assert refusal["type"] == "websocket.close"
    accepted = await connect(
        network(app), "/api/live", cookie="takewatch=view", origin=f"http://{HOST}"
    )
    assert accepted[0]["type"] == "websocket.accept"


async def test_role_view_changes_nothing(served: Service_) -> None:
    _, app = served
    changes = [(m, p) for m, p in routes(app) if m in CHANGES and p != "/api/devices"]
    assert len(changes) >= 8
    async with client(network(app), "view") as http:
        for method, path in changes:
            assert (await ask(http, method, path)).status_code == 403, (method, path)


async def test_role_log_cannot_operate_and_may_log(served: Service_) -> None:
    _, app = served
    async with client(network(app), "log") as http:
        for method, path in routes(app):
            answer = await ask(http, method, path)
            if (method, path) in OPERATE:
                assert answer.status_code == 403, (method, path)
            elif (method, path) != ("POST", "/api/devices"):
                assert answer.status_code not in (401, 403), (method, path)


async def test_role_operate_is_refused_nothing(served: Service_) -> None:
    _, app = served
    async with client(network(app), "operate") as http:
        for method, path in OPERATE - {("POST", "/api/session"), ("GET", "/api/inputs")}:
            assert (await ask(http, method, path)).status_code not in (401, 403), (method, path)


async def test_pairing_end_to_end_and_revoking(served: Service_) -> None:
    service, app = served
    service.network = [f"http://{HOST}"]
    guard = Guard(
        app, identify=lambda cookie: service.devices.identify(cookie, 0), allowed_hosts=[HOST]
    )
    async with client(Guard(app, identify=None, allowed_hosts=[HOST])) as own:
        invitation = (await own.post("/api/invitations", json={"role": "log"})).json()
        token = invitation["links"][0].partition("#pair=")[2]
        body = {"token": token, "name": "Ada", "department": "sound"}
        async with client(guard) as tablet:
            assert (await tablet.get("/api/takes")).status_code == 401
            paired = await tablet.post("/api/devices", json=body)
            assert paired.status_code == 201
            cookie = paired.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=strict" in cookie
            assert (await tablet.get("/api/takes")).status_code == 200
            assert (await tablet.post("/api/devices", json=body)).status_code == 403
            device = paired.json()["id"]
            assert [d["name"] for d in (await own.get("/api/devices")).json()] == ["Ada"]
            assert (await own.delete(f"/api/devices/{device}")).status_code == 204
            assert (await tablet.get("/api/takes")).status_code == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "a@localhost",
        "",
        "localhost:x",
        "[::1",
    ],
)
async def test_a_foreign_host_is_refused_on_loopback_too(served: Service_, host: str) -> None:
    _, app = served
    async with client(Guard(app, identify=None)) as http:
        answer = await http.get("/api/health", headers={"host": host})
    assert answer.status_code in (400, 421)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8400", "127.0.0.1:1", "[::1]:8400", "LOCALHOST"]
)
async def test_loopback_names_are_ours(served: Service_, host: str) -> None:
    _, app = served
    async with client(Guard(app, identify=None)) as http:
        assert (await http.get("/api/health", headers={"host": host})).status_code == 200


@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=40))
def test_a_host_is_a_name_or_nothing(text: str) -> None:
    name = host_name(text)
    assert name is None or not set(name) & set("/?#@")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": f"http://{HOST}:81"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": ""}, 415),
        ({"content-length": "99999999"}, 413),
        ({"content-length": "x"}, 400),
        ({"origin": f"http://{HOST}"}, 409),  # ours: taken, but there is nothing to cut
    ],
)
async def test_changes_are_only_taken_from_our_page_as_json(
    served: Service_, headers: dict[str, str], status: int
) -> None:
    _, app = served
    given_headers = {"content-type": "application/json"} | headers
    async with client(network(app), "operate") as http:
        answer = await http.post("/api/takes/current/cut", content="{}", headers=given_headers)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


async def test_a_body_without_declared_length_is_bounded_too(served: Service_) -> None:
    _, app = served

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * (BODY_LIMIT_BYTES // 16)

    async with client(network(app), "operate") as http:
        answer = await http.post(
            "/api/takes", content=endless(), headers={"content-type": "application/json"}
        )
    assert 400 <= answer.status_code < 500


NASTY = [
    b"",
    b"{",
    b"[" * 30_000,
    b'{"a":' * 9_000,
    b"\xff\xfe",
    b'"\\ud800"',
    b'{"scene":"\\ud800"}',
    b'{"\\ud800":1}',
    b'{"take":NaN}',
    b'{"take":1e999}',
    b'{"take":' + b"9" * 5000 + b"}",
    b'{"back_s":NaN}',
    b"null",
    b"[]",
]


@pytest.mark.parametrize("body", NASTY, ids=range(len(NASTY)))
async def test_a_body_that_is_no_request_is_a_4xx(served: Service_, body: bytes) -> None:
    _, app = served
    async with client(network(app), "operate") as http:
        for method, path in routes(app):
            if method in CHANGES - {"DELETE"} and path != "/api/session":
                answer = await ask(http, method, path, body)
                assert 400 <= answer.status_code < 500, (method, path, answer.text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
FIELDS = ("scene", "slate", "take", "groups", "back_s", "notes", "circled", "deleted", "role",
          "roll_back_s", "rule", "source", "channel", "until", "reason", "line_up", "token",
          "name", "stream", "do")  # fmt: skip


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
async def test_no_json_makes_a_5xx(served: Service_, body: dict[str, object]) -> None:
    _, app = served
    async with client(network(app), "operate") as http:
        for method, path in routes(app):
            if method in CHANGES - {"DELETE"} and path != "/api/session":
                answer = await ask(http, method, path, json.dumps(body))
                assert answer.status_code < 500, (method, path, answer.text)


@pytest.mark.parametrize(
    "path",
    [
        "/api/stills/..%2f..%2fetc%2fpasswd",
        "/api/takes/%00",
        "/api/reports/2026-11-23.exe",
        "/api/reports/x.html",
        "/api/takes/next/series?metric=" + "x" * 5000,
        "/api/takes/x/series",
        "/..%2f..%2fpyproject.toml",
        "/%00",
        "/assets/" + "a" * 5000,
        "/api/live",
    ],
)
async def test_odd_paths_are_a_4xx(served: Service_, path: str, tmp_path: Path) -> None:
    (tmp_path / "page").mkdir(exist_ok=True)
    (tmp_path / "page" / "index.html").write_text("the page")
    _, app = served
    async with client(network(app), "operate") as http:
        assert 400 <= (await http.get(path)).status_code < 500


async def test_the_shell_is_open_and_has_the_headers_of_a_careful_page(
    served: Service_, tmp_path: Path
) -> None:
    page = tmp_path / "page" / "assets"
    page.mkdir(parents=True)
    (page.parent / "index.html").write_text("<!doctype html>page")
    (page / "x-1234.js").write_text("1")
    _, app = served
    async with client(network(app)) as http:
        index = await http.get("/")
        script = await http.get("/assets/x-1234.js")
    assert index.text == "<!doctype html>page"
    assert "default-src 'none'" in index.headers["content-security-policy"]
    assert index.headers["x-content-type-options"] == "nosniff"
    assert index.headers["cache-control"] == "no-cache"
    assert "immutable" in script.headers["cache-control"]


async def test_without_the_page_the_root_says_so_in_plain_words(served: Service_) -> None:
    _, app = served
    async with client(Guard(app, identify=None, allowed_hosts=[HOST])) as http:
        answer = await http.get("/")
    assert answer.status_code == 200
    assert "not built" in answer.text


async def test_cookies_of_other_services_on_this_machine_do_not_hide_ours(
    served: Service_,
) -> None:
    _, app = served
    async with client(network(app)) as http:
        strange = 'prefs={"a": [1, 2]}; takewatch=view; x@y=z'
        answer = await http.get("/api/health", headers={"cookie": strange})
        assert answer.status_code == 200


async def test_digits_of_other_scripts_make_no_report(served: Service_) -> None:
    _, app = served
    async with client(network(app), "view") as http:
        for day in ("٢٠٢٦-١١-٢٣", "2026-99-99", "0000-00-00"):
            for form in ("csv", "html", "json"):
                assert (await http.get(f"/api/reports/{day}.{form}")).status_code == 422


async def test_inputs_are_counted_from_0(served: Service_) -> None:
    service, app = served
    service.inputs = [Found(kind="synthetic", name="Last", detail="", options={})]
    async with client(network(app), "operate") as http:
        answer = await http.post("/api/session", json={"inputs": [-1]})
    assert answer.status_code == 422


@pytest.mark.parametrize("parts", [1, 3])
async def test_what_came_with_a_refused_request_is_read_before_the_answer(
    served: Service_, parts: int
) -> None:
    _, app = served
    order: list[str] = []

    async def receive() -> Message:
        order.append("read")
        return {"type": "http.request", "body": b"{}", "more_body": len(order) < parts}

    async def send(message: Message) -> None:
        order.append(message["type"])

    headers = [(b"host", HOST.encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/api/takes", "headers": headers}
    await network(app)(scope, receive, send)
    assert order == ["read"] * parts + ["http.response.start", "http.response.body"]
