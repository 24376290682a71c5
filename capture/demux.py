"""Packets into items: what every source built on FFmpeg's libraries (PyAV) shares.

Imported by a source inside ``open()`` only, for it needs the native library. One
:class:`StreamDecoder` an elementary stream; a :class:`Demuxer` owns the open container and gives
``Packet``, ``Block``, ``Frame`` and ``Lost`` items in the container's order.

Decoders run in one thread with thread type NONE: with slice threads 21 of 24 damaged frames went
unflagged, with NONE none did (measured, PyAV 18.1).
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, Literal, cast

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec.context import ThreadType
from av.container.input import InputContainer
from av.packet import Packet as AvPacket
from av.stream import Stream
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.stream import VideoStream
from numpy.typing import NDArray

from capture.source import Block, Frame, Item, Lost, OpenFailed, Packet, StreamInfo

STREAMS_LIMIT = 64  # more elementary streams than a poly-WAV-wrapping MXF has; each holds a decoder
# Telephony is 8 kHz, DSD512's bytes 2.8 MHz. BS.1770's shelf lies at 1682 Hz: half of the least
# rate must be above it, or the K-weighting cannot be built.
SAMPLE_RATES_HZ = (4_000, 3_000_000)
BAD_READS_LIMIT = 16  # unreadable packets in a row after which the container is taken to be over
GAP_TOLERANCE_S = Fraction(3, 1000)  # stamps in ms (Matroska, FLV) round by 1 ms on either side
JPEG_RANGE = 2  # AVCOL_RANGE_JPEG

_PCM_BITS = re.compile(r"^pcm_[a-z]*?(\d+)")
_LUMA_FIRST = re.compile(r"^(yuvj?|yuva|gray|nv)\d*")
_PACKED_LUMA = {"yuyv422": 0, "yvyu422": 0, "uyvy422": 1}
_HIGH_BITS = {"p010le": 6, "p012le": 4, "p016le": 0, "p210le": 6, "p212le": 4, "p410le": 6}


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


def picture_bit_depth(frame_format: VideoFormat) -> int:
    """Return the bits of the first component of a pixel format."""
    components = frame_format.components
    return int(components[0].bits) if components else 8


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
        )
    return StreamInfo(index=stream.index, kind="data", time_base=base, declared_duration_s=duration)


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


def _rows(plane: VideoPlane, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a plane's rows, padding included, as a view into the decoder's buffer."""
    flat: NDArray[Any] = np.frombuffer(cast("bytes", plane), dtype=dtype)
    return flat.reshape(plane.height, -1)


def _plane(frame: VideoFrame, index: int, dtype: type[np.generic]) -> NDArray[Any]:
    plane = frame.planes[index]
    return _rows(plane, dtype)[:, : plane.width]


def _chroma(frame: VideoFrame, dtype: type[np.generic]) -> tuple[NDArray[Any], ...]:
    name = frame.format.name
    if name.startswith("gray") or len(frame.planes) < 2:
        return ()
    if len(frame.planes) == 2:  # NV12, P010 and kin: Cb and Cr alternate
        both = _rows(frame.planes[1], dtype)[:, : 2 * frame.planes[1].width]
        return (both[:, 0::2], both[:, 1::2])
    return (_plane(frame, 1, dtype), _plane(frame, 2, dtype))


