"""Journal → replay → same alerts: the recorded practice day through the hub, twice."""

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from config.loading import load_spec
from config.settings import SourceSettings
from monitor.hub.hub import Entry, Hub
from monitor.line_log import FOLDER, Control, LineLog, replay
from monitor.lines import Hello, OutLine, decode_out
from monitor.records import AlertBody, SourceBody, TakeBody
from monitor.rules.table import rules_for
from tests.record_practice_day import practice_day, practice_lines

TICK_NS = 100_000_000
Row = tuple[int, OutLine | Control]


def rows() -> Iterator[Row]:
    for row in itertools.islice(practice_day(), 1, None):
        t_ns = row["t_ns"]
        assert isinstance(t_ns, int)
        if "line" in row:
            yield t_ns, decode_out(json.dumps(row["line"]))
        else:
            yield t_ns, Control(str(row["do"]), {})


def a_hub() -> Hub:
    head = next(practice_day())
    sources = head["sources"]
    assert isinstance(sources, list)
    boot_id = next(line.boot_id for _, line in practice_lines() if isinstance(line, Hello))
    ids = itertools.count()
    return Hub(
        [SourceSettings.model_validate(source) for source in sources],
        rules_for(load_spec("tv-25p-hd"), "feed"),
        production="P",
        unit="U",
        boot_id=boot_id,
        day=lambda utc_ns: "2026-11-23",
        new_id=lambda: f"id{next(ids)}",
    )


def act(hub: Hub, control: Control, t_ns: int) -> None:
    match control.what:
        case "line_up" | "line_up_done":
            hub.set_line_up(control.what == "line_up", t_ns, "Ada")
        case "roll":
            hub.roll(t_ns, "Ada")
        case "cut":
            hub.cut(t_ns, "Ada")


def played(hub: Hub, rows: Iterable[Row]) -> list[Entry]:
    """Play rows into a hub, letting time pass in even steps."""
    entries: list[Entry] = []
    tick_ns: int | None = None
    for t_ns, row in rows:
        tick_ns = tick_ns or t_ns
        while tick_ns + TICK_NS <= t_ns:
            tick_ns += TICK_NS
            hub.tick(tick_ns)
        if isinstance(row, Control):
            act(hub, row, t_ns)
        else:
            hub.line(row, t_ns)
        entries += hub.drain().entries
    return entries


@pytest.fixture(scope="module")
def told() -> list[Entry]:
    return played(a_hub(), rows())


def test_the_line_log_replays_to_the_same_records(tmp_path: Path, told: list[Entry]) -> None:
    log = LineLog(tmp_path, 2**30)
    log.start()
    for t_ns, row in rows():
        if isinstance(row, Control):
            log.control(row.what, t_ns)
        else:
            log.line(row, t_ns)
    log.close(30)
    assert log.lost == 0
    assert len([e for e in told if isinstance(e.body, AlertBody)]) > 10
    assert played(a_hub(), replay(tmp_path / FOLDER)) == told


def test_the_practice_day_s_faults_lie_in_their_takes(told: list[Entry]) -> None:
    alerts = [e.body.alert for e in told if isinstance(e.body, AlertBody)]
    takes = {e.body.take.id for e in told if isinstance(e.body, TakeBody)}
    graver = {a.rule for a in alerts if a.severity != "NOTE" and a.take in takes}
    assert {"audio.clipping", "video.freeze"} <= graver
    states = {e.body.source.state for e in told if isinstance(e.body, SourceBody)}
    assert {"live", "lost"} <= states
