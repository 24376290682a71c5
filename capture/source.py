"""What a source is: a blocking loop's three verbs (open, read, close) and the items it yields.

A source connects, pushes and fails; it knows nothing of retry. Whoever supervises the process
owns all retry. Native libraries are imported inside ``open()``, so a missing one is an error of
that source alone. The registry is filled by importing the modules in ``capture/sources``.

Errors::

    SourceError
    ├── OpenFailed            nothing was opened
    │   ├── LibraryMissing    a native library is not installed; the message says which package
    │   ├── DeviceMissing     no such device; the message lists what is there
    │   └── AddressRefused    not an allowed media address, or nothing answers there
    ├── SourceLost            it was open and is gone or silent
    └── NeedsOneThread        several threads cannot decode this file as one does
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Literal, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

OPEN_LIMIT_S = 20.0  # a disk that spins up, a sound server that starts: seconds, never this many


class SourceError(Exception):
    """Anything that stops a source; the message is for an operator."""


class OpenFailed(SourceError):
    """The source could not be opened."""


class LibraryMissing(OpenFailed):
    """A native library this source needs is not installed."""


class DeviceMissing(OpenFailed):
    """The named device is not there."""


class AddressRefused(OpenFailed):
    """The address is not allowed, or nothing answers there."""


class SourceLost(SourceError):
    """The source was open and is gone or silent."""


class NeedsOneThread(SourceError):
    """Several threads cannot decode this file as one does: it is damaged, or very short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How a picture is coded and what it says of itself; None: it does not say.

    Colours by FFmpeg's names for the code points of ITU-T H.273. ``field_order`` is which field
    comes first in time.
    """

    profile: str | None = None
    level: str | None = None
    bit_depth: int | None = None
    """Of the coded samples; ``Frame.bit_depth`` is that of its arrays."""
    chroma: str | None = None
    """Chroma subsampling as the trade writes it, ``4:2:2``."""
    pixel_aspect: Fraction | None = None
    field_order: Literal["progressive", "top first", "bottom first"] | None = None
    colour_primaries: str | None = None
    colour_transfer: str | None = None
    colour_matrix: str | None = None
    colour_range: Literal["limited", "full"] | None = None


SAYS_NOTHING = Coding()


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """One elementary stream. ``time_base`` is seconds a tick; unknown is None."""

    index: int
    kind: Literal["audio", "video", "data"]
    time_base: Fraction
    codec: str | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    layout: str | None = None
    channel_names: tuple[str, ...] | None = None
    sample_format: str | None = None
    bit_depth: int | None = None
    width_px: int | None = None
    height_px: int | None = None
    pixel_format: str | None = None
    scan: Literal["progressive", "interlaced"] | None = None
    frame_rate: Fraction | None = None
    declared_duration_s: float | None = None
    asked: str | None = None
    """The format a device was asked for, where it was; what it gives stands above."""
    coding: Coding = SAYS_NOTHING
    timecode: str | None = None
    """The container's timecode of its first picture; ``HH:MM:SS:FF``, a ``;`` says drop-frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Audio samples of one read.

    ``samples`` has shape (frames, channels), C-contiguous, dtype int16, int32 or float32. Integers
    are left-justified: a 24-bit sample lies in the upper 24 bits of an int32, its true depth in
    ``StreamInfo.bit_depth``. ``start`` counts samples in ticks of 1 / sample rate.
    """

    stream: int
    epoch: int
    start: int
    samples: NDArray[Any]
    t_arrival_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One compressed unit as it arrived, before decoding. Ticks are in the stream's time base."""

    stream: int
    epoch: int
    pts: int | None
    dts: int | None
    duration: int | None
    size_bytes: int
    key: bool
    corrupt: bool
    t_arrival_ns: int


