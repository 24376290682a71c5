"""The technical specification a production works to, and the rules it is made of.

A spec is a TOML file with ``[feed]``, ``[recording]`` and ``[delivery]``. Each stage names limits
by rule, and may change any cell of a row. The default rows are ``config/presets/rules.toml``.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Severity = Literal["NOTE", "CHECK", "FAULT"]
Phase = Literal["idle", "line_up", "rolling"]
Department = Literal["sound", "camera", "both"]
Stage = Literal["feed", "recording", "delivery"]
Latch = Literal["none", "cut", "acknowledged"]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z_]+$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Model):
    """From ``count`` faults (within a second where ``within_s`` is 1) the severity is this."""

    severity: Severity
    count: int = Field(default=1, ge=1)
    within_s: float | None = None
    after_s: float = Field(default=0.0, ge=0)
    """Only once the alert has been active this long."""


class Limit(_Model):
    """A limit: a bound either side, or a value with a tolerance. All in the metric's unit."""

    min: float | None = None
    max: float | None = None
    value: float | list[float] | str | None = None
    tolerance: float = 0.0


class Rule(_Model):
    """One row. ``metric`` or ``event``, never both; see docs/rules.md for every key."""

    name: str
    department: Department
    metric: str | None = None
    error_metric: str | None = None
    """The metric that holds this one's error bar: the rule fires only outside both."""
    event: str | None = None
    kind: str
    """How the rule judges: a name registered in monitor/rules."""
    limit: Limit | None = None
    dead_band: float = Field(default=0.0, ge=0)
    on_delay_s: float = Field(default=0.0, ge=0, le=3600)
    off_delay_s: float = Field(default=0.0, ge=0, le=3600)
    latch: Latch = "cut"
    grace_after_roll_s: float = Field(default=0.0, ge=0, le=60)
    """Live only: a NOTE at most this long after a roll."""
    idle: list[Step] = Field(default_factory=list)
    line_up: list[Step] = Field(default_factory=list)
    rolling: list[Step] = Field(default_factory=list)
    at_end: bool = False
    """Judged once, when the take or file ends (integrated loudness)."""
    message: str = ""
    advice: str = ""
    suppresses: list[str] = Field(default_factory=list)
    """Rules of the same source (all of them, or those of the same channel) this one silences."""


class StageSpec(_Model):
    """One stage of a spec: limits by rule name, and cells of rows that differ from the default."""

    limits: dict[RuleName, Limit] = Field(default_factory=dict)
    rules: dict[RuleName, dict[str, object]] = Field(default_factory=dict)


class Spec(_Model):
    """A whole spec file."""

    title: str
    source: str
    """Where the figures come from: standard, section, date."""
    feed: StageSpec = StageSpec()
    recording: StageSpec = StageSpec()
    delivery: StageSpec = StageSpec()
