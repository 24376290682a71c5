"""The service as a real process, with a real journal and real WebSocket clients."""

import asyncio
import contextlib
import random
import resource
import socket
import statistics
import struct
import sys
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from api.addresses import network_addresses
from monitor.journal.reader import open_readonly
from monitor.line_log import FOLDER, replay
from monitor.lines import Reading
from tests.api.service_process import Message, Page, Running, config, deaf, page, running

ROLL_UPS_LOST_S = 2
END_S = 3
ROW_S = 1  # a row is named by the second it began in
LATE_S = 1  # of a machine that runs other tests beside this one
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """A service for the tests that leave it as they found it: nothing rolls."""
    folder = tmp_path_factory.mktemp("shared")
    async with running("run", config(folder), "--folder", folder / "data") as service:
        await service.live()
        yield service


async def ends(live: ClientConnection) -> None:
    """Read until the service ends the connection."""
    async with asyncio.timeout(5):
        while True:
            await live.recv()


def is_alert(message: Message, what: str) -> bool:
    body = message["record"]["body"] if message["type"] == "record" else {}
    return body.get("kind") == "alert" and body["what"] == what


def is_note(text: str, message: Message) -> bool:
    body = message["record"]["body"] if message["type"] == "record" else {}
    return body.get("kind") == "take" and body["take"]["notes"] == text


async def write_for_ever(service: Running, take: str) -> None:
    """Edit a take without end: a record each."""
    number = 0
    while True:
        number += 1
        await service.ask("PATCH", f"takes/{take}", {"notes": f"note {number}"})


async def until_killed(service: Running, live: Page, take: str, after_s: float) -> None:
    """Write records, kill the service while they flow, and read what it still had said."""
    writing = asyncio.create_task(write_for_ever(service, take))
    until_s = time.monotonic() + after_s
    while time.monotonic() < until_s:
        await live.next()
    service.kill()
    with contextlib.suppress(ConnectionClosed):
        while True:
            await live.next()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)


def check_kept(folder: Path, live: Page) -> None:
    """Everything that was said to be durable is in the journal, as it was said."""
    promised = {r["seq"]: r for r in live.records() if r["seq"] in live.durable()}
    assert len(promised) > 3
    written = {r.seq: r.model_dump(mode="json") for r in open_readonly(folder).records()}
    assert {seq: written[seq]["body"] for seq in promised} == {
        seq: record["body"] for seq, record in promised.items()
    }


async def test_kill_9_loses_nothing_durable_and_a_restart_goes_on(tmp_path: Path) -> None:
    arguments = ("run", config(tmp_path), "--folder", tmp_path / "data")
    folder = tmp_path / "data"
    chance = random.Random(8)
    async with running(*arguments) as service, page(service) as live:
        await service.live()
        take = (await service.ask("POST", "takes", {"slate": "27/7"})).json()["id"]
        found = await live.until(lambda message: is_alert(message, "active"))
        alert = found["record"]["body"]["alert"]["id"]
        await until_killed(service, live, take, chance.uniform(0.8, 1.5))
        killed_s = time.time()
    check_kept(folder, live)
    newest = max(row.utc_s for row in open_readonly(folder).rollups("cart", 0, 2**40))
    assert killed_s - newest < ROLL_UPS_LOST_S + ROW_S + LATE_S
    async with running(*arguments) as service, page(service) as live:
        snapshot = await live.until_type("snapshot")
        assert snapshot["phase"] == "rolling"
        assert [t["id"] for t in snapshot["takes"]] == [take]
        alerts = {a["id"]: a for a in snapshot["alerts"]}
        assert alerts[alert]["take"] == take
        assert "monitoring.lost" in {a["rule"] for a in alerts.values()}
        await until_killed(service, live, take, chance.uniform(0.3, 0.8))
    check_kept(folder, live)


