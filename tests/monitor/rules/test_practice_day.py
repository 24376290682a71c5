"""The recorded practice day: every scripted fault is told, and nothing else is grave."""

import gzip
import itertools
import json
from pathlib import Path

import pytest

from config.loading import load_spec
from config.spec import Phase
from monitor.lines import decode_out
from monitor.rules.engine import Engine
from monitor.rules.model import Alert, Transition
from monitor.rules.sources import SourceFacts
from monitor.rules.table import rules_for

DAY = Path(__file__).parents[2] / "fixtures" / "practice_day.jsonl.gz"
PHASES: dict[str, Phase] = {
    "line_up": "line_up", "line_up_done": "idle", "roll": "rolling", "cut": "idle",
}  # fmt: skip


def play(restart_every: int | None = None) -> list[Transition]:
    lines = gzip.decompress(DAY.read_bytes()).decode().splitlines()
    head = json.loads(lines[0])
    facts = {
        s["id"]: SourceFacts(
            id=s["id"], name=s["name"], department=s["department"], group=s["group"],
            practice=True, programme=tuple(c - 1 for c in s["programme"] or []) or None,
        )
        for s in head["sources"]
    }  # fmt: skip
    ids = itertools.count()

    def new() -> Engine:
        return Engine(
            rules_for(load_spec("tv-25p-hd"), "feed"), facts, new_id=lambda: f"a{next(ids)}"
        )

    engine, t_ns = new(), 0
    told: list[Transition] = []
    for number, text in enumerate(lines[1:]):
        row = json.loads(text)
        t_ns = max(t_ns, row["t_ns"])
        if "line" in row:
            told += engine.line(decode_out(json.dumps(row["line"])), row["t_ns"])
        elif row["do"] in PHASES:
            told += engine.set_phase(PHASES[row["do"]], row["t_ns"])
        if restart_every and number % restart_every == 0:
            state, engine = engine.state(), new()
            engine.restore(state)
    return told + engine.tick(t_ns + 10**10)


@pytest.fixture(scope="module")
def told() -> list[Transition]:
    return play()


def of(told: list[Transition]) -> list[Alert]:
    last = {t.alert.id: t.alert for t in told if t.alert.active_ns is not None}
    return list(last.values())


def test_every_scripted_fault_is_told_in_its_take_and_nothing_else(
    told: list[Transition],
) -> None:
    graver = [a for a in of(told) if a.severity != "NOTE"]
    assert [(a.source, a.rule, a.severity, a.channel_name) for a in graver] == [
        ("sound", "audio.clipping", "FAULT", "Boom"),
        ("cam-b", "video.freeze", "CHECK", None),
        ("sound", "audio.silence", "CHECK", "Ana"),
        ("cam-a", "video.frames_dropped", "CHECK", None),
        ("sound", "source.lost", "CHECK", None),
    ]


def test_the_black_picture_after_the_cut_is_followed_but_not_told(told: list[Transition]) -> None:
    assert not [alert for alert in of(told) if alert.rule == "video.black"]


def test_the_day_replayed_with_restarts_gives_the_same_alerts(told: list[Transition]) -> None:
    assert play(restart_every=700) == told
