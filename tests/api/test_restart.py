"""A service that starts again over what a disk has made of its journal."""

import sqlite3
from pathlib import Path

import pytest

from monitor.journal.reader import FILE_NAME, open_readonly
from tests.api.service_in_process import a_service


@pytest.mark.parametrize("key", ["engine", "next_take"])
async def test_damaged_state_neither_stops_the_start_nor_loses_the_take(
    tmp_path: Path, key: str
) -> None:
    async with a_service(tmp_path) as (service, _):
        hub = service.session.hub
        hub.book.set_groups(["sound"])
        take = hub.roll(1, "Ada", scene="7")
        service.session.apply()
    with sqlite3.connect(tmp_path / FILE_NAME) as db:
        changed = db.execute("UPDATE checkpoints SET value = '{\"x' WHERE key = ?", (key,))
        assert changed.rowcount == 1
    db.close()
    async with a_service(tmp_path) as (service, _):
        assert [known.id for known in service.session.hub.book.takes] == [take.id]
        assert service.session.alive()
    bodies = [record.body for record in open_readonly(tmp_path).records()]
    told = [body.text for body in bodies if body.kind == "notice" and body.level == "warning"]
    assert any("state of the alerts was damaged" in text for text in told) == (key == "engine")