async def test_a_page_is_told_everything_it_needs_and_resumes_by_seq(tmp_path: Path) -> None:
    async with running("run", config(tmp_path), "--folder", tmp_path / "data") as service:
        await service.live()
        async with page(service) as live:
            hello = await live.next()
            snapshot = await live.next()
            assert isinstance(hello, dict)
            assert isinstance(snapshot, dict)
            assert (hello["type"], snapshot["type"]) == ("hello", "snapshot")
            assert snapshot["session"]["role"] == "operate"
            assert [g["word"] for g in snapshot["glance"]] == ["STANDBY"]
            await live.until(lambda m: m["type"] == "heartbeat" and len(live.binary) > 5)
            layout = [m for m in live.heard if m["type"] in ("hello", "layout")][-1]
            words = struct.unpack(f"<{len(live.binary[-1]) // 4}f", live.binary[-1])
            assert words[0] == layout["layout"]
            assert 0 <= words[1] < 2
            slots = {slot["metric"]: slot for slot in layout["meters"]}
            assert slots["sample_peak_dbfs"]["count"] == 2
            await service.ask("POST", "takes", {"slate": "1"})
            rolled = await live.until_type("record")
            since = rolled["record"]["seq"]
            view = await live.until(lambda m: m["type"] == "view" and m["phase"] == "rolling")
            assert view["glance"][0]["word"] in ("OK", "CHECK", "FAULT")
        take = rolled["record"]["body"]["take"]["id"]
        for circled in (True, False, True):
            await service.ask("PATCH", f"takes/{take}", {"circled": circled})
        async with page(service, since) as again:
            await again.until_type("snapshot")
            edits: list[bool] = []
            while len(edits) < 3:
                record = (await again.until_type("record"))["record"]
                assert record["seq"] > since
                if record["body"]["kind"] == "take":
                    edits.append(record["body"]["take"]["circled"])
            seqs = [record["seq"] for record in again.records()]
            assert edits == [True, False, True]
            assert seqs == sorted(set(seqs))
        await service.ask("POST", "takes/current/cut")
        path = f"takes/{take}/series?metric=sample_peak_dbfs"
        series = await service.until(path, lambda answer: answer["columns"] != [])
        assert series["columns"][0]["source"] == "cart"
        metrics = await service.ask("GET", "../metrics")
        assert 'takewatch_source_live{source="cart"} 1' in metrics.text
        report = await service.ask("GET", f"reports/{take_day(again.heard[1])}.json")
        assert report.status_code == 200
        started = time.monotonic()
        assert await service.stop() == 0
        assert time.monotonic() - started < END_S + LATE_S
    rows = list(replay(tmp_path / "data" / FOLDER))
    assert any(isinstance(row, Reading) for _, row in rows)


def take_day(snapshot: Message) -> str:
    day = snapshot["session"]["day"]
    assert isinstance(day, str)
    return day


async def test_a_page_that_does_not_read_slows_no_other_and_is_closed(shared: Running) -> None:
    service = shared
    stuck = deaf(service.port)
    async with page(service) as live:
        await live.until_type("snapshot")
        take = (await service.ask("POST", "takes", {})).json()["id"]
        late_s: list[float] = []
        for number in range(120):
            sent_s = time.monotonic()
            text = f"{number} " + "x" * 3900
            await service.ask("PATCH", f"takes/{take}", {"notes": text})
            await live.until(partial(is_note, text))
            late_s.append(time.monotonic() - sent_s)
        assert statistics.median(late_s) < 0.5
        assert max(late_s) < 3
        await service.until("health", lambda health: health["clients"] == 1)
    stuck.close()
    await service.ask("POST", "takes/current/cut")


async def test_fifty_pages_all_hear_of_a_roll(shared: Running) -> None:
    async with contextlib.AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page(shared)) for _ in range(50)]
        began_s = time.monotonic()
        rolled = (await shared.ask("POST", "takes")).json()["id"]

        async def heard_s(live: Page) -> float:
            await live.until(
                lambda m: (
                    m["type"] == "record"
                    and m["record"]["body"]["kind"] == "take"
                    and m["record"]["body"]["take"]["id"] == rolled
                )
            )
            return time.monotonic() - began_s

        assert max(await asyncio.gather(*map(heard_s, pages))) < 5
    await shared.ask("POST", "takes/current/cut")


