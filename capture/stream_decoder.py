"""One elementary stream: what it is, and its packets decoded into blocks or frames.

Imported inside ``open()`` only, for it needs the native library. Decoders run in one thread with
thread type NONE: with slice threads 21 of 24 damaged frames went unflagged, with NONE none did
(measured, PyAV 18.1).
"""

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import ThreadType
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from capture.coding import CodingReader
from capture.planes import luma_and_chroma, picture_bit_depth, small_bgr
from capture.quantiser import export_quantisers, quantiser_of
from capture.source import (
    SAYS_NOTHING,
    Block,
    Frame,
    Item,
    Lost,
    Packet,
    StreamInfo,
    unknown_quantiser,
)

if TYPE_CHECKING:
    from av.packet import Packet as AvPacket

GAP_TOLERANCE_S = Fraction(3, 1000)  # stamps in ms (Matroska, FLV) round by 1 ms on either side
JPEG_RANGE = 2  # AVCOL_RANGE_JPEG

_PCM_BITS = re.compile(r"^pcm_[a-z]*?(\d+)")


def sound_bit_depth(codec: str, sample_format: str, extradata: bytes | None) -> int | None:
    """Return the depth of the coded samples in bits; None for lossy codecs, which have none.

    FLAC's is in STREAMINFO (RFC 9639, 8.2), ALAC's in its magic cookie.
    """
    pcm = _PCM_BITS.match(codec)
    if pcm:
        return int(pcm.group(1))
    if codec == "flac" and extradata and len(extradata) >= 14:
        return ((extradata[12] & 1) << 4 | extradata[13] >> 4) + 1
    if codec == "alac" and extradata and len(extradata) > 17:
        return extradata[17]
    if codec in {"flac", "alac", "wavpack", "tta", "truehd", "mlp"}:
        return 16 if sample_format.startswith("s16") else 24
    return None


def scan_of(interlaced: bool | None) -> Literal["progressive", "interlaced"] | None:
    """Return the scan word; unknown stays unknown."""
    if interlaced is None:
        return None
    return "interlaced" if interlaced else "progressive"


def declared_rate(stream: VideoStream) -> Fraction | None:
    """Return the frame rate the container or codec declares; 0 and absurd ones are unknown."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return Fraction(rate)
    return None


def stream_info(stream: Stream, interlaced: bool | None = None) -> StreamInfo:
    """Describe one stream, by its codec's own name, not the decoder's.

    Sound ticks are samples, whatever the container's time base is.
    """
    base = stream.time_base or Fraction(1, 1000)
    duration = float(stream.duration * base) if stream.duration and stream.time_base else None
    if isinstance(stream, AudioStream):
        context = stream.codec_context
        return StreamInfo(
            index=stream.index,
            kind="audio",
            codec=context.codec.canonical_name,
            time_base=Fraction(1, context.sample_rate or 48_000),
            sample_rate_hz=context.sample_rate or None,
            channels=context.channels or None,
            layout=context.layout.name,
            sample_format=context.format.name if context.format else None,
            bit_depth=sound_bit_depth(context.name, context.format.name, context.extradata)
            if context.format
            else None,
            declared_duration_s=duration,
        )
    if isinstance(stream, VideoStream):
        pixel_format = stream.codec_context.format
        return StreamInfo(
            index=stream.index,
            kind="video",
            codec=stream.codec_context.codec.canonical_name,
            time_base=base,
            width_px=stream.codec_context.width or None,
            height_px=stream.codec_context.height or None,
            pixel_format=pixel_format.name if pixel_format else None,
            bit_depth=picture_bit_depth(pixel_format) if pixel_format else None,
            scan=scan_of(interlaced),
            frame_rate=declared_rate(stream),
            declared_duration_s=duration,
            coding=CodingReader(stream).declared(),
            timecode=container_timecode(stream),
        )
    return StreamInfo(index=stream.index, kind="data", time_base=base, declared_duration_s=duration)


def container_timecode(stream: VideoStream) -> str | None:
    """Return the timecode of the first picture, of a ``tmcd`` track or the container's own."""
    return stream.metadata.get("timecode") or stream.container.metadata.get("timecode") or None


def interleaved(frame: AudioFrame) -> NDArray[Any]:
    """Return samples of shape (frames, channels): int16, int32 or float32, left-justified."""
    raw: NDArray[Any] = frame.to_ndarray()
    channels = frame.layout.nb_channels
    samples = raw.T if frame.format.is_planar else raw.reshape(-1, channels)
    if samples.dtype == np.uint8:
        return ((samples.astype(np.int16) - 128) << 8).astype(np.int16)
    if samples.dtype == np.float64:
        return np.ascontiguousarray(samples, dtype=np.float32)
    if samples.dtype == np.int64:
        return np.ascontiguousarray(samples >> 32, dtype=np.int32)
    return np.ascontiguousarray(samples)


def rescaled(ticks: int | None, base: Fraction, to: Fraction) -> int | None:
    """Return ticks of one time base in another, to the nearest; unknown stays unknown."""
    # Nearly always: comparing fractions takes a fifth of measuring packets, a tenth of sound.
    if ticks is None or base is to or base == to:
        return ticks
    return round(ticks * base / to)


