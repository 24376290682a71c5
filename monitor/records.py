"""The journal's records, shared by the hub, the journal, the reports and the live feed.

A record is one row: something that happened and is never lost. ``seq`` is the row id. Names and
notes of people live in side tables (see monitor/journal/); here they are already joined in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from config.spec import Phase
from monitor.metrics import Value
from monitor.rules.model import Alert


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


class Part(_Record):
    """One group of sources in a take: its roll and cut, engine axis and UTC."""

    group: str
    roll_ns: int
    roll_utc_ns: int
    cut_ns: int | None = None
    cut_utc_ns: int | None = None


class Take(_Record):
    """One take, whole. ``id`` never changes, whatever is edited."""

    id: str
    production: str
    unit: str
    day: str
    """The shooting day's name, by default its ISO date; the day changes at 06:00 local time."""
    scene: str
    slate: str
    take: int
    notes: str = ""
    circled: bool = False
    false_start: bool = False
    parts: list[Part] = Field(default_factory=list)
    deleted: bool = False
    loudness: dict[str, float | None] = Field(default_factory=dict)
    """Programme loudness by source and metric at the cut, ``source/metric``."""

    @property
    def rolling(self) -> bool:
        """Whether any part is still rolling."""
        return any(part.cut_ns is None for part in self.parts)


class GapRecord(_Record):
    """A gap, as the worker counted it or as the service saw it (source ``service``)."""

    source: str
    stream: int | None
    amount: float
    unit: str
    reason: str
    t_ns: int


class SourceRecord(_Record):
    """A source changed its state."""

    source: str
    state: str
    why: str | None
    t_ns: int


class AlertBody(_Record):
    """An alert's transition."""

    kind: Literal["alert"] = "alert"
    what: str
    alert: Alert


class TakeBody(_Record):
    """A take was rolled, cut or edited."""

    kind: Literal["take"] = "take"
    what: Literal["rolled", "cut", "edited", "moved", "deleted", "restored"]
    take: Take


class GapBody(_Record):
    """Something is known to be lost."""

    kind: Literal["gap"] = "gap"
    gap: GapRecord


class SourceBody(_Record):
    """A source's state changed."""

    kind: Literal["source"] = "source"
    source: SourceRecord


class PhaseBody(_Record):
    """The phase changed."""

    kind: Literal["phase"] = "phase"
    phase: Phase


class LinedUp(_Record):
    """What one channel showed in the line-up; unknown is null, a tone that never came too."""

    name: str
    heard: bool
    muted: bool = False
    noise_floor_dbfs: float | None = None
    tone_hz: float | None = None
    tone_level_dbfs: float | None = None
    tone_thdn_db: float | None = None


class LineUpBody(_Record):
    """The line-up of a source was learned: the proof, and the baseline its day goes by."""

    kind: Literal["line_up"] = "line_up"
    source: str
    source_name: str
    channels: list[LinedUp]
    baseline: dict[str, Value]


class NoticeBody(_Record):
    """Something about the monitor itself: journal lost, disk short, coarser counts."""

    kind: Literal["notice"] = "notice"
    text: str
    level: Literal["info", "warning"] = "info"


Body = Annotated[
    AlertBody | TakeBody | GapBody | SourceBody | PhaseBody | LineUpBody | NoticeBody,
    Field(discriminator="kind"),
]


class Record(_Record):
    """One row of the journal."""

    seq: int
    utc_ns: int
    t_ns: int
    boot_id: str
    production: str
    unit: str
    day: str
    who: str | None = None
    durable: bool = True
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """One second of one stream, readings merged. ``utc_s`` is the second it began in."""

    source: str
    stream: int
    utc_s: int
    t_ns: int
    intervals: int
    values: Mapping[str, Value]
