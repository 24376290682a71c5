"""Packets into items: what every source built on FFmpeg's libraries (PyAV) shares.

Imported by a source inside ``open()`` only, for it needs the native library. One
:class:`StreamDecoder` an elementary stream; a :class:`Demuxer` owns the open container and gives
``Packet``, ``Block``, ``Frame`` and ``Lost`` items in the container's order.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import av
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from capture.source import RUNGS, Item, Lost, OpenFailed, Packet, Rung, StreamInfo, Thinned
from capture.stream_decoder import StreamDecoder, stream_info
from capture.thinning import Thinning

if TYPE_CHECKING:
    from av.packet import Packet as AvPacket

STREAMS_LIMIT = 64  # more elementary streams than a poly-WAV-wrapping MXF has; each holds a decoder
# Telephony is 8 kHz, DSD512's bytes 2.8 MHz. BS.1770's shelf lies at 1682 Hz: half of the least
# rate must be above it, or the K-weighting cannot be built.
SAMPLE_RATES_HZ = (4_000, 3_000_000)
BAD_READS_LIMIT = 16  # unreadable packets in a row after which the container is taken to be over


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
    ``quantisers``: pictures tell their mean quantiser, where the codec's decoder exports it.
    """

    def __init__(
        self,
        container: InputContainer,
        now_ns: Callable[[], int],
        *,
        from_key: bool = False,
        quantisers: bool = False,
    ) -> None:
        self.container = container
        self.now_ns = now_ns
        self.epoch = 0
        streams = [s for s in container.streams if s.type in ("audio", "video")][:STREAMS_LIMIT]
        _check_rates(streams)
        self.decoders = {
            stream.index: StreamDecoder(stream, quantisers=quantisers) for stream in streams
        }
        self.packets: Iterator[AvPacket[Any]] = (
            iter(container.demux(*streams)) if streams else iter(())
        )
        self.streams = streams
        self.bad_reads = 0
        self.keyless = {s.index for s in streams if from_key and s.type == "video"}
        self.rung: Rung = RUNGS[0]
        self.thinnings = {s.index: Thinning(s) for s in streams if isinstance(s, VideoStream)}

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

    def thin(self, rung: Rung) -> list[Thinned]:
        """Decode this much of the pictures from the next packet on; return what tells a change."""
        if rung == self.rung:
            return []
        self.rung = rung
        t_ns = self.now_ns()
        for thinning in self.thinnings.values():
            thinning.thin(rung)
        return [
            Thinned(stream=index, epoch=self.epoch, rung=rung, t_arrival_ns=t_ns)
            for index in self.thinnings
        ]

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
        told, decoded = self.parts(packet)
        return [*told, *(item for items in decoded for item in items)]

    def parts(self, packet: "AvPacket[Any]") -> tuple[list[Item], list[list[Item]]]:
        """Return the items of a packet itself, and those of each picture that came out with it."""
        decoder = self.decoders[packet.stream_index]
        t_ns = self.now_ns()
        reason = "corrupt packet" if packet.is_corrupt and not decoder.cut_is_whole else None
        flush = is_flush(packet)
        if packet.stream_index in self.keyless:
            if not packet.is_keyframe:
                return ([] if flush else [decoder.packet(packet, False, t_ns)]), []
            self.keyless.discard(packet.stream_index)
        thinning = self.thinnings.get(packet.stream_index)
        wanted = flush or thinning is None or thinning.wants(packet, t_ns)
        try:
            decoded: list[Any] = list(packet.decode()) if wanted else []
            if wanted and thinning is not None:
                decoded += thinning.pushed_out()
        except av.error.FFmpegError:
            decoded, reason = [], reason or "packet cannot be decoded"
        told: list[Item] = []
        if not flush:
            whole = decoder.packet(packet, reason is not None, t_ns)
            told.append(whole)
            if reason is not None:
                told.append(_lost_packet(whole, reason))
        return told, [decoder.items(frame, t_ns) for frame in decoded]


def is_flush(packet: "AvPacket[Any]") -> bool:
    """Say whether this is no packet but the end of its stream."""
    return packet.size == 0 and packet.pts is None and packet.dts is None


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
