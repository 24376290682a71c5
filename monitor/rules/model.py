"""Rules and alerts as data. The words are those of the design's table; see docs/rules.md.

A rule is a row of a spec: a metric or an event, a limit, delays, a latch, and what each phase makes
of it. An alert is one episode of one rule at one place. Times ``t_..._ns`` are capture times on the
engine's axis: monotonic nanoseconds live, media time in a file.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["NOTE", "CHECK", "FAULT"]
Phase = Literal["idle", "line_up", "rolling"]
Condition = Literal["pending", "active", "cleared"]
Department = Literal["sound", "camera", "both"]
Stage = Literal["feed", "recording", "delivery"]
Latch = Literal["none", "cut", "acknowledged"]
RANK: dict[str | None, int] = {None: 0, "NOTE": 1, "CHECK": 2, "FAULT": 3}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


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


class Place(_Model):
    """A point in media time."""

    ticks: int
    time_base: str
    epoch: int = 0


class Acknowledgement(_Model):
    """Who took note, and when (engine axis and UTC)."""

    who: str
    t_ns: int
    utc_ns: int


class Alert(_Model):
    """An alert's whole state; every transition is journalled as one of these.

    ``onset_ns`` is when the condition began, ``active_ns`` when the on-delay had passed,
    ``cleared_ns`` when the off-delay had. ``severity`` is the highest it ever had.
    """

    id: str
    rule: str
    department: Department
    source: str
    source_name: str
    stream: int | None = None
    channel: int | None = None
    channel_name: str | None = None
    severity: Severity
    condition: Condition
    latched: bool = False
    acknowledged: Acknowledgement | None = None
    suppressed_by: str | None = None
    shelved_until_ns: int | None = None
    onset_ns: int
    active_ns: int | None = None
    cleared_ns: int | None = None
    start: Place | None = None
    end: Place | None = None
    end_ns: int | None = None
    worst: float | list[float] | str | None = None
    limit: float | list[float] | str | None = None
    unit: str = ""
    count: int = 1
    count_1s: int = 1
    message: str = ""
    advice: str = ""
    take: str | None = None
    timecode: str | None = None


class Transition(_Model):
    """One step in an alert's life: what happened, when, and the alert as it now is."""

    t_ns: int
    what: Literal[
        "pending", "active", "raised", "updated", "cleared", "dropped",
        "acknowledged", "unlatched", "suppressed", "unsuppressed", "shelved", "unshelved",
    ]
    alert: Alert
