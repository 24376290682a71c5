"""The default rules' rows, and how a spec changes them."""

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.errors import Fault, nearest, one_of, shown
from config.faults import faults_of, model_keys
from config.spec import RULE_NAMES, Limit, Row, Rule, Spec, Stage, StageSpec

PRESETS = Path(__file__).parent / "presets"
STAGES: tuple[Stage, ...] = ("feed", "recording", "delivery")
FIXED = frozenset({"name", "part", *STAGES})  # what makes a row this row


@cache
def default_rows() -> tuple[Row, ...]:
    """Return the rows of ``presets/rules.toml``, in its order."""
    document = tomllib.loads((PRESETS / "rules.toml").read_text())
    return tuple(Row.model_validate(row) for row in document["rule"])


def cell_names() -> set[str]:
    """Return the cells of a row that a spec may change."""
    return model_keys(Rule) - FIXED


def _merged(row: Row, stage: Stage, spec: StageSpec) -> dict[str, Any]:
    cells: dict[str, Any] = row.model_dump(exclude={"feed", "recording", "delivery"})
    cells |= getattr(row, stage)
    cells |= spec.rules.get(row.key, {})
    limit = spec.limits.get(row.key)
    return cells | ({"limit": limit.model_dump()} if limit else {})


def rows_for(spec: Spec | None, stage: Stage) -> list[Rule]:
    """Return the default rows as this spec and stage make them. The spec must be valid."""
    stage_spec = getattr(spec, stage) if spec else StageSpec()
    return [Rule.model_validate(_merged(row, stage, stage_spec)) for row in default_rows()]


def _unknown_rule(path: str, name: str) -> Fault | None:
    keys = {row.key for row in default_rows()}
    if name in keys:
        return None
    if name.partition("/")[0] in RULE_NAMES and "/" not in name:
        expected = "a rule that is measured already"
    else:
        expected = "a rule's name"
    return Fault(path=path, found=shown(name), expected=expected, suggestion=nearest(name, keys))


def _cell_faults(
    path: str, row: Row, cells: Mapping[str, object], metrics: Collection[str] | None
) -> list[Fault]:
    faults = [
        Fault(
            path=f"{path}.{cell}",
            found="an unknown key",
            expected=one_of(sorted(cell_names())),
            suggestion=nearest(cell, cell_names()),
        )
        for cell in cells
        if cell not in cell_names()
    ]
    known = {cell: value for cell, value in cells.items() if cell in cell_names()}
    document = {"name": row.name, "department": row.department, "kind": row.kind} | known
    try:
        Rule.model_validate(document)
    except ValidationError as error:
        found = faults_of(error, document, lambda _: ())
        faults += [
            Fault(
                path=f"{path}.{fault.path}",
                found=fault.found,
                expected=fault.expected,
                suggestion=fault.suggestion,
            )
            for fault in found
        ]
    for cell in ("metric", "error_metric"):
        value = known.get(cell)
        if metrics is not None and isinstance(value, str) and value not in metrics:
            faults.append(
                Fault(
                    path=f"{path}.{cell}",
                    found=shown(value),
                    expected="a metric's key",
                    suggestion=nearest(value, metrics),
                )
            )
    return faults


def is_number(value: object) -> bool:
    """Say whether this is a number or a fraction written as text, ``24000/1001``."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        number(value)
    except (ValueError, ZeroDivisionError):
        return False
    return True


def number(value: float | str) -> float:
    """Return a limit's number; fractions may be written ``24000/1001``."""
    if isinstance(value, str):
        top, _, bottom = value.partition("/")
        return float(top) / float(bottom or 1)
    return float(value)


def _limit_fault(path: str, row: Row, limit: Limit) -> Fault | None:
    needed = {"above": ("max",), "below": ("min",), "differs": ("value", "one_of")}.get(row.kind)
    if needed and all(getattr(limit, key) is None for key in needed):
        expected = " or ".join(f"{key} = …" for key in needed)
        return Fault(path=path, found=f"no {' or '.join(needed)}", expected=expected)
    if row.kind == "outside":
        if limit.value is None and limit.min is None and limit.max is None:
            return Fault(path=path, found="no bound", expected="value, min or max")
        if limit.value is not None and not is_number(limit.value):
            expected = 'a number or a fraction such as "24000/1001"'
            return Fault(path=f"{path}.value", found=shown(limit.value), expected=expected)
    if row.kind in ("event", "gap", "state"):
        return Fault(path=path, found="a limit", expected="none: this rule goes by events")
    return None


def spec_faults(spec: Spec, metrics: Collection[str] | None = None) -> list[Fault]:
    """Return what is wrong with a spec's rules and limits; ``metrics``: the keys there are."""
    rows = {row.key: row for row in default_rows()}
    faults: list[Fault] = []
    for stage in STAGES:
        part: StageSpec = getattr(spec, stage)
        for table, names in (("limits", part.limits), ("rules", part.rules)):
            unknown = (_unknown_rule(f'{stage}.{table}."{name}"', name) for name in names)
            faults += [fault for fault in unknown if fault]
        for name, limit in part.limits.items():
            if name in rows:
                fault = _limit_fault(f'{stage}.limits."{name}"', rows[name], limit)
                faults += [fault] if fault else []
        for name, cells in part.rules.items():
            if name in rows:
                faults += _cell_faults(f'{stage}.rules."{name}"', rows[name], cells, metrics)
    return faults
