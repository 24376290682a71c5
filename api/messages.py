"""What the page and the service say to each other: the WebSocket's messages and REST bodies.

The page's TypeScript types are generated from this file; a test keeps them equal.

``/api/live`` sends JSON text messages (:data:`ServerMessage`) and binary meter snapshots. A binary
message is little-endian float32: word 0 is the number of their layout, word 1 the age of the oldest
value in seconds, then the values in the order of ``Hello.meters``: unknown is a quiet NaN.
The client sends nothing but ``{"type": "pong"}``.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from config.spec import Department, Phase
from monitor.lines import Stream
from monitor.records import LinedUp, Record, Take
from monitor.rules.model import Alert

PROTOCOL = 1
HEARTBEAT_S = 0.25
METERS_HZ = 25
REPLAY_LIMIT = 10_000
CLIENT_QUEUE = 256

Word = Literal["OK", "STANDBY", "CHECK", "FAULT", "NOT MONITORED"]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class MeterSlot(_Message):
    """Where one metric of one stream lies in the binary snapshot."""

    source: str
    stream: int
    metric: str
    offset: int
    count: int


class MutedView(_Message):
    """A channel marked as muted on purpose: by whom, and since when."""

    stream: int
    channel: int
    who: str
    since_utc_ns: int


class LineUpView(_Message):
    """The line-up of a source: when it was learned and by whom, what its channels show now.

    ``channels`` is empty while no line-up is on; ``learned`` counts the channels that were learned.
    """

    learned_utc_ns: int | None = None
    who: str | None = None
    learned: int = 0
    channels: list[LinedUp] = Field(default_factory=list)


class SourceView(_Message):
    """One source as the page shows it."""

    id: str
    name: str
    kind: str
    group: str
    department: Department
    practice: bool
    state: str
    why: str | None
    since_utc_ns: int
    last_seen_utc_ns: int | None
    streams: list[Stream]
    programme: list[int] | None = None
    still: str | None = None
    """Address of the newest still, changes with each."""
    words: dict[str, str] = Field(default_factory=dict)
    """Metrics that are words, such as pixel_format."""
    muted: list[MutedView] = Field(default_factory=list)
    line_up: LineUpView = LineUpView()


class Glance(_Message):
    """The state word of a department, its headline, and one line to say at the cut."""

    department: Department
    word: Word
    subject: str
    detail: str
    say: str
    since_utc_ns: int


class SpecView(_Message):
    """The spec in force, as the page quotes it."""

    name: str
    title: str
    stage: str
    limits: dict[str, str]
    """Rule name to the limit in words, for example ``video.frame_rate``: ``25``."""
    peak_max_dbfs: float | None = None
    target_min_dbfs: float | None = None
    target_max_dbfs: float | None = None


class SessionView(_Message):
    """What this service is doing: nothing yet, practising, or monitoring."""

    mode: Literal["first_run", "practice", "monitoring"]
    production: str
    unit: str
    day: str
    recording: bool
    """False: the journal cannot be written, NOT RECORDED is shown."""
    role: Literal["view", "log", "operate"]
    who: str


class Hello(_Message):
    """First message on connect."""

    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL
    version: str
    journal_id: str
    server_utc_ns: int
    missed: int = 0
    """Records missed since ``?since=`` that are not replayed (a snapshot stands in)."""
    heartbeat_s: float = HEARTBEAT_S
    meters: list[MeterSlot]
    layout: int
    """Number of this layout; a new one comes as a ``layout`` message."""


class Layout(_Message):
    """The layout of the binary meters changed."""

    type: Literal["layout"] = "layout"
    layout: int
    meters: list[MeterSlot]


class Snapshot(_Message):
    """Everything the page needs to draw itself from nothing."""

    type: Literal["snapshot"] = "snapshot"
    seq: int
    session: SessionView
    spec: SpecView
    phase: Phase
    sources: list[SourceView]
    glance: list[Glance]
    alerts: list[Alert]
    """Those that stand, and the ended ones of the takes below: what a take's verdict rests on."""
    takes: list[Take]
    """The day's newest 50 takes, newest last."""
    next_take: Take
    """The slate fields the next roll will use."""
    clock_offset_ns: int
    """UTC minus the engine's axis, so that the page can show ages of ``..._ns`` times."""


