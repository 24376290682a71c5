"""The line-up over HTTP, and what a restart makes of it."""

from pathlib import Path

from api.service import Service
from api.views import source_views
from config.settings import Settings
from monitor import clocks
from tests.api.service_in_process import HOST, a_service, client, network
from tests.monitor.hub.test_hub import hello, reading, state

ORIGIN = {"Origin": f"http://{HOST}"}
FLOORS = [-60.0, -61.0]


def settings(folder: Path) -> Settings:
    """Settings of a cart; the test speaks for its worker, whose file is not there."""
    path = str(folder / "none.wav")
    cart = {"id": "cart", "kind": "media_file", "name": "Sound cart", "path": path}
    return Settings.model_validate({"source": [cart]})


def speak(service: Service) -> None:
    """Let the cart be live, with sound on its first channel; nothing is awaited after it."""
    hub, t_ns = service.session.hub, clocks.mono_ns()
    hub.line(hello("cart").model_copy(update={"boot_id": hub.boot_id}), t_ns)
    hub.line(state("cart", "live", t_ns), t_ns)
    hub.line(reading("cart", t_ns, noise_floor_dbfs=FLOORS, silent_s=[0.0, 9.0]), t_ns)


async def test_what_a_day_has_learned_is_given_to_workers_after_a_restart(tmp_path: Path) -> None:
    async with a_service(tmp_path, settings(tmp_path)) as (service, app):
        session = service.session
        session.hub.set_line_up(True, clocks.mono_ns(), "Ada")
        speak(service)
        assert [one.heard for one in source_views(session.hub)[0].line_up.channels] == [True, False]
        session.hub.set_line_up(False, clocks.mono_ns(), "Ada")
        session.apply()
        told = source_views(session.hub)[0].line_up
        assert (told.who, told.learned, told.channels) == ("Ada", 2, [])
        async with client(network(app), "view") as ask:
            (learned,) = (await ask.get("/api/line-up")).json()["learned"]
            assert learned["baseline"] == {"noise_floor_dbfs": FLOORS}

    async with a_service(tmp_path, settings(tmp_path)) as (service, _):
        known = service.session.hub.line_up.learned["cart"]
        assert (known.who, known.body.baseline) == ("Ada", {"noise_floor_dbfs": FLOORS})
        ward = service.session.supervisor._wards["cart"]  # what its next worker opens with
        assert ward._baseline.baseline == {"noise_floor_dbfs": FLOORS}


async def test_a_line_up_is_begun_and_ended_and_learns_only_while_it_is_on(tmp_path: Path) -> None:
    async with a_service(tmp_path) as (_, app), client(network(app), "log") as ask:
        answer = await ask.post("/api/line-up/learn", json={}, headers=ORIGIN)
        assert answer.status_code == 409
        assert answer.json() == {"error": "no line-up is on: start it first"}
        begun = await ask.put("/api/line-up", json={"line_up": True}, headers=ORIGIN)
        assert begun.json() == {"line_up": True, "phase": "line_up", "learned": []}
        answer = await ask.post("/api/line-up/learn", json={}, headers=ORIGIN)
        assert answer.status_code == 409
        assert answer.json() == {"error": "no source with sound is live"}
        ended = await ask.put("/api/line-up", json={"line_up": False}, headers=ORIGIN)
        assert ended.json()["phase"] == "idle"


async def test_only_who_may_log_learns(tmp_path: Path) -> None:
    async with a_service(tmp_path) as (_, app), client(network(app), "view") as ask:
        answer = await ask.post("/api/line-up/learn", json={}, headers=ORIGIN)
        assert answer.status_code == 403