class StreamDecoder:
    """One elementary stream: its packets decoded into blocks or frames.

    Sound is counted: a block starts where the last one ended unless its stamp differs by more
    than two ticks of the container's time base and 3 ms; a jump forward is a ``Lost``, a step
    back is taken as it is stamped. ``quantisers``: pictures tell theirs, where the decoder can.
    """

    def __init__(self, stream: Stream, epoch: int = 0, *, quantisers: bool = False) -> None:
        self.stream = stream
        self.epoch = epoch
        self.base = stream.time_base or Fraction(1, 1000)
        self.next_sample: int | None = None
        self.shift = 0  # ticks added to every stamp: loops of a file follow one another
        self.sample_shift = 0  # the same for sound, exact in samples
        self.joins = False  # the next block follows the last one, whatever its stamp says
        self.first: int | None = None
        self.end: int | None = None  # end of the newest stamped packet, in ticks
        self.longest = 0  # longest packet, in ticks
        self.codec = stream.codec_context.codec.canonical_name
        # FFmpeg flags a packet cut off by the end of the file. Of PCM the samples that are there
        # are whole, and those that are not are told as the file's missing end, once.
        self.cut_is_whole = stream.codec_context.name.startswith("pcm_")
        if isinstance(stream, VideoStream | AudioStream):
            stream.codec_context.thread_type = ThreadType.NONE
            stream.codec_context.thread_count = 1
        self.coding = CodingReader(stream) if isinstance(stream, VideoStream) else None
        self.quantisers = (
            quantisers and isinstance(stream, VideoStream) and export_quantisers(stream)
        )
        if isinstance(stream, AudioStream):
            self.tick = Fraction(1, stream.codec_context.sample_rate or 48_000)
        else:
            self.tick = self.base

    @property
    def index(self) -> int:
        """The stream's index in its container."""
        return self.stream.index

    def _note_extent(self, packet: "AvPacket[Any]") -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return
        duration = packet.duration or 0
        self.longest = max(self.longest, duration)
        self.first = stamp if self.first is None else min(self.first, stamp)
        self.end = stamp + duration if self.end is None else max(self.end, stamp + duration)

    def packet(self, packet: "AvPacket[Any]", broken: bool, t_ns: int) -> Packet:
        """Return the item for a packet; sound stamps are turned into samples."""
        self._note_extent(packet)
        pts = None if packet.pts is None else packet.pts + self.shift
        dts = None if packet.dts is None else packet.dts + self.shift
        return Packet(
            stream=self.index,
            epoch=self.epoch,
            pts=rescaled(pts, self.base, self.tick),
            dts=rescaled(dts, self.base, self.tick),
            duration=rescaled(packet.duration or None, self.base, self.tick),
            size_bytes=packet.size,
            key=packet.is_keyframe,
            corrupt=broken,
            t_arrival_ns=t_ns,
        )

    def items(self, decoded: object, t_ns: int) -> list[Item]:
        """Return the items of one decoded frame: a block (after a gap, if any) or a picture."""
        if isinstance(decoded, AudioFrame):
            return self._blocks(decoded, t_ns)
        if isinstance(decoded, VideoFrame):
            return [self._frame(decoded, t_ns)]
        return []

    def _start(self, frame: AudioFrame) -> int:
        expected = self.next_sample
        if frame.pts is None:
            return expected or 0
        base = frame.time_base or self.base
        stamped = (rescaled(frame.pts, base, self.tick) or 0) + self.sample_shift
        if self.joins and expected is not None:
            self.sample_shift += expected - stamped
            self.joins = False
            return expected
        if expected is None:
            return stamped
        if stamped == expected:
            return expected
        tolerance = max(2 * base, GAP_TOLERANCE_S) / self.tick
        return expected if abs(stamped - expected) <= tolerance else stamped

    def _blocks(self, frame: AudioFrame, t_ns: int) -> list[Item]:
        expected, start = self.next_sample, self._start(frame)
        items: list[Item] = []
        if expected is not None and start > expected:
            items.append(
                Lost(
                    stream=self.index,
                    epoch=self.epoch,
                    start=expected,
                    amount=start - expected,
                    unit="samples",
                    reason="gap in the sound's time-stamps",
                    t_arrival_ns=t_ns,
                )
            )
        samples = interleaved(frame)
        self.next_sample = start + len(samples)
        block = Block(
            stream=self.index, epoch=self.epoch, start=start, samples=samples, t_arrival_ns=t_ns
        )
        return [*items, block]

    def _frame(self, frame: VideoFrame, t_ns: int) -> Frame:
        luma, chroma, bits, converted = luma_and_chroma(frame)
        name = frame.format.name
        full = frame.color_range == JPEG_RANGE or name.startswith("yuvj")
        pts = frame.pts
        if pts is not None and frame.time_base and frame.time_base != self.base:
            pts = rescaled(pts, frame.time_base, self.base)
        aspect = self.stream.sample_aspect_ratio if isinstance(self.stream, VideoStream) else None
        return Frame(
            stream=self.index,
            epoch=self.epoch,
            pts=None if pts is None else pts + self.shift,
            luma=luma,
            planes=chroma,
            width_px=frame.width,
            height_px=frame.height,
            pixel_format=name,
            bit_depth=bits,
            full_range=full and not converted,
            interlaced=frame.interlaced_frame,
            key=frame.key_frame,
            corrupt=frame.is_corrupt,
            t_arrival_ns=t_ns,
            bgr=small_bgr(frame, aspect),
            coding=SAYS_NOTHING if self.coding is None else self.coding.of(frame),
            timecode=frame.metadata.get("timecode"),
            quantiser=quantiser_of(frame, self.codec) if self.quantisers else unknown_quantiser,
        )
