"""Alerts as data. Rules are rows of a spec, see ``config/spec.py`` and ``docs/rules.md``.

An alert is one episode of one rule at one place. Times ``t_..._ns`` are capture times on the
engine's axis: monotonic nanoseconds live, media time in a file.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from config.spec import RANK, Cause, Department, Severity

__all__ = [
    "LEVEL_STEP_S",
    "RANK",
    "UNTIL_CUT",
    "Acknowledgement",
    "Alert",
    "Condition",
    "Place",
    "Transition",
]

Condition = Literal["pending", "active", "cleared"]
UNTIL_CUT = -1
LEVEL_STEP_S = 0.05  # 5 s are 100 numbers: what a sparkline can show, 600 bytes


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


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


class LevelTrace(_Model):
    """The highest sample of a channel in steps around an alert, dBFS, oldest first.

    ``start_s`` counts from the alert's onset, negative before it; unknown is null, digital silence
    -120.
    """

    start_s: float
    step_s: float = LEVEL_STEP_S
    values: list[float | None]


class Alert(_Model):
    """An alert's whole state; every transition is journalled as one of these.

    ``onset_ns`` is when the condition began, ``active_ns`` when the on-delay had passed,
    ``cleared_ns`` when the off-delay had. ``severity`` is the highest it ever had.
    ``shelved_until_ns`` is ``UNTIL_CUT`` (-1) when it is shelved until the cut, None when not
    shelved.
    ``muted_ns`` is since when its channel is marked as muted on purpose, None when it is not.
    ``channels`` are all it is about: of a pair both, named together in ``channel_name``.
    ``suppressed_by`` is the id of the alert that caused it.
    ``group`` is the id of the first alert of its row and place in the take; empty while pending.
    """

    id: str
    group: str = ""
    rule: str
    department: Department
    source: str
    source_name: str
    stream: int | None = None
    channel: int | None = None
    channel_name: str | None = None
    channels: list[int] = Field(default_factory=list)
    severity: Severity
    condition: Condition
    latched: bool = False
    acknowledged: Acknowledgement | None = None
    suppressed_by: str | None = None
    shelved_until_ns: int | None = None
    muted_ns: int | None = None
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
    ebu_qc: list[str] = Field(default_factory=list)
    cause: Cause | None = None
    take: str | None = None
    timecode: str | None = None
    trace: LevelTrace | None = None


class Transition(_Model):
    """One step in an alert's life: what happened, when, and the alert as it now is."""

    t_ns: int
    what: Literal[
        "pending",
        "active",
        "raised",
        "updated",
        "cleared",
        "dropped",
        "acknowledged",
        "unlatched",
        "suppressed",
        "unsuppressed",
        "shelved",
        "unshelved",
        "muted",
        "unmuted",
    ]
    alert: Alert
