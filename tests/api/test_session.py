"""A session's own loops."""

import asyncio
from pathlib import Path

import pytest

from monitor.hub.hub import Hub
from tests.api.service_in_process import a_service


async def test_one_moment_that_cannot_be_judged_does_not_end_judging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judged = asyncio.Event()
    calls, tick = [0], Hub.tick

    def broken_twice(hub: Hub, t_ns: int) -> object:
        calls[0] += 1
        if calls[0] <= 2:
            raise ZeroDivisionError("an odd moment")
        judged.set()
        return tick(hub, t_ns)

    monkeypatch.setattr(Hub, "tick", broken_twice)
    async with a_service(tmp_path) as (service, _):
        await asyncio.wait_for(judged.wait(), 10)
        assert service.session.alive()
    assert [record.message for record in caplog.records if record.exc_info] == [
        "service: a moment could not be judged"
    ]
