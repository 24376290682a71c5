"""What a picture is and how it is coded. A change in mid-stream is an event on that frame.

What a picture does not say of itself is told as the word ``undeclared``: a spec can ask for it or
refuse it. Before the first picture the container's word stands.
"""

from fractions import Fraction

from capture.source import Coding, Frame, Item, StreamInfo
from monitor.measure.measurement import Detection, Setup, is_video, measure
from monitor.measure.picture.bursts import Span
from monitor.measure.picture.stamps import FrameClock
from monitor.metrics import Value, declare

SCAN_FRAMES = 10  # frames in a row before a changed scan counts: mixed streams flag frame by frame
UNDECLARED = "undeclared"

SIZE = declare("picture_size_px", "px", "vector", "last", "Width and height of the decoded picture")
PIXELS = declare("pixel_format", "", "scalar", "last", "Layout and depth of samples, FFmpeg's name")
SCAN = declare("scan", "", "scalar", "last", "progressive or interlaced, as the frames are flagged")
ORDER = declare(
    "field_order", "", "scalar", "last", "progressive, or the field that is first in time"
)
DEPTH = declare("picture_bit_depth", "bits", "scalar", "last", "Depth of the coded samples")
CHROMA = declare("chroma", "", "scalar", "last", "Chroma subsampling, such as 4:2:2")
ASPECT = declare("pixel_aspect", "", "scalar", "last", "A pixel's width over its height")
CODEC = declare("picture_codec", "", "scalar", "last", "How pictures are coded, FFmpeg's name")
PROFILE = declare("codec_profile", "", "scalar", "last", "The codec's profile, FFmpeg's name")
LEVEL = declare("codec_level", "", "scalar", "last", "The codec's level, as its standard writes it")
PRIMARIES = declare("colour_primaries", "", "scalar", "last", "Primaries declared, FFmpeg's name")
TRANSFER = declare("colour_transfer", "", "scalar", "last", "Transfer declared, FFmpeg's name")
MATRIX = declare("colour_matrix", "", "scalar", "last", "Matrix declared, FFmpeg's name")
RANGE = declare("colour_range", "", "scalar", "last", "Range declared: limited or full")
TIMECODE = declare("timecode_first", "", "scalar", "last", "The first timecode found, as a label")
TIMECODE_IN = declare(
    "timecode_in", "", "scalar", "last", "Where timecode is carried: container or pictures"
)

KEYS = tuple(
    metric.key
    for metric in (
        SIZE, PIXELS, SCAN, ORDER, DEPTH, CHROMA, ASPECT, CODEC, PROFILE, LEVEL, PRIMARIES,
        TRANSFER, MATRIX, RANGE, TIMECODE, TIMECODE_IN,
    )
)  # fmt: skip
"""What is told once and holds until it is told anew."""
NO_EVENT = frozenset({CODEC.key, LEVEL.key, CHROMA.key, DEPTH.key, TIMECODE.key, TIMECODE_IN.key})
"""Told with something else (a level follows the size, depth and chroma the pixel format), or found
later: not every picture carries timecode."""


def ratio_text(ratio: Fraction | None) -> str:
    """Return a ratio as a fraction that a limit can be written in, ``64/45``."""
    return UNDECLARED if ratio is None else f"{ratio.numerator}/{ratio.denominator}"


def coded(coding: Coding, codec: str | None) -> dict[str, Value]:
    """Return the metrics of a coding that do not hang on the scan."""
    return {
        DEPTH.key: coding.bit_depth,
        CHROMA.key: coding.chroma or UNDECLARED,
        ASPECT.key: ratio_text(coding.pixel_aspect),
        CODEC.key: codec or UNDECLARED,
        PROFILE.key: coding.profile or UNDECLARED,
        LEVEL.key: coding.level or UNDECLARED,
        PRIMARIES.key: coding.colour_primaries or UNDECLARED,
        TRANSFER.key: coding.colour_transfer or UNDECLARED,
        MATRIX.key: coding.colour_matrix or UNDECLARED,
        RANGE.key: coding.colour_range or UNDECLARED,
    }


def timecode(stream: StreamInfo, in_pictures: str | None) -> dict[str, Value]:
    """Return the first timecode and where it is carried; the container's outranks the pictures'."""
    found = stream.timecode or in_pictures
    where = "container" if stream.timecode else "pictures"
    return {TIMECODE.key: found or UNDECLARED, TIMECODE_IN.key: where if found else UNDECLARED}