def luma_and_chroma(frame: VideoFrame) -> tuple[NDArray[Any], tuple[NDArray[Any], ...], int, bool]:
    """Return luma, chroma planes, bits a sample, and whether a conversion to YUV was needed.

    Planar YUV, semi-planar and grey formats are views without a copy; RGB, palettes and
    big-endian formats pass through swscale (3 to 5 ms a 1080p frame), which gives limited range.
    """
    name = frame.format.name
    if name in _PACKED_LUMA:
        rows = _rows(frame.planes[0], np.uint8)
        return rows[:, _PACKED_LUMA[name] : 2 * frame.width : 2], (), 8, False
    bits = picture_bit_depth(frame.format)
    if name in _HIGH_BITS:
        shift = _HIGH_BITS[name]
        planes = [_plane(frame, 0, np.uint16), *_chroma(frame, np.uint16)]
        low = [plane >> shift for plane in planes] if shift else planes
        return low[0], tuple(low[1:]), bits, False
    if _LUMA_FIRST.match(name) and not frame.format.is_big_endian and 8 <= bits <= 16:
        dtype = np.uint8 if bits == 8 else np.uint16
        return _plane(frame, 0, dtype), _chroma(frame, dtype), bits, False
    deep = bits > 8
    yuv = frame.reformat(format="yuv422p10le" if deep else "yuv420p")
    dtype = np.uint16 if deep else np.uint8
    return _plane(yuv, 0, dtype), _chroma(yuv, dtype), 10 if deep else 8, True


