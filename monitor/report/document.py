"""What a report says, as data: the check of recorded files, and a shooting day.

Documents are pure: no clock, no file, no layout. A format (``@report``) turns one into text.
Levels that are silence and anything unknown are ``None``, never an infinity. Streams and channels
count from 0 here; the formats that speak to people count from 1. Keys are only ever added.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from config.spec import Cause, Severity, Stage
from monitor.rules.model import LevelTrace

Verdict = Literal["pass", "fail", "unreadable", "not_measured"]
TakeVerdict = Literal["OK", "CHECK", "FAULT", "NOT MONITORED"]

Worst = float | list[float] | str | None


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class MediaTime(_Part):
    """A point in media time: exact ticks of ``time_base`` seconds, a fraction such as 1/48000."""

    ticks: int
    time_base: str


class BitRate(_Part):
    """Encoded bits a second: over the whole stream, and the lowest and highest whole second."""

    mean: int | None = None
    min_1s: int | None = None
    max_1s: int | None = None


class Loudness(_Part):
    """EBU R 128 figures of one programme or one channel; silence is None."""

    integrated_lufs: float | None = None
    range_lu: float | None = None
    momentary_max_lufs: float | None = None
    short_term_max_lufs: float | None = None


class AudioStream(_Part):
    """One sound stream of a file. Lists have one value a channel.

    ``programme``: the channels that are the mix, or None where nobody said and no layout tells.
    """

    stream: int
    codec: str | None
    sample_rate_hz: int | None
    channels: int | None
    bit_depth: int | None
    bit_rate_bps: BitRate
    programme: list[int] | None
    loudness: Loudness | None
    channel_loudness: list[Loudness]
    true_peak_dbtp: list[float | None]
    sample_peak_dbfs: list[float | None]
    dc_offset: list[float | None]
    noise_floor_dbfs: list[float | None]


class FrameRate(_Part):
    """Frames a second: as the container says (a fraction), and as the time-stamps say.

    ``error`` is half the width of the measured rate's error bar; both are of the last 4 s.
    """

    declared: str | None
    measured: float | None
    error: float | None = None
    cadence: str | None = None


class Colour(_Part):
    """What the pictures declare of their colour, by FFmpeg's names."""

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    range: str | None = None


class AvOffset(_Part):
    """Sound against picture, from flashes and beeps; positive is sound early (BT.1359-1)."""

    offset_ms: float
    error_ms: float
    """How far that may be off, either way."""
    pairs: int
    """Flashes with their beeps that it was taken from."""


class VideoStream(_Part):
    """One picture stream of a file. ``undeclared``: the keys it says nothing of, null here."""

    stream: int
    codec: str | None
    width: int | None
    height: int | None
    pixel_format: str | None
    bit_depth: int | None
    scan: str | None
    frame_rate: FrameRate
    frames: int
    frames_dropped: int
    frames_repeated: int
    bit_rate_bps: BitRate
    profile: str | None = None
    level: str | None = None
    chroma: str | None = None
    pixel_aspect: str | None = None
    """A pixel's width over its height, a fraction such as 64/45."""
    field_order: str | None = None
    colour: Colour = Colour()
    undeclared: list[str] = Field(default_factory=list)
    timecode: str | None = None
    """The first one found, in the container or else in a picture."""
    frames_out_of_order: int = 0
    key_frame_interval_max_s: float | None = None
    av_offset: AvOffset | None = None
    """None where flash and beep were not shown."""


class CheckAlert(_Part):
    """One episode of one rule in a file. ``start_s`` and ``end_s`` count from the file's start."""

    rule: str
    severity: Severity
    stream: int | None
    channel: int | None
    start_s: float | None
    end_s: float | None
    start: MediaTime | None
    end: MediaTime | None
    timecode: str | None
    worst: Worst
    limit: Worst
    unit: str
    message: str
    trace: LevelTrace | None = None
    """The channel's level around it; ``start_s`` counts from the file's start."""
    ebu_qc: list[str] = Field(default_factory=list)
    """EBU QC items that ask the same, by identifier."""
    cause: Cause | None = None
    """What it most likely comes from, where its rule says so."""


class Trace(_Part):
    """A metric over a file's time, for people to look at: the highest value of each step.

    ``limits`` are the spec's lines across the plot: their words and their height.
    """

    stream: int
    metric: str
    unit: str
    step_s: float
    values: list[float | None]
    limits: list[tuple[str, float]] = Field(default_factory=list)


class CheckDocument(_Part):
    """One file measured and judged: DESIGN's JSON object, key by key.

    ``traces`` are for the formats that draw; they are not part of the JSON.
    """

    file: str
    spec: str | None
    stage: Stage
    verdict: Verdict
    not_checked: list[str] = Field(default_factory=list)
    error: str | None = None
    """Why nothing could be read, one line; None for a file that could be."""
    duration_s: float | None = None
    audio: list[AudioStream] = Field(default_factory=list)
    video: list[VideoStream] = Field(default_factory=list)
    alerts: list[CheckAlert] = Field(default_factory=list)
    traces: list[Trace] = Field(default_factory=list, exclude=True)