def declared(stream: StreamInfo) -> dict[str, Value]:
    """Return what the container says before any picture was decoded."""
    if stream.width_px is None or stream.height_px is None:
        return {}
    return {
        SIZE.key: [stream.width_px, stream.height_px],
        PIXELS.key: stream.pixel_format,
        SCAN.key: stream.scan,
        ORDER.key: stream.coding.field_order or UNDECLARED,
        **coded(stream.coding, stream.codec),
        **timecode(stream, None),
    }


def picture_words(values: dict[str, Value]) -> str:
    """Say a format in words, for example ``1920×1080 yuv420p interlaced top first``."""
    size, order = values[SIZE.key], values[ORDER.key]
    assert isinstance(size, list)
    fields = f" {order}" if values[SCAN.key] == "interlaced" and order != UNDECLARED else ""
    return f"{size[0]}×{size[1]} {values[PIXELS.key]} {values[SCAN.key]}{fields}"


def change_words(old: dict[str, Value], new: dict[str, Value]) -> str:
    """Say in words what differs; empty where nothing does that is worth an event."""
    was, now = picture_words(old), picture_words(new)
    told = [f"{was} → {now}"] if was != now else []
    shown = {SIZE.key, PIXELS.key, SCAN.key, ORDER.key} | NO_EVENT
    told += [
        f"{key.replace('_', ' ')} {old[key]} → {new[key]}"
        for key in KEYS
        if key not in shown and old[key] != new[key]
    ]
    return ", ".join(told)


@measure("picture_format", is_video, detectors=("format_changed",))
class PictureFormat:
    """Watches every decoded frame's format."""

    def __init__(self, setup: Setup) -> None:
        self.stream = setup.stream
        self.clock = FrameClock(setup.stream)
        self.span = Span("format_changed", "")
        self.values: dict[str, Value] = declared(setup.stream)
        self.last: tuple[int, int, str, Coding] | None = None
        self.fields: tuple[bool, str | None] | None = None
        self.other_fields = 0
        self.fresh = bool(self.values)
        self.pictures = False
        self.label: str | None = None  # the first timecode that a picture carried

    def feed(self, item: Item) -> None:
        """Take the next frame; other items say nothing of the picture's format."""
        if not isinstance(item, Frame):
            return
        self.pictures = True
        tick = self.clock.tick(item)
        coding = item.coding
        fields = (item.interlaced, coding.field_order)
        self.other_fields = self.other_fields + 1 if fields != self.fields else 0
        refielded = self.fields is None or self.other_fields >= SCAN_FRAMES
        now = (item.width_px, item.height_px, item.pixel_format, coding)
        labelled = self.label is None and item.timecode is not None
        if labelled:
            self.label = item.timecode
        if now == self.last and not refielded and not labelled:
            return
        first = self.last is None
        self.last = now
        if refielded:
            self.fields, self.other_fields = fields, 0
        self._tell(self._described(item), tick, silent=first)

    def _described(self, frame: Frame) -> dict[str, Value]:
        interlaced, order = self.fields or (False, None)
        return {
            SIZE.key: [frame.width_px, frame.height_px],
            PIXELS.key: frame.pixel_format,
            SCAN.key: "interlaced" if interlaced else "progressive",
            ORDER.key: order or UNDECLARED,
            **coded(frame.coding, self.stream.codec),
            DEPTH.key: frame.coding.bit_depth or frame.bit_depth,
            **timecode(self.stream, self.label),
        }

    def _tell(self, values: dict[str, Value], tick: int, *, silent: bool) -> None:
        if values == self.values:
            return
        detail = "" if silent else change_words(self.values, values)
        if detail:
            self.span.open(tick, 1, detail)
            self.span.close(tick + self.clock.duration, 1, detail)
        self.values, self.fresh = values, True

    def drain(self) -> dict[str, Value]:
        """Return the format, when it is known and new since the last drain; the depth always.

        A rule of the kind ``below`` follows what it is told again and again.
        """
        pictures, self.pictures = self.pictures, False
        if not self.fresh:
            return {DEPTH.key: self.values[DEPTH.key]} if pictures else {}
        self.fresh = False
        return dict(self.values)

    def events(self) -> list[Detection]:
        """Return the changes since the last call, each opened and closed at once."""
        return self.span.take()

    def reset(self) -> None:
        """Nothing is integrated; the format is told again."""
        self.fresh = bool(self.values)

    def finish(self) -> None:
        """Nothing is open."""
