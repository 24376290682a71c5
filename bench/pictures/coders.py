"""How pictures travel: raw, or through a real encoder into memory and back by capture's demuxer."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from io import BytesIO
from typing import Any, cast

import av
import cv2
import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet as AvPacket
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from bench.pictures.paint import Picture
from capture.demux import Demuxer
from capture.source import Ended, Frame, Item, StreamInfo

FULL_HD_PX_S = 1920 * 1080 * 25  # what bit rates are given for
SMALLER_POWER = 0.75  # small pictures need more bits a pixel
LEAST_BITS_S = 2000  # coders refuse less
SHARE_OF_JITTER = 0.1  # of a picture's time: how far arrivals stray


@dataclass(frozen=True, slots=True, kw_only=True)
class Coder:
    """One way of coding. ``codec`` None: no coder at all, as from an HDMI card.

    ``rate_1080`` is in bits a second at 1080p25; ``none`` leaves the rate to the options.
    ``gentle``: noise survives it, so that exact and nearly exact repeats can be told from a still.
    """

    name: str
    codec: str | None
    container: str = "mpegts"
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict[str, str])
    rate_1080: float | None = None
    gop_s: float = 2.0
    gentle: bool = True
    weight: float = 1.0


def _steps(quantiser: int) -> dict[str, str]:
    """Return options that hold MPEG-2's and MJPEG's quantiser, 1 fine to 31 coarse."""
    return {"qmin": str(quantiser), "qmax": str(quantiser)}


_LIVE = {"preset": "superfast", "tune": "zerolatency"}
_QUIET_265 = "log-level=none:pools=none:frame-threads=1:bframes=0"

CODERS: tuple[Coder, ...] = (
    Coder(name="raw", codec=None, weight=4.0),
    Coder(name="x264 live 12 Mb/s", codec="libx264", options=_LIVE, rate_1080=12e6, weight=3.0),
    Coder(
        name="x264 live 2 Mb/s",
        codec="libx264",
        options=_LIVE,
        rate_1080=2e6,
        gentle=False,
        weight=2.0,
    ),
    Coder(
        name="x264 CRF 20, B-pictures",
        codec="libx264",
        options={"preset": "veryfast", "crf": "20", "bf": "2"},
        container="matroska",
        weight=1.5,
    ),
    Coder(
        name="x264 CRF 27, 10 s GOP",
        codec="libx264",
        options={"preset": "superfast", "crf": "27", "bf": "0"},
        gop_s=10.0,
        gentle=False,
        container="matroska",
    ),
    Coder(
        name="x264 10-bit 4:2:2",
        codec="libx264",
        pixel_format="yuv422p10le",
        options={"preset": "ultrafast", "crf": "21", "x264-params": "no-deblock=0:cabac=1"},
        container="matroska",
    ),
    Coder(
        name="MPEG-2 25 Mb/s", codec="mpeg2video", options={"bf": "0"}, rate_1080=25e6, gop_s=0.6
    ),
    Coder(
        name="MJPEG",
        codec="mjpeg",
        pixel_format="yuvj420p",
        options=_steps(3),
        container="matroska",
        gop_s=0.0,
    ),
    Coder(
        name="x265 CRF 24",
        codec="libx265",
        options={"preset": "ultrafast", "crf": "24", "x265-params": _QUIET_265},
        gentle=False,
        weight=0.7,
    ),
    Coder(
        name="x265 10-bit",
        codec="libx265",
        pixel_format="yuv420p10le",
        options={"preset": "ultrafast", "crf": "20", "x265-params": _QUIET_265},
        weight=0.5,
    ),
)
BY_NAME = {coder.name: coder for coder in CODERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """From picture ``start`` on: the coder, and the size it sends where that is another."""

    start: int
    coder: Coder
    size: tuple[int, int] | None = None


def video_frame(picture: Picture, size: tuple[int, int] | None, pixel_format: str) -> VideoFrame:
    """Return FFmpeg's frame of a picture."""
    y, u, v = picture
    if size is not None and size != y.shape[::-1]:
        half = size[0] // 2, size[1] // 2
        y, u, v = (
            np.asarray(cv2.resize(p, s, interpolation=cv2.INTER_AREA), np.uint8)
            for p, s in ((y, size), (u, half), (v, half))
        )
    width = y.shape[1]
    packed = np.concatenate([y, u.reshape(-1, width), v.reshape(-1, width)])
    frame = VideoFrame.from_ndarray(packed, format="yuv420p")
    if pixel_format == "yuvj420p":
        return frame.reformat(format=pixel_format, dst_color_range="JPEG")
    return frame if pixel_format == "yuv420p" else frame.reformat(format=pixel_format)