class CheckBatch(_Part):
    """Several files checked in one go, in the order they were given."""

    files: list[CheckDocument]
    generated: str
    """When: ISO 8601 with the offset to UTC."""
    software: str


class Moment(_Part):
    """A point of the shooting day: UTC, the set's wall clock, and the position in the take."""

    utc_ns: int
    wall: str
    """The set's wall clock as ISO 8601 with its offset to UTC."""
    position_s: float | None = None
    """Seconds since the roll; None outside takes."""
    timecode: str | None = None


class Acknowledged(_Part):
    """Who took note of an alert, and the wall clock then."""

    who: str
    wall: str


class DayAlert(_Part):
    """One alert of a shooting day, as it last stood.

    ``group``: the id of the first alert of its rule's row and place in the take.
    """

    id: str
    group: str = ""
    rule: str
    severity: Severity
    source: str
    source_name: str
    stream: int | None
    channel: int | None
    channel_name: str | None
    start: Moment
    length_s: float | None
    """None while it lasts, or where its end is not known."""
    active: bool
    worst: Worst
    limit: Worst
    unit: str
    count: int
    message: str
    cause: Cause | None = None
    """What it most likely comes from, where its rule says so."""
    acknowledged: Acknowledged | None
    trace: LevelTrace | None = None
    """The channel's level around it; ``start_s`` counts from the alert's start."""


class Hole(_Part):
    """A time in which a source, or everything, was not monitored; ``end`` None: it did not end."""

    source: str | None
    source_name: str
    start: Moment
    end: Moment | None
    length_s: float | None
    reason: str


class Loss(_Part):
    """Samples, packets, frames or seconds known to be lost, with the reason."""

    source: str
    source_name: str
    at: Moment
    amount: float
    unit: str
    reason: str


class IntegratedSince(_Part):
    """A source's integrated values of a take begin later than its roll."""

    source: str
    source_name: str
    since: Moment


class TakePart(_Part):
    """One group of sources in a take: its roll and its cut, None while it rolls."""

    group: str
    roll: Moment
    cut: Moment | None


class TakeRow(_Part):
    """One take of the day with everything that is known of it.

    ``verdict`` is as seen on the feed: the worst severity from CHECK up; OK where something was
    monitored and nothing was found; NOT MONITORED where nothing is known. ``complete``: no hole.
    """

    id: str
    scene: str
    slate: str
    take: int
    notes: str
    circled: bool
    false_start: bool
    verdict: TakeVerdict
    complete: bool
    start: Moment
    length_s: float | None
    parts: list[TakePart]
    alerts: list[DayAlert]
    holes: list[Hole]
    losses: list[Loss]
    integrated_since: list[IntegratedSince]
    loudness: dict[str, dict[str, float | None]]
    """By source name, then by metric."""

    @property
    def title(self) -> str:
        """The take as it is called on set, for example ``27/7 take 3``."""
        return f"{self.slate or self.scene or 'no slate'} take {self.take}"


class Totals(_Part):
    """Counts over the day. ``coarser``: readings merged into later ones, by source name."""

    takes: int = 0
    circled: int = 0
    circled_with_faults: int = 0
    verdicts: dict[str, int] = Field(default_factory=dict)
    severities: dict[str, int] = Field(default_factory=dict)
    rolled_s: float = 0.0
    not_monitored_s: float = 0.0
    losses: int = 0
    deleted_takes: int = 0
    coarser: dict[str, int] = Field(default_factory=dict)


class LineUpChannel(_Part):
    """One channel of the line-up; unknown is None, a tone that never came too."""

    name: str
    heard: bool
    muted: bool
    noise_floor_dbfs: float | None
    tone_hz: float | None
    tone_level_dbfs: float | None
    tone_thdn_db: float | None


class LineUpRow(_Part):
    """What the line-up learned of a source: the proof of the morning's check."""

    source: str
    source_name: str
    learned: Moment
    who: str | None
    channels: list[LineUpChannel]


class DayDocument(_Part):
    """One shooting day: first the circled takes with faults, then every take."""

    production: str
    unit: str
    day: str
    spec: str | None
    stage: Stage = "feed"
    seen: str = "as seen on the feed"
    """A monitored feed is not the recording; only ``takewatch check`` judges that."""
    generated: str
    software: str
    time_zone: str
    sources: list[str]
    """Names of the sources that were monitored."""
    circled_with_faults: list[str]
    """Ids of circled takes whose verdict is CHECK or FAULT."""
    circled_not_monitored: list[str]
    """Ids of circled takes that nothing, or not everything, is known of."""
    takes: list[TakeRow]
    between_takes: list[DayAlert]
    """Alerts no take covers."""
    holes: list[Hole]
    losses: list[Loss]
    notices: list[str]
    totals: Totals
    line_up: list[LineUpRow] = Field(default_factory=list)
    """As each source was last learned on this day."""
