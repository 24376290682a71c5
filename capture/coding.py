"""What pictures say of how they are coded: profile, fields, colours, timecode.

Imported inside ``open()`` only, for it needs the native library.
"""

from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from av.filter import Graph
from av.video.codeccontext import VideoCodecContext
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from capture.planes import picture_bit_depth
from capture.source import Coding

if TYPE_CHECKING:
    from av.video.stream import VideoStream

FieldOrder = Literal["progressive", "top first", "bottom first"]

# AVFieldOrder: the letters are the field coded first and the field shown first.
PROGRESSIVE, TT, BB, TB, BT = 1, 2, 3, 4, 5
FIELD_ORDERS: dict[int, FieldOrder] = {
    PROGRESSIVE: "progressive",
    TT: "top first",
    BT: "top first",
    BB: "bottom first",
    TB: "bottom first",
}

# Code points of ITU-T H.273, tables 2 to 4, by FFmpeg's names; 2 (and what is missing here) is
# unspecified or reserved.
PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020",
    10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear", 9: "log100",
    10: "log316", 11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10",
    15: "bt2020-12", 16: "smpte2084", 17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco",
    9: "bt2020nc", 10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc", 13: "chroma-derived-c",
    14: "ictcp",
}  # fmt: skip
RANGES: dict[int, Literal["limited", "full"]] = {1: "limited", 2: "full"}
CHROMA = {
    (4, 4): "4:4:4", (2, 4): "4:2:2", (2, 2): "4:2:0", (1, 4): "4:1:1", (1, 1): "4:1:0",
    (4, 2): "4:4:0",
}  # fmt: skip
FIELDS_EVERY = 12  # pictures; of codecs of key frames only, looking at each costs 0.2 ms
MPEG2_LEVELS = {4: "High", 5: "HighP", 6: "High 1440", 8: "Main", 10: "Low"}  # H.262, table 8-3


def level_text(codec: str, level: int) -> str | None:
    """Return a level as its standard writes it, ``4.1``; None where none is declared."""
    if level < 0:
        return None
    if codec == "mpeg2video":
        return MPEG2_LEVELS.get(level)
    if codec == "h264":
        return "1b" if level == 9 else f"{level / 10:g}"  # H.264 A.3.1: level_idc is ten times it
    if codec == "hevc":
        return f"{level / 30:g}"  # H.265 A.4.1: general_level_idc is thirty times it
    if codec == "av1":
        return f"{2 + (level >> 2)}.{level & 3}"  # AV1 specification A.3
    return str(level)


def chroma_of(pixels: VideoFormat) -> str | None:
    """Return the chroma subsampling of a pixel format; RGB has full colour."""
    if pixels.is_rgb or pixels.has_palette:
        return "4:4:4"
    if len(pixels.components) < 3:
        return "4:0:0"
    return CHROMA.get((pixels.chroma_width(4), pixels.chroma_height(4)))


def flagged_order(frame: VideoFrame, stream: "VideoStream") -> FieldOrder | None:
    """Return which field of an interlaced picture its flag says is first.

    PyAV does not show the flag, but FFmpeg's ``separatefields`` obeys it: the first field it gives
    begins in the frame's own memory at line 0 (top) or 1. 0.2 ms, no picture is copied.
    """
    graph = Graph()
    graph.threads = 1
    source, sink = graph.add_buffer(template=stream), graph.add("buffersink")
    fields = graph.add("separatefields")
    source.link_to(fields)
    fields.link_to(sink)
    graph.configure()
    graph.push(frame)
    field = graph.pull()
    if not isinstance(field, VideoFrame):
        return None
    begins = field.planes[0].buffer_ptr - frame.planes[0].buffer_ptr
    if begins not in (0, frame.planes[0].line_size):
        return None
    return "bottom first" if begins else "top first"


def _aspect(ratio: Fraction | None) -> Fraction | None:
    return ratio if ratio and ratio > 0 else None


class CodingReader:
    """Reads the coding of one stream's pictures; gives the same object until something changes."""

    def __init__(self, stream: "VideoStream") -> None:
        self.stream = stream
        self._context: VideoCodecContext = stream.codec_context
        self._opened_aspect = self._context.sample_aspect_ratio
        self._raw: tuple[object, ...] = ()
        self._profile: tuple[str | None, int] = (None, -1)
        self._order: FieldOrder | None = None
        self._since_fields = 0
        self._coding = Coding()

    def declared(self) -> Coding:
        """Return what is said before any picture is decoded."""
        context, pixels = self._context, self._context.format
        return Coding(
            profile=context.profile,
            level=level_text(context.codec.canonical_name, context.level),
            bit_depth=picture_bit_depth(pixels) if pixels else None,
            chroma=chroma_of(pixels) if pixels else None,
            pixel_aspect=_aspect(self.stream.sample_aspect_ratio),
            field_order=FIELD_ORDERS.get(context.field_order),
            colour_primaries=PRIMARIES.get(int(context.color_primaries)),
            colour_transfer=TRANSFERS.get(int(context.color_trc)),
            colour_matrix=MATRICES.get(int(context.colorspace)),
            colour_range=RANGES.get(int(context.color_range)),
        )

    def _fields(self, frame: VideoFrame) -> FieldOrder | None:
        """Return the field order; the flag is looked at on key frames, and when fields begin."""
        if not frame.interlaced_frame:
            return "progressive"
        self._since_fields += 1
        due = frame.key_frame and self._since_fields >= FIELDS_EVERY
        if due or self._order in (None, "progressive"):
            self._since_fields = 0
            return flagged_order(frame, self.stream)
        return self._order

    def of(self, frame: VideoFrame) -> Coding:
        """Return a decoded picture's coding."""
        context = self._context
        if frame.key_frame or not self._raw:
            self._profile = context.profile, context.level
        self._order = self._fields(frame)
        pixels = frame.format
        raw = (
            *self._profile, self._order, pixels.name, context.sample_aspect_ratio,
            frame.color_primaries, frame.color_trc, frame.colorspace, frame.color_range,
        )  # fmt: skip
        if raw != self._raw:
            self._raw, self._coding = raw, self._read(frame, pixels)
        return self._coding

    def _read(self, frame: VideoFrame, pixels: VideoFormat) -> Coding:
        profile, level = self._profile
        # The container's aspect outranks the pictures', as in players, until theirs changes.
        own = self._context.sample_aspect_ratio
        aspect = self.stream.sample_aspect_ratio if own == self._opened_aspect else own
        return Coding(
            profile=profile,
            level=level_text(self._context.codec.canonical_name, level),
            bit_depth=picture_bit_depth(pixels),
            chroma=chroma_of(pixels),
            pixel_aspect=_aspect(aspect),
            field_order=self._order,
            colour_primaries=PRIMARIES.get(int(frame.color_primaries)),
            colour_transfer=TRANSFERS.get(int(frame.color_trc)),
            colour_matrix=MATRICES.get(int(frame.colorspace)),
            colour_range=RANGES.get(int(frame.color_range)),
        )