def _configured(
    context: VideoCodecContext, coder: Coder, size: tuple[int, int], rate: Fraction
) -> None:
    context.width, context.height = size
    context.pix_fmt = coder.pixel_format
    context.framerate = rate
    context.time_base = 1 / rate
    context.thread_count = 1
    context.options = dict(coder.options)
    if coder.gop_s:
        context.gop_size = max(1, round(coder.gop_s * rate))
    if coder.rate_1080 is not None:
        share = size[0] * size[1] * float(rate) / FULL_HD_PX_S
        bits = round(coder.rate_1080 * share**SMALLER_POWER)
        context.bit_rate = bits
        if coder.codec == "libx264":
            context.options |= {"maxrate": str(bits), "bufsize": str(bits)}


Numbered = tuple[int, Picture]
"""A picture and the number that its stamp is made from."""


class _Encoding:
    """A container being written: one stream, its coder changed in mid-stream where wanted."""

    def __init__(self, out: BytesIO, rate: Fraction, container: str) -> None:
        self._container = av.open(out, "w", format=container)
        self._rate = rate
        self._stream: VideoStream | None = None
        self._context: VideoCodecContext | None = None
        self._segment: Segment | None = None

    def begin(self, segment: Segment, size: tuple[int, int]) -> None:
        """Flush the coder there is and go on with another."""
        self.flush()
        codec = segment.coder.codec
        assert codec is not None, "raw pictures are not encoded"
        if self._stream is None:
            self._stream = cast("VideoStream", self._container.add_stream(codec, rate=self._rate))
            self._context = self._stream.codec_context
        else:
            self._context = cast("VideoCodecContext", CodecContext.create(codec, "w"))
        self._segment = segment
        _configured(self._context, segment.coder, segment.size or size, self._rate)

    def add(self, number: int, picture: Picture) -> None:
        """Encode a picture under its number."""
        assert self._context is not None
        assert self._segment is not None
        frame = video_frame(picture, self._segment.size, self._segment.coder.pixel_format)
        frame.pts, frame.time_base = number, 1 / self._rate
        self._mux(self._context.encode(frame))

    def flush(self) -> None:
        """Take what the coder still holds."""
        if self._context is not None:
            self._mux(self._context.encode(None))

    def close(self) -> None:
        """Finish the file."""
        self.flush()
        self._container.close()

    def _mux(self, packets: "Sequence[AvPacket[Any]]") -> None:
        for packet in packets:
            packet.stream = self._stream
            self._container.mux(packet)


def encoded(pictures: Iterable[Numbered], rate: Fraction, segments: Sequence[Segment]) -> bytes:
    """Return a whole stream as its container has it."""
    out = BytesIO()
    encoding = _Encoding(out, rate, segments[0].coder.container)
    waiting = list(segments)
    for number, picture in pictures:
        if waiting and number >= waiting[0].start:
            encoding.begin(waiting.pop(0), (picture.y.shape[1], picture.y.shape[0]))
        encoding.add(number, picture)
    encoding.close()
    return out.getvalue()


class Arrivals:
    """A clock that packets arrive by: even steps with a little jitter, and where wanted a stall."""

    def __init__(
        self, random: np.random.Generator, rate: Fraction, stalls: dict[int, float]
    ) -> None:
        self._random = random
        self._step_ns = float(1 / rate) * 1e9
        self._stalls = stalls
        self._late_ns = 0.0
        self.count = 0

    def now_ns(self) -> int:
        """Return when the next packet arrives."""
        self._late_ns += self._stalls.get(self.count, 0.0) * 1e9
        at = self.count * self._step_ns + self._late_ns
        self.count += 1
        return round(at + self._random.uniform(0, SHARE_OF_JITTER) * self._step_ns)


