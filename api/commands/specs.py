"""``takewatch specs``: the technical specs there are, and what one of them asks."""

import json
from pathlib import Path

import click

from api.cli import MISUSE
from api.output import Word, put
from config.comments import sources_of
from config.loading import ConfigError, load_spec, preset_names, spec_path
from config.rows import STAGES
from config.spec import Rule, Spec, Stage
from monitor.rules.metric import unit_of
from monitor.rules.table import metric_keys, rules_for
from monitor.rules.words import limit_text

FORMATS = ("text", "json")
NOT_SAID = "(no source given)"
Row = dict[str, object]


@click.command(name="specs", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", required=False, metavar="[NAME_OR_FILE]")
@click.option(
    "--format", "form", type=Word(FORMATS), default="text", show_default=True, metavar="FORMAT",
    help=f"What is written: {', '.join(FORMATS)}.",
)  # fmt: skip
def command(name: str | None, form: str) -> None:
    """List the technical specs, or show what one asks and where its figures come from.

    NAME_OR_FILE is a preset's name or the path of a spec file of your own.
    """
    if name is None:
        listed = [_head(preset, load_spec(preset)) for preset in preset_names()]
        put(_json(listed) if form == "json" else _list_text(listed), None)
        return
    try:
        shown = described(name)
    except ConfigError as error:
        click.echo(f"Error: {error}", err=True)
        raise SystemExit(MISUSE) from None
    put(_json(shown) if form == "json" else _spec_text(shown), None)


def _head(name: str, spec: Spec) -> dict[str, str]:
    return {"name": name, "title": spec.title, "source": spec.source}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def described(name: str) -> dict[str, object]:
    """Return a spec as data: its limits by stage, in words too. Raises ``ConfigError``."""
    path = spec_path(name, Path.cwd())
    spec = load_spec(name, Path.cwd(), None if name in preset_names() else _metrics())
    sources = sources_of(path.read_text(encoding="utf-8-sig"))
    stages = {stage: _rows(spec, stage, sources.get(stage, {})) for stage in STAGES}
    return {**_head(name, spec), "stages": stages}


def _metrics() -> frozenset[str]:
    import monitor.measure  # noqa: F401  declares them all; costs a second, so only here

    return metric_keys() | {"storage_left_min"}


def _rows(spec: Spec, stage: Stage, sources: dict[str, str]) -> list[Row]:
    limits = getattr(spec, stage).limits
    rules = {rule.key: rule for rule in rules_for(spec, stage)}
    return [_row(rules[key], sources.get(key, "")) for key in limits]


def _row(rule: Rule, source: str) -> Row:
    unit = unit_of(rule.metric) if rule.metric else ""
    words = limit_text(rule.limit, unit)
    return {
        "rule": rule.key,
        "limit": rule.limit.model_dump(exclude_none=True) if rule.limit else {},
        "text": words if unit in ("", "bit/s") else f"{words} {unit}",
        "unit": unit,
        "severity": [step.severity for step in rule.rolling],
        "source": source,
    }


def _columns(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    )
    return "".join(f"  {line.rstrip()}\n" for line in lines)


def _list_text(listed: list[dict[str, str]]) -> str:
    table = _columns([(spec["name"], spec["title"]) for spec in listed])
    return f"{table}\nWhat one of them asks: takewatch specs {listed[0]['name']}\n"


def _spec_text(shown: dict[str, object]) -> str:
    text = f"{shown['title']}\nSource: {shown['source']}\n"
    stages = shown["stages"]
    assert isinstance(stages, dict)
    for stage, rows in stages.items():
        text += f"\n{stage}\n" + (_columns([_cells(r) for r in rows]) if rows else "  no limits\n")
    return text + "\nThe rules that need no limit always apply: docs/rules.md.\n"


def _cells(row: Row) -> tuple[str, ...]:
    severities = row["severity"]
    assert isinstance(severities, list)
    return (
        str(row["rule"]),
        str(row["text"]),
        ", then ".join(severities),
        str(row["source"]) or NOT_SAID,
    )