def small_bgr(frame: VideoFrame, shape: Fraction | None) -> Callable[[int], NDArray[np.uint8]]:
    """Return a function that renders the frame at a given width; ``shape`` is its pixels' aspect.

    The picture is never enlarged; heights and widths are even and at least 2.
    """

    def render(width_px: int) -> NDArray[np.uint8]:
        aspect = Fraction(frame.width, frame.height) * (shape or 1)
        width = max(2, min(width_px, frame.width) // 2 * 2)
        height = max(2, int(width / aspect) // 2 * 2)
        small = frame.reformat(width=width, height=height, format="bgr24")
        return np.asarray(small.to_ndarray(), dtype=np.uint8)

    return render


def rescaled(ticks: int | None, base: Fraction, to: Fraction) -> int | None:
    """Return ticks of one time base in another, to the nearest; unknown stays unknown."""
    if ticks is None or base == to:  # nearly all sound: fractions take a tenth of measuring it
        return ticks
    return round(ticks * base / to)


class StreamDecoder:
    """One elementary stream: its packets decoded into blocks or frames.

    Sound is counted: a block starts where the last one ended unless its stamp differs by more
    than two ticks of the container's time base and 3 ms; a jump forward is a ``Lost``, a step
    back is taken as it is stamped.
    """

    def __init__(self, stream: Stream, epoch: int = 0) -> None:
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
        # FFmpeg flags a packet cut off by the end of the file. Of PCM the samples that are there
        # are whole, and those that are not are told as the file's missing end, once.
        self.cut_is_whole = stream.codec_context.name.startswith("pcm_")
        if isinstance(stream, VideoStream | AudioStream):
            stream.codec_context.thread_type = ThreadType.NONE
            stream.codec_context.thread_count = 1
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
        )


def _check_rates(streams: Sequence[Stream]) -> None:
    """Raise ``OpenFailed`` for a header no converter wrote: 7 Hz never ends, 2 GHz breaks filters.

    A rate of 0 is unknown until something decodes.
    """
    low, high = SAMPLE_RATES_HZ
    for stream in streams:
        rate = stream.codec_context.sample_rate if isinstance(stream, AudioStream) else 0
        if rate and not low <= rate <= high:
            raise OpenFailed(
                f"stream {stream.index + 1} claims {rate} samples a second; "
                f"expected {low} to {high}"
            )


class Demuxer:
    """An open container as items, one packet at a time.

    ``now_ns`` stamps arrivals. A packet that is flagged or does not decode becomes a ``corrupt``
    packet and a ``Lost``; decoding goes on. ``from_key``: a feed is joined in mid-stream, so its
    pictures are decoded from the first key frame on; what comes before is not damage.
    """

    def __init__(
        self, container: InputContainer, now_ns: Callable[[], int], *, from_key: bool = False
    ) -> None:
        self.container = container
        self.now_ns = now_ns
        self.epoch = 0
        streams = [s for s in container.streams if s.type in ("audio", "video")][:STREAMS_LIMIT]
        _check_rates(streams)
        self.decoders = {stream.index: StreamDecoder(stream) for stream in streams}
        self.packets: Iterator[AvPacket[Any]] = (
            iter(container.demux(*streams)) if streams else iter(())
        )
        self.streams = streams
        self.bad_reads = 0
        self.keyless = {s.index for s in streams if from_key and s.type == "video"}

    def next_epoch(self) -> None:
        """Begin a new timeline: stamps jumped, sound is counted from its next stamp."""
        self.epoch += 1
        for decoder in self.decoders.values():
            decoder.epoch = self.epoch
            decoder.next_sample = None

    def restart(self) -> None:
        """Begin again at the container's first packet; stamps go on where they ended."""
        for decoder in self.decoders.values():
            decoder.shift += (decoder.end or 0) - (decoder.first or 0)
            decoder.joins = True
        self.container.seek(0)
        self.packets = iter(self.container.demux(*self.streams))

    def infos(self, interlaced: dict[int, bool] | None = None) -> tuple[StreamInfo, ...]:
        """Describe the streams that are decoded, in the container's order."""
        seen = interlaced or {}
        return tuple(stream_info(s, seen.get(s.index)) for s in self.streams)

    def next_packet(self) -> "AvPacket[Any] | None":
        """Return the next packet, or None at the end. Network errors pass through.

        Raises ``av.error.FFmpegError`` other than invalid data; of that at most
        ``BAD_READS_LIMIT`` in a row are skipped.
        """
        while True:
            try:
                packet = next(self.packets, None)
            except av.error.EOFError:
                return None
            except av.error.InvalidDataError:
                self.bad_reads += 1
                if self.bad_reads >= BAD_READS_LIMIT:
                    return None
                self.packets = iter(self.container.demux(*self.streams))
                continue
            self.bad_reads = 0
            return packet

    def items(self, packet: "AvPacket[Any]") -> list[Item]:
        """Return what one packet gives: itself, what was lost, and what it decodes into."""
        decoder = self.decoders[packet.stream_index]
        t_ns = self.now_ns()
        reason = "corrupt packet" if packet.is_corrupt and not decoder.cut_is_whole else None
        flush = packet.size == 0 and packet.pts is None and packet.dts is None
        if packet.stream_index in self.keyless:
            if not packet.is_keyframe:
                return [] if flush else [decoder.packet(packet, False, t_ns)]
            self.keyless.discard(packet.stream_index)
        try:
            decoded: list[Any] = list(packet.decode())
        except av.error.FFmpegError:
            decoded, reason = [], reason or "packet cannot be decoded"
        items: list[Item] = []
        if not flush:
            whole = decoder.packet(packet, reason is not None, t_ns)
            items.append(whole)
            if reason is not None:
                items.append(_lost_packet(whole, reason))
        for frame in decoded:
            items += decoder.items(frame, t_ns)
        return items


def first_frames(demuxer: Demuxer, packets: int) -> dict[int, bool]:
    """Decode until every stream has shown a frame, at most ``packets`` packets.

    Returns, by stream index, whether its first picture is interlaced (False for sound); a stream
    of which nothing decodes is left out.
    """
    seen: dict[int, bool] = {}
    for _ in range(packets):
        packet = demuxer.next_packet()
        if packet is None or len(seen) == len(demuxer.decoders):
            break
        with suppress(av.error.FFmpegError):
            for frame in packet.decode():
                interlaced = isinstance(frame, VideoFrame) and frame.interlaced_frame
                seen.setdefault(packet.stream_index, interlaced)
    return seen


def _lost_packet(packet: Packet, reason: str) -> Lost:
    return Lost(
        stream=packet.stream,
        epoch=packet.epoch,
        start=packet.pts if packet.pts is not None else packet.dts,
        amount=1,
        unit="packets",
        reason=reason,
        t_arrival_ns=packet.t_arrival_ns,
    )