def decoded(
    data: bytes, now_ns: Callable[[], int]
) -> tuple[tuple[StreamInfo, ...], Iterator[Item]]:
    """Return a stream's description and its items, as a worker's source gives them."""
    container = av.open(BytesIO(data), "r")
    demuxer = Demuxer(container, now_ns, quantisers=True)

    def items() -> Iterator[Item]:
        with container:
            while (packet := demuxer.next_packet()) is not None:
                yield from demuxer.items(packet)
        yield Ended(reason="end", t_arrival_ns=now_ns())

    return demuxer.infos(), items()


def _small(picture: Picture) -> Callable[[int], np.ndarray]:
    def render(width_px: int) -> np.ndarray:
        width = picture.y.shape[1]
        rows = [picture.y, picture.u.reshape(-1, width), picture.v.reshape(-1, width)]
        bgr = cv2.cvtColor(np.concatenate(rows), cv2.COLOR_YUV2BGR_I420)
        height = max(2, round(bgr.shape[0] * width_px / width))
        return np.asarray(cv2.resize(bgr, (width_px, height)), np.uint8)

    return render


def raw(
    pictures: Iterable[Numbered], rate: Fraction, size: tuple[int, int], now_ns: Callable[[], int]
) -> tuple[tuple[StreamInfo, ...], Iterator[Item]]:
    """Return pictures as a card without a coder gives them: frames only."""
    info = StreamInfo(
        index=0,
        kind="video",
        time_base=1 / rate,
        codec="rawvideo",
        width_px=size[0],
        height_px=size[1],
        pixel_format="yuv420p",
        bit_depth=8,
        scan="progressive",
        frame_rate=rate,
    )

    def items() -> Iterator[Item]:
        for number, picture in pictures:
            yield Frame(
                stream=0,
                epoch=0,
                pts=number,
                luma=picture.y,
                planes=(picture.u, picture.v),
                width_px=picture.y.shape[1],
                height_px=picture.y.shape[0],
                pixel_format="yuv420p",
                bit_depth=8,
                full_range=False,
                interlaced=False,
                key=True,
                corrupt=False,
                t_arrival_ns=now_ns(),
                bgr=_small(picture),
            )
        yield Ended(reason="end", t_arrival_ns=now_ns())

    return (info,), items()


def starved(segment: Segment, sent: list[Numbered], rate: Fraction, share: float) -> Segment:
    """Return the segment with its coder given ``share`` of the bits that good quality would take.

    Good is CRF 23 of x264 and CRF 26 of x265; MPEG-2 and MJPEG coders get their coarsest steps.
    """
    coder = segment.coder
    if coder.codec in ("mpeg2video", "mjpeg"):
        coarse = min(31, max(12, round(12 + 19 * (1 - share * 10))))
        options = {**coder.options, **_steps(coarse)}
        return replace(segment, coder=replace(coder, options=options, rate_1080=None))
    crf = "23" if coder.codec == "libx264" else "26"
    options = {k: v for k, v in coder.options.items() if k != "crf"}
    good = replace(coder, options={**options, "crf": crf}, rate_1080=None)
    size_bits = 8 * len(encoded(sent, rate, [Segment(start=0, coder=good)]))
    bits_s = max(LEAST_BITS_S, size_bits / len(sent) * float(rate) * share)
    limits = {"b": str(round(bits_s)), "maxrate": str(round(bits_s))}
    limits["bufsize"] = str(round(bits_s))
    if coder.codec == "libx265":
        kilo = max(2, round(bits_s / 1000))
        rates = f":bitrate={kilo}:vbv-maxrate={kilo}:vbv-bufsize={kilo}"
        limits = {"x265-params": _QUIET_265 + rates}
    return replace(segment, coder=replace(coder, options={**options, **limits}, rate_1080=None))