def unknown_quantiser() -> float | None:
    """Say that a picture's quantiser is not known."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One decoded picture.

    ``luma`` is (height, width) uint8, or uint16 with the code in the low ``bit_depth`` bits; a view
    into a buffer of the decoder's, which nobody changes while the picture is held: hold few.
    ``planes`` holds the chroma planes likewise (empty when unknown). ``bgr`` renders the picture,
    small, for a still: it takes the wanted width in pixels and returns (height, width, 3) uint8.
    """

    stream: int
    epoch: int
    pts: int | None
    luma: NDArray[Any]
    planes: tuple[NDArray[Any], ...]
    width_px: int
    height_px: int
    pixel_format: str
    bit_depth: int
    full_range: bool
    interlaced: bool
    key: bool
    corrupt: bool
    t_arrival_ns: int
    bgr: Callable[[int], NDArray[np.uint8]]
    coding: Coding = SAYS_NOTHING
    """The same object as long as nothing of it changes."""
    timecode: str | None = None
    """What the picture itself carries (H.264 and HEVC SEI, MPEG-2 GOP header)."""
    quantiser: Callable[[], float | None] = unknown_quantiser
    """Works out the mean quantiser, on the codec's own scale (:mod:`capture.quantiser`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Samples, packets, frames or seconds known to be lost on the way here, and why."""

    stream: int
    epoch: int
    start: int | None
    amount: float
    unit: Literal["samples", "packets", "frames", "s"]
    reason: str
    t_arrival_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """The streams changed in mid-session or their stamps jumped: a new epoch begins."""

    epoch: int
    streams: tuple[StreamInfo, ...]
    reason: str
    t_arrival_ns: int


Rung = Literal["all frames", "reference frames", "key frames", "packets only"]
"""How much of a stream's pictures is decoded, from all to none; packets are told at each."""
RUNGS: Final[tuple[Rung, ...]] = get_args(Rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """From here on this much of a stream's pictures is decoded: the machine is short, or was.

    Pictures that are left out so are no loss: they were never looked for.
    """

    stream: int
    epoch: int
    rung: Rung
    t_arrival_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The source came to its proper end (a file, a polite peer).

    ``short_by_s``: seconds that were declared but are not there.
    """

    reason: str
    t_arrival_ns: int
    short_by_s: float = 0.0


Item = Block | Packet | Frame | Lost | Changed | Thinned | Ended


class Source(Protocol):
    """One input. All three verbs are called from one thread, the one that opened it."""

    latency_s: float
    stall_s: float
    """Silence longer than this is a stall; ``read`` itself then raises ``SourceLost``."""
    open_limit_s: float
    """``open`` takes at most this long unless it hangs."""
    practice: bool
    has_peer: bool
    """Somebody else sends, who may fall silent; a file read here only waits for its own clock."""

    def open(self) -> tuple[StreamInfo, ...]:
        """Connect and return the streams of epoch 0. Raises ``OpenFailed``."""

    def read(self, timeout_s: float) -> Item | None:
        """Return the next item, or None when nothing arrived in time. Raises ``SourceLost``."""

    def close(self) -> None:
        """Let everything go; safe to call twice, and after a failed open."""


@runtime_checkable
class Thins(Protocol):
    """A source that can decode fewer of its pictures where the machine is short of time."""

    @property
    def busy(self) -> float:
        """The share of the last second that its own work took; at 1 it cannot keep up."""

    def thin(self, rung: Rung) -> None:
        """Decode this much from the next packet on, told by ``Thinned``. From any thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One input found on this machine: how to configure it, and what a person calls it."""

    kind: str
    name: str
    options: dict[str, object] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKind:
    """A registered kind: its options model, its class and how to list what is there."""

    name: str
    options: type[BaseModel]
    make: Callable[[Any], Source]
    find: Callable[[], list[Found]] | None = None


KINDS: dict[str, SourceKind] = {}


def source(
    name: str, options: type[BaseModel], find: Callable[[], list[Found]] | None = None
) -> Callable[[type], type]:
    """Register a source class under a kind name; its constructor takes the options model."""

    def register(cls: type) -> type:
        assert name not in KINDS, f"source kind registered twice: {name}"
        KINDS[name] = SourceKind(name=name, options=options, make=cls, find=find)
        return cls

    return register