async def test_a_full_disk_is_told_monitoring_goes_on_and_it_recovers(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    async with running("run", config(tmp_path), "--folder", folder) as service:
        await service.live()
        async with page(service) as live:
            await live.until_type("snapshot")
            pid = service.process.pid
            soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
            take = (await service.ask("POST", "takes", {"slate": "full"})).json()["id"]
            sent = await live.until(
                lambda m: m["type"] == "record" and m["record"]["body"]["kind"] == "take"
            )
            assert sent["record"]["durable"] is False
            view = await live.until(lambda m: m["type"] == "view" and not m["session"]["recording"])
            assert view["phase"] == "rolling"
            await live.until(lambda m: is_alert(m, "active"))
            health = (await service.ask("GET", "health")).json()
            assert health["recording"] is False
            assert health["journal_waiting"] > 0
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
            seq = sent["record"]["seq"]
            await live.until(lambda m: m["type"] == "confirm" and m["seq"] == seq)
            await service.until("health", lambda h: h["recording"])
    records = open_readonly(folder).records()
    assert take in [r.body.take.id for r in records if r.body.kind == "take"]
    notices = [r.body.text for r in records if r.body.kind == "notice"]
    assert any("NOT RECORDED" in text for text in notices)
    assert "recording again" in notices


@pytest.fixture
def outside() -> str:
    """An address of this machine that is not the loopback listener's."""
    return next(iter(network_addresses()), "127.0.0.2")


async def test_off_loopback_only_a_paired_device_gets_anything(
    tmp_path: Path, outside: str
) -> None:
    arguments = ("run", config(tmp_path), "--folder", tmp_path / "data", "--host", "0.0.0.0")
    async with running(*arguments) as service:
        assert "plain http" in "".join(service.said)
        address = f"http://{outside}:{service.port}"
        async with httpx.AsyncClient(base_url=address, verify=False) as http:
            assert (await http.get("/api/health")).status_code == 401
            assert (await http.get("/metrics")).status_code == 401
            assert (await http.get("/")).status_code == 200
            socket_url = f"ws://{outside}:{service.port}/api/live"
            with pytest.raises(InvalidStatus):
                async with connect(socket_url):
                    pass
            invitation = (await service.ask("POST", "invitations", {"role": "view"})).json()
            token = invitation["links"][0].partition("#pair=")[2]
            body = {"token": token, "name": "Ada", "department": "sound"}
            assert (await http.post("/api/devices", json=body)).status_code == 201
            assert (await http.get("/api/health")).status_code == 200
            assert (await http.post("/api/takes", json={})).status_code == 403
            cookie = "; ".join(f"{key}={value}" for key, value in http.cookies.items())
            async with connect(socket_url, additional_headers={"cookie": cookie}) as live:
                assert '"type":"hello"' in str(await live.recv())
                device = (await service.ask("GET", "devices")).json()[0]["id"]
                await service.ask("DELETE", f"devices/{device}")
                with pytest.raises(ConnectionClosed):
                    await ends(live)
            assert (await http.get("/api/health")).status_code == 401


async def test_a_foreign_page_cannot_open_the_feed_nor_a_foreign_name(shared: Running) -> None:
    service = shared
    url = f"ws://127.0.0.1:{service.port}/api/live"
    for refused in ({"origin": "http://evil.test"}, {"additional_headers": {"host": "evil"}}):
        with pytest.raises((InvalidStatus, ValueError)):
            async with connect(url, **refused):
                pass
    rebound = f"ws://evil.test:{service.port}/api/live"
    with pytest.raises(InvalidStatus):
        async with connect(rebound, host="127.0.0.1", port=service.port):
            pass
    async with connect(url) as live:
        await live.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            await ends(live)
    assert (await service.ask("GET", "health")).status_code == 200


async def test_a_port_in_use_and_a_bad_file_are_one_clear_line_and_exit_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, said = await refused("run", "--port", port, "--folder", tmp_path / "data")
    assert status == 2
    assert port in said
    assert "Traceback" not in said
    status, said = await refused("run", config(tmp_path, "nonsense = 1"), "--port", "0")
    assert status == 2
    assert "nonsense" in said
    assert "Traceback" not in said


async def refused(*arguments: str | Path) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from api.cli import main; main()",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode, out.decode()