class RecordMessage(_Message):
    """A row of the journal, as soon as it is durable (or after 50 ms, ``durable: false``)."""

    type: Literal["record"] = "record"
    record: Record


class Confirm(_Message):
    """A record sent as not durable is durable now."""

    type: Literal["confirm"] = "confirm"
    seq: int


class View(_Message):
    """What changed in the page's derived state; sent merged, newest wins."""

    type: Literal["view"] = "view"
    session: SessionView
    phase: Phase
    sources: list[SourceView]
    glance: list[Glance]
    next_take: Take


class Heartbeat(_Message):
    """Four times a second; the page goes NOT MONITORED 1.5 s after the last one."""

    type: Literal["heartbeat"] = "heartbeat"
    server_utc_ns: int


ServerMessage = Annotated[
    Hello | Layout | Snapshot | RecordMessage | Confirm | View | Heartbeat,
    Field(discriminator="type"),
]


class RollRequest(_Message):
    """Body of ``POST /api/takes``. Empty groups: all."""

    scene: str | None = Field(default=None, max_length=32)
    slate: str | None = Field(default=None, max_length=32)
    take: int | None = Field(default=None, ge=1, le=9999)
    groups: list[str] | None = Field(default=None, max_length=32)
    back_s: float = Field(default=0.0, ge=0, le=60)


class CutRequest(_Message):
    """Body of ``POST /api/takes/current/cut``. Empty groups: all that roll."""

    groups: list[str] | None = Field(default=None, max_length=32)


class TakeEdit(_Message):
    """Body of ``PATCH /api/takes/{id}`` (``next`` edits the slate of the next roll)."""

    scene: str | None = Field(default=None, max_length=32)
    slate: str | None = Field(default=None, max_length=32)
    take: int | None = Field(default=None, ge=1, le=9999)
    notes: str | None = Field(default=None, max_length=4000)
    circled: bool | None = None
    false_start: bool | None = None
    deleted: bool | None = None
    roll_back_s: float | None = Field(default=None, ge=0, le=60)


class ShelveRequest(_Message):
    """Body of ``POST /api/shelves``: rule × source × channel, with a reason."""

    rule: str = Field(max_length=64)
    source: str = Field(max_length=64)
    channel: int | None = Field(default=None, ge=0, le=255)
    until: Literal["cut", "5min", "15min", "60min"]
    reason: str = Field(min_length=1, max_length=200)


class MuteRequest(_Message):
    """Body of ``POST /api/mutes``: a channel that is digitally silent on purpose."""

    source: str = Field(max_length=64)
    stream: int = Field(ge=0, le=255)
    channel: int = Field(ge=0, le=255)


class IntegrationRequest(_Message):
    """Body of ``POST /api/integration``: integrated values of one source, all together."""

    source: str = Field(max_length=64)
    do: Literal["pause", "continue", "reset"]


class PhaseRequest(_Message):
    """Body of ``PUT /api/line-up``: start or end the line-up."""

    line_up: bool


class LearnRequest(_Message):
    """Body of ``POST /api/line-up/learn``: nothing to say."""


class SessionRequest(_Message):
    """Body of ``POST /api/session``: start practice feeds, or watch inputs that were found."""

    practice: bool = False
    inputs: list[Annotated[int, Field(ge=0)]] = Field(default_factory=list, max_length=64)
    """Indices into ``GET /api/inputs``."""


class PairRequest(_Message):
    """Body of ``POST /api/devices``: the link's token exchanged for a session."""

    token: str = Field(min_length=16, max_length=128)
    name: str = Field(min_length=1, max_length=64)
    department: Literal["sound", "camera", "script", "production", "post"]
