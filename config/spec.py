"""The technical specification a production works to, and the rules it is made of.

A spec is a TOML file with ``[feed]``, ``[recording]`` and ``[delivery]``. Each stage names limits
by rule, and may change any cell of a row. The default rows are ``config/presets/rules.toml``;
every key of a row is explained in ``docs/rules.md``.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Severity = Literal["NOTE", "CHECK", "FAULT"]
Phase = Literal["idle", "line_up", "rolling"]
Department = Literal["sound", "camera", "both"]
RANK: dict[str | None, int] = {None: 0, "NOTE": 1, "CHECK": 2, "FAULT": 3}
Stage = Literal["feed", "recording", "delivery"]
Latch = Literal["none", "cut", "acknowledged"]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z]+\.[a-z_]+(/[a-z_]+)?$")]
"""A rule's name, and after a slash its part where one rule is several rows (video.format/scan)."""

RULE_NAMES: tuple[str, ...] = (
    "audio.clipping", "audio.true_peak", "audio.peak", "audio.level_low", "audio.silence",
    "audio.dropout", "audio.clicks", "audio.hum", "audio.dc_offset", "audio.polarity",
    "audio.dual_mono", "audio.rumble", "audio.noise_floor", "audio.loudness", "audio.format",
    "audio.bitrate", "audio.clock_drift", "video.resolution", "video.frame_rate",
    "video.frames_dropped", "video.frames_repeated", "video.freeze", "video.black",
    "video.pixellation", "video.block_loss", "video.bitrate", "video.overexposed",
    "video.underexposed", "video.legal_range", "video.focus", "video.flicker", "video.format",
    "video.tearing", "video.hot_pixels", "video.colour_bars", "video.av_offset",
    "video.colour_shift",
    "source.lost", "source.stalled", "source.gap",
    "timecode.missing", "timecode.jump", "timecode.drift", "storage.low", "monitoring.lost",
    "monitoring.thinned",
)  # fmt: skip
"""Every rule's name there will be; they are stable and only ever added to."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Model):
    """From ``count`` faults (within a second where ``within_s`` is 1) the severity is this."""

    severity: Severity
    count: int = Field(default=1, ge=1)
    within_s: float | None = None
    after_s: float = Field(default=0.0, ge=0)
    """Only once the condition has lasted this long."""
    only: Literal["mix", "alone", "recoverable"] | None = None
    """Only on a channel of the mix; only while no other microphone of the source is open; only
    for a fault that can be undone (float over full scale). On a mix or a recoverable fault such
    steps replace the others."""


class Limit(_Model):
    """A limit: a bound either side, or a value with a tolerance. All in the metric's unit.

    A number may be written as a fraction, ``"24000/1001"``.
    """

    min: float | None = None
    max: float | None = None
    value: float | list[float] | str | None = None
    one_of: list[float | str] | None = Field(default=None, min_length=1, max_length=32)
    """Values that conform, where there are several."""
    tolerance: float = Field(default=0.0, ge=0)


Cause = Literal["device", "link", "encoder", "lens_or_light", "setting"]


class Rule(_Model):
    """One row. ``metric`` or ``event``, never both; see docs/rules.md for every key."""

    name: str
    part: str = ""
    """Tells rows of one rule apart; a spec addresses them as ``name/part``."""
    department: Department
    metric: str | None = None
    error_metric: str | None = None
    """The metric that holds this one's error bar: the rule fires only outside both."""
    event: str | None = None
    kind: str
    """How the rule judges: a name registered in monitor/rules."""
    detector: dict[str, float] = Field(default_factory=dict)
    """Limits handed to the detector that gives the event, by name."""
    in_use: bool = False
    """Only channels in use: named (where any is named), and live only once they carried sound."""
    together: bool = False
    """An event of several channels is one alert, at the first of them; else one a channel."""
    limit: Limit | None = None
    dead_band: float = Field(default=0.0, ge=0)
    on_delay_s: float = Field(default=0.0, ge=0, le=3600)
    off_delay_s: float = Field(default=0.0, ge=0, le=3600)
    latch: Latch = "cut"
    latch_in: list[Phase] = Field(default=["idle", "line_up", "rolling"])
    """Phases in which it latches; in others it clears itself."""
    grace_after_roll_s: float = Field(default=0.0, ge=0, le=60)
    """Live only: a NOTE at most this long after a roll."""
    grace_after_clap_s: float = Field(default=0.0, ge=0, le=5)
    """A NOTE at most while it lies within a clap and this long after; see docs/rules.md."""
    idle: list[Step] = Field(default_factory=list)
    line_up: list[Step] = Field(default_factory=list)
    rolling: list[Step] = Field(default_factory=list)
    at_end: bool = False
    """Judged once, when the take or file ends (integrated loudness)."""
    message: str = ""
    advice: str = ""
    ebu_qc: list[Annotated[str, StringConstraints(pattern=r"^[0-9]{4}[BFWX]$")]] = Field(
        default_factory=list
    )
    """EBU QC items that ask the same, by identifier."""
    cause: Cause | None = None
    """What it most likely comes from, where no row that silences this one stands."""
    suppresses: list[str] = Field(default_factory=list)
    """Rules of the same source (all of them, or those of the same channel) this one silences."""

    @property
    def key(self) -> str:
        """The name a spec addresses this row by: ``name`` or ``name/part``."""
        return f"{self.name}/{self.part}" if self.part else self.name


class Row(Rule):
    """A default row: a rule, and the cells that differ on a feed, a recording or a delivery."""

    feed: dict[str, object] = Field(default_factory=dict)
    recording: dict[str, object] = Field(default_factory=dict)
    delivery: dict[str, object] = Field(default_factory=dict)


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
