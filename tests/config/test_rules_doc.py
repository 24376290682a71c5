"""docs/rules.md holds every key of a row and every default rule, as they are."""

from pathlib import Path

from config.rows import default_rows
from config.spec import Limit, Phase, Row, Rule, Step

DOC = Path(__file__).parents[2] / "docs" / "rules.md"
PHASES: tuple[Phase, ...] = ("idle", "line_up", "rolling")
NONE = "–"


def step_text(step: Step) -> str:
    words: list[str] = [step.severity]
    if step.count > 1:
        words.append(f"from {step.count}")
    if step.within_s is not None:
        words.append(f"in {step.within_s:g} s")
    if step.after_s:
        words.append(f"after {step.after_s:g} s")
    if step.only:
        words.append(f"({step.only})")
    return " ".join(words)


def steps_text(steps: list[Step]) -> str:
    return ", ".join(map(step_text, steps)) or NONE


def differences(row: Row) -> str:
    """Return what a recording and a delivery change: severities while rolling, and delays."""
    found = []
    for stage in ("recording", "delivery"):
        cells = getattr(row, stage)
        if not cells:
            continue
        changed = Rule.model_validate(
            row.model_dump(exclude={"feed", "recording", "delivery"}) | cells
        )
        parts = []
        if "rolling" in cells:
            parts.append(steps_text(changed.rolling))
        if "on_delay_s" in cells:
            parts.append(f"on-delay {changed.on_delay_s:g} s")
        if "suppresses" in cells:
            parts.append(f"suppresses {', '.join(changed.suppresses) or 'nothing'}")
        found.append(f"{stage}: {', '.join(parts)}")
    return "; ".join(found) or NONE


def judged_by(row: Row) -> str:
    by = row.metric or row.event or ""
    return f"{row.kind} `{by}`" if by else row.kind


def limit_text(limit: Limit | None) -> str:
    if limit is None:
        return NONE
    given = limit.model_dump(exclude_none=True, exclude_defaults=True)
    return ", ".join(f"{key} {value}" for key, value in given.items())


def line(row: Row) -> str:
    latch = row.latch if len(row.latch_in) == len(PHASES) else f"{row.latch}, if {row.latch_in[0]}"
    cells = [
        f"`{row.key}`", judged_by(row), limit_text(row.limit),
        f"{row.on_delay_s:g} / {row.off_delay_s:g}", latch,
        *(steps_text(getattr(row, phase)) for phase in PHASES), differences(row),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def table() -> str:
    head = "| rule | judges | limit | on / off delay, s | latched until | idle | line-up | rolling "
    return "\n".join(
        [head + "| in a file |", "|" + " --- |" * 9, *(line(row) for row in default_rows())]
    )


def test_the_doc_holds_every_default_rule_as_it_is() -> None:
    assert table() in DOC.read_text(), f"the table should read:\n{table()}"


def test_the_doc_explains_every_key_of_a_row_a_step_and_a_limit() -> None:
    text = DOC.read_text()
    for model in (Rule, Step, Limit):
        for key in model.model_fields:
            assert f"| `{key}` |" in text, f"{model.__name__}.{key}"


def test_the_doc_shows_what_each_rule_says() -> None:
    text = DOC.read_text()
    for row in default_rows():
        assert f"| `{row.key}` | {row.message} | {row.advice} |" in text, row.key
