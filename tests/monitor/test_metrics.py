"""What the line-up learns, and what is said of it."""

import re
from pathlib import Path

import monitor.measure  # noqa: F401  declares the metrics
from monitor.metrics import METRICS, Value, baseline_of

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_line_up_learns_the_declared_metrics_only() -> None:
    values: dict[str, Value] = {
        "noise_floor_dbfs": [-60.0, None],
        "rms_dbfs": [-20.0, -20.0],
        "unheard_of": 1.0,
    }
    assert baseline_of(values) == {"noise_floor_dbfs": [-60.0, None]}


def test_what_is_unknown_is_not_learned() -> None:
    assert baseline_of({"noise_floor_dbfs": [None, None]}) == {}
    assert baseline_of({"noise_floor_dbfs": None}) == {}


def test_the_page_names_what_the_line_up_learns() -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("## What the line-up learns")[2].partition("\n## ")[0]
    learned = {key for key, metric in METRICS.items() if metric.baseline}
    assert set(re.findall(r"`(\w+)`", section)) == learned
