"""The workers' lines: JSON lines out of and into a worker process. This page is the schema.

A worker writes :data:`OutLine` s on its standard output and reads :data:`InLine` s on its
standard input; the end of its input means exit. Lines can be piped to ``jq``, recorded and
replayed. Times: ``t_..._ns`` are monotonic nanoseconds of the boot named in ``hello``; ticks are
media time in the stream's ``time_base``, valid within one ``epoch``. Keys are only ever added.
"""

from functools import cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from monitor.metrics import Value

PROTOCOL = 1
LINE_LIMIT_BYTES = 256 * 1024  # a 48 KiB still in base64 is 64 KiB; a 64-channel reading 20 KiB
EVENTS_QUEUED = 256
READINGS_IN_FLIGHT = 2
STILL_LIMIT_BYTES = 48 * 1024

Kind = Literal["audio", "video", "data"]
Ns = Annotated[int, Field(ge=-(2**62), le=2**62)]
"""A time or a tick: 146 years of nanoseconds either way, so that sums fit the journal's 64 bits."""
Base = Annotated[str, Field(pattern=r"^[0-9]{1,12}(/[1-9][0-9]{0,12})?$")]
"""Seconds a tick as a fraction; never a division by nought."""
SourceState = Literal["starting", "live", "stalled", "lost", "ended"]


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null")


class Stream(_Line):
    """One elementary stream of a source, as ``hello`` describes it; unknown is null."""

    index: int
    kind: Kind
    codec: str | None = None
    time_base: Base
    """Seconds a tick as a fraction, for example ``1/48000``."""
    sample_rate_hz: int | None = None
    channels: int | None = None
    layout: str | None = None
    channel_names: list[str] | None = None
    sample_format: str | None = None
    bit_depth: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    pixel_format: str | None = None
    scan: Literal["progressive", "interlaced"] | None = None
    frame_rate: str | None = None
    """Declared frames per second as a fraction, for example ``24000/1001``."""
    declared_duration_s: float | None = None
    asked: str | None = None
    """The format a device was asked for, in words; what it gives stands above."""


class Hello(_Line):
    """First line of a worker, and again at every epoch: who measures what."""

    line: Literal["hello"] = "hello"
    protocol: int = PROTOCOL
    node: str
    boot_id: str
    pid: int
    source: str
    kind: str
    practice: bool = False
    epoch: Ns
    latency_s: float = Field(allow_inf_nan=False)
    streams: list[Stream]


class Clock(_Line):
    """Monotonic time against UTC, every second, with the error bound of the pair."""

    line: Literal["clock"] = "clock"
    source: str
    t_mono_ns: Ns
    utc_ns: Ns
    error_ns: Ns


class State(_Line):
    """What the source does and why; repeated at 4 Hz as the heartbeat."""

    line: Literal["state"] = "state"
    source: str
    state: SourceState
    why: str | None = None
    t_mono_ns: Ns
    coarser: int = 0
    """Readings merged into a later one so far: what became coarser is counted."""
    dropped: dict[str, int] = Field(default_factory=dict)
    """What was dropped so far, by name (stills, event updates)."""


class Reading(_Line):
    """Metric values of one stream over one interval; consecutive readings merge."""

    line: Literal["reading"] = "reading"
    source: str
    seq: Ns
    stream: int
    epoch: Ns
    start: Ns
    end: Ns
    t_arrival_ns: Ns
    intervals: int = 1
    values: dict[str, Value]


class Event(_Line):
    """A detector's episode. Opened once, updated, closed once; never merged.

    ``start`` and ``end`` are ticks, end exclusive; ``count`` is how many faults (runs, frames) the
    episode holds and ``count_1s`` the most within any one second.
    """

    line: Literal["event"] = "event"
    source: str
    id: str
    phase: Literal["open", "update", "close"]
    detector: str
    stream: int
    epoch: Ns
    channels: list[int] = Field(default_factory=list)
    start: Ns
    end: Ns | None = None
    time_base: Base
    worst: float | None = None
    worst_tick: Ns | None = None
    unit: str = ""
    count: int = 1
    count_1s: int = 1
    detail: str | None = None
    place: list[float] | None = None
    """Where in the picture: x, y, width, height as fractions of it."""
    trace: list[float | None] | None = None
    """Highest sample of each 50 ms in dBFS, oldest first; at open the last 5 s, at close around."""
    trace_start: Ns | None = None
    """The tick at which the trace begins."""
    t_arrival_ns: Ns


