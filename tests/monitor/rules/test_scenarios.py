from collections import Counter
from typing import Any

import pytest

from tests.monitor.rules.scenario import FOLDER, bare, load, short, started

SCENARIOS = [pair for path in sorted(FOLDER.glob("*.toml")) for pair in load(path)]


@pytest.mark.parametrize("scenario", [s for _, s in SCENARIOS], ids=[n for n, _ in SCENARIOS])
def test_a_timeline_gives_exactly_its_transitions(scenario: dict[str, Any]) -> None:
    run = started(scenario)
    for step in scenario["at"]:
        told = [short(t) for t in run.step(step) if t.what != "pending"]
        assert told == step.get("expect", []), step
        if "alerts" in step:
            assert [f"{a.rule} {a.severity}" for a in run.engine.alerts()] == step["alerts"], step
        if "suppressed" in step:
            hidden = [a.rule for a in run.engine.alerts() if a.suppressed_by is not None]
            assert hidden == step["suppressed"], step
        if "muted" in step:
            told = [a.rule for a in run.engine.alerts() if a.muted_ns is not None]
            assert told == step["muted"], step
        if "groups" in step:
            sizes = Counter(a.group for a in run.engine.alerts())
            assert list(sizes.values()) == step["groups"], step
        if "message" in step:
            assert run.told[-1].alert.message == step["message"]


@pytest.mark.parametrize("scenario", [s for _, s in SCENARIOS], ids=[n for n, _ in SCENARIOS])
def test_a_restart_before_any_step_changes_nothing(scenario: dict[str, Any]) -> None:
    straight, broken = started(scenario), started(scenario)
    for step in scenario["at"]:
        broken.step({"s": step["s"], "restart": True})
        straight.step(step)
        broken.step(step)
    assert [bare(t) for t in broken.told] == [bare(t) for t in straight.told]
