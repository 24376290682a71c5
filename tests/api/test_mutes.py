"""Marking a channel as muted, over HTTP."""

from pathlib import Path

from monitor.hub.watching import Watching
from monitor.lines import Reading
from tests.api.service_in_process import HOST, a_service, client, network
from tests.monitor.hub.test_hub import CART, hello

MARK = {"source": "cart", "stream": 0, "channel": 1}
ORIGIN = {"Origin": f"http://{HOST}"}


def silent(silent_s: list[float | None]) -> Reading:
    return Reading(
        source="cart", seq=0, stream=0, epoch=0, start=0, end=4800, t_arrival_ns=1,
        values={"silent_s": silent_s},
    )  # fmt: skip


async def test_a_silent_channel_is_marked_shown_and_taken_back(tmp_path: Path) -> None:
    async with a_service(tmp_path) as (service, app):
        hub = service.session.hub
        hub.watching["cart"] = Watching(settings=CART)
        hub.line(hello("cart"), 1)
        hub.line(silent([0.0, 9.0]), 2)
        async with client(network(app), "log") as ask:
            assert (await ask.post("/api/mutes", json=MARK, headers=ORIGIN)).status_code == 204
            (source,) = (await ask.get("/api/sources")).json()
            (mark,) = source["muted"]
            assert (mark["stream"], mark["channel"], mark["who"]) == (0, 1, "log")
            path = "/api/mutes/cart/0/1"
            json = {"Content-Type": "application/json", **ORIGIN}
            assert (await ask.delete(path, headers=json)).status_code == 204
            assert (await ask.delete(path, headers=json)).status_code == 404
            (source,) = (await ask.get("/api/sources")).json()
            assert source["muted"] == []


async def test_what_carries_sound_or_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    async with a_service(tmp_path) as (service, app):
        hub = service.session.hub
        hub.watching["cart"] = Watching(settings=CART)
        hub.line(hello("cart"), 1)
        hub.line(silent([0.0, 0.0]), 2)
        async with client(network(app), "log") as ask:
            answer = await ask.post("/api/mutes", json=MARK, headers=ORIGIN)
            assert (answer.status_code, answer.json()) == (
                409,
                {"error": "channel 2 carries sound: only what is silent can be marked"},
            )
            answer = await ask.post("/api/mutes", json=MARK | {"channel": 9}, headers=ORIGIN)
            assert answer.status_code == 404
        async with client(network(app), "view") as ask:
            answer = await ask.post("/api/mutes", json=MARK, headers=ORIGIN)
            assert answer.status_code == 403