class Gap(_Line):
    """Samples, packets, frames or seconds known to be lost, and why."""

    line: Literal["gap"] = "gap"
    source: str
    stream: int
    epoch: Ns
    start: Ns | None = None
    time_base: Base
    amount: float = Field(allow_inf_nan=False)
    unit: Literal["samples", "packets", "frames", "s"]
    reason: str
    t_arrival_ns: Ns


class Still(_Line):
    """A small JPEG of one frame; sent after everything else and dropped first."""

    line: Literal["still"] = "still"
    source: str
    stream: int
    epoch: Ns
    tick: Ns | None = None
    jpeg_base64: str
    t_arrival_ns: Ns


class ResetDone(_Line):
    """Answer to ``reset``: the tick of each stream at which integrated values restarted."""

    line: Literal["reset_done"] = "reset_done"
    source: str
    take: str | None
    epoch: Ns
    ticks: dict[int, int]
    t_mono_ns: Ns


class IntegrateDone(_Line):
    """Answer to ``integrate``: each stream's tick at which integrated values stood or went on."""

    line: Literal["integrate_done"] = "integrate_done"
    source: str
    on: bool
    epoch: Ns
    ticks: dict[int, int]
    t_mono_ns: Ns


class Open(_Line):
    """First line in: the source's settings, detector limits and the line-up's baseline."""

    line: Literal["open"] = "open"
    source: dict[str, object]
    limits: dict[str, object] = Field(default_factory=dict)
    baseline: dict[str, Value] = Field(default_factory=dict)
    epoch: Ns = Field(default=0, ge=0)
    """The first epoch's number: a source opened again never repeats one."""


class Limits(_Line):
    """Detector limits, changed while running."""

    line: Literal["limits"] = "limits"
    limits: dict[str, object]


class Baseline(_Line):
    """The line-up's baseline, changed while running."""

    line: Literal["baseline"] = "baseline"
    baseline: dict[str, Value]


class Reset(_Line):
    """Integrated values restart, for this take."""

    line: Literal["reset"] = "reset"
    take: str | None = None


class Integrate(_Line):
    """Integrated values pause or go on; they integrate from the start."""

    line: Literal["integrate"] = "integrate"
    on: bool


class Keep(_Line):
    """Ask for the still and trace around a tick, from the worker's 10 s ring."""

    line: Literal["keep"] = "keep"
    stream: int
    tick: Ns


class Credit(_Line):
    """Readings the service can take now; at most two are ever unacknowledged."""

    line: Literal["credit"] = "credit"
    readings: int = Field(ge=0, le=READINGS_IN_FLIGHT)


class Close(_Line):
    """Finish and exit."""

    line: Literal["close"] = "close"


OutLine = Annotated[
    Hello | Clock | State | Reading | Event | Gap | Still | ResetDone | IntegrateDone,
    Field(discriminator="line"),
]
InLine = Annotated[
    Open | Limits | Baseline | Reset | Integrate | Keep | Credit | Close,
    Field(discriminator="line"),
]


@cache
def _out() -> TypeAdapter[OutLine]:
    return TypeAdapter(OutLine)  # 10 ms to build, and checking a file needs none


@cache
def _in() -> TypeAdapter[InLine]:
    return TypeAdapter(InLine)


def encode(line: BaseModel) -> bytes:
    """Return the line as one UTF-8 JSON line, newline included; NaN and infinity become null."""
    return line.model_dump_json(exclude_none=False).encode() + b"\n"


def decode_out(text: bytes | str) -> OutLine:
    """Parse one line of a worker. Raises ``ValueError`` on anything that is not one."""
    return _out().validate_json(text)


def decode_in(text: bytes | str) -> InLine:
    """Parse one line to a worker. Raises ``ValueError`` on anything that is not one."""
    return _in().validate_json(text)


class Splitter:
    """Lines out of chunks of bytes, bounded: what is longer than a line may be is left out.

    ``over_long`` counts how many times over the limit such lines were, so that an endless one
    counts on.
    """

    def __init__(self, limit_bytes: int = LINE_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._rest = bytearray()
        self._length = 0
        self.over_long = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines the chunk completes."""
        *whole, rest = chunk.split(b"\n")
        lines = []
        for part in whole:
            self._keep(part)
            if 0 < self._length <= self._limit:
                lines.append(bytes(self._rest))
            self._rest, self._length = bytearray(), 0
        self._keep(rest)
        return lines

    def _keep(self, part: bytes) -> None:
        before = max(0, self._length - 1) // self._limit
        self._length += len(part)
        self.over_long += max(0, self._length - 1) // self._limit - before
        if self._length <= self._limit:
            self._rest += part
        else:
            self._rest = bytearray()
