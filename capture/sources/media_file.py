"""A recorded file, any container: as fast as the machine allows, or at its own pace."""

import os
import time
from collections import deque
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from capture.source import (
    OPEN_LIMIT_S,
    Ended,
    Item,
    LibraryMissing,
    OpenFailed,
    SourceLost,
    StreamInfo,
    source,
)
from capture.wav import WavHeader, read_wav_header

if TYPE_CHECKING:
    from av.container.input import InputContainer

    from capture.demux import Demuxer

PROOF_PACKETS = 512  # packets in which a file must show one decodable frame to be media
WAV_PACKET_BYTES = (1024, 1 << 22)  # what FFmpeg takes as ``max_size``
SHORT_TOLERANCE_S = Fraction(
    1, 100
)  # declared durations are rounded to 1 ms; a packet comes on top
# Containers whose header declares how long they are. The others' durations are FFmpeg's guesses
# from the bit rate or from the last time-stamp, which a cut file moves.
DECLARE_DURATION = {"mov", "mp4", "matroska", "webm", "avi", "mxf", "w64", "aiff", "flac", "caf"}


class MediaFileOptions(BaseModel):
    """Options of ``kind = "media_file"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str = Field(min_length=1, max_length=4096)
    """The file."""
    real_time: bool = False
    """Pace it by its time-stamps, like a feed; by default as fast as the machine allows."""
    loop: bool = False
    """Begin again at the end, for ever, with time-stamps that go on."""


def check_readable(path: Path) -> None:
    """Raise ``OpenFailed`` with one clear line unless the path is a readable, non-empty file."""
    try:
        if path.is_dir():
            raise OpenFailed(f"{path}: is a folder; expected a media file")
        if not path.exists():
            raise OpenFailed(f"{path}: no such file")
        if not path.is_file():
            raise OpenFailed(f"{path}: is not a regular file; expected a media file")
        if path.stat().st_size == 0:
            raise OpenFailed(f"{path}: is empty (0 bytes); expected a media file")
        with path.open("rb"):
            pass
    except PermissionError:
        raise OpenFailed(f"{path}: may not be read (permission denied)") from None
    except (OSError, ValueError) as error:
        raise OpenFailed(f"{path}: cannot be read ({error})") from error


def open_container(path: Path, **options: str) -> "InputContainer":
    """Open a file by its content alone.

    It is handed over as a descriptor: no name, so no guess by extension (random bytes called
    ``.g722`` would play), and no other file or address can be opened from inside a playlist.
    ``options`` are FFmpeg's own. Raises ``OpenFailed``.
    """
    try:
        import av
    except ImportError as error:
        raise LibraryMissing(f"PyAV is not installed ({error}); pip install av") from error
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise OpenFailed(f"{path}: cannot be read ({error.strerror})") from error
    try:
        return av.open(
            "fd:",
            mode="r",
            options={"fd": str(descriptor), "protocol_whitelist": "fd", **options},
            metadata_errors="replace",
        )
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise OpenFailed(
            f"{path}: not media: {path.stat().st_size} bytes in no container known here; "
            "expected a sound or video file"
        ) from error
    finally:
        os.close(descriptor)


def _named(info: StreamInfo, header: WavHeader | None) -> StreamInfo:
    if header is None or info.kind != "audio" or len(header.track_names) != info.channels:
        return info
    return replace(info, channel_names=header.track_names)


@source("media_file", MediaFileOptions)
class MediaFile:
    """Reads one file: packets, decoded sound and pictures in the container's order.

    Packets that are damaged become ``Lost`` and decoding goes on; the ``Ended`` says how many
    declared seconds are not there. ``threads``: that decode pictures, with the same items; with
    more than one anything damaged raises ``NeedsOneThread``.
    """

    latency_s = 0.0
    open_limit_s = OPEN_LIMIT_S
    practice = False
    has_peer = False

    def __init__(self, options: MediaFileOptions, threads: int = 1) -> None:
        self.path = Path(options.path).expanduser()
        self.real_time = options.real_time
        self.loop = options.loop
        self._threads = threads
        self.stall_s = 5.0  # a disk that spins up; a decoder never takes this long for a packet
        self._container: InputContainer | None = None
        self._demuxer: Demuxer | None = None
        self._header: WavHeader | None = None
        self._declared_s: Fraction | None = None
        self._waiting: deque[Item] = deque()
        self._due_s = Fraction(0)
        self._first_s: Fraction | None = None
        self._began_ns: int | None = None
        self._ended = False
        self._read_bytes = 0

    @property
    def progress(self) -> float:
        """How much of the file has been read, 0 to 1, by bytes."""
        if self._ended:
            return 1.0
        size = self._container.size if self._container is not None else 0
        return min(1.0, self._read_bytes / size) if size > 0 else 0.0

    def open(self) -> tuple[StreamInfo, ...]:
        """Open the file and prove that something in it decodes. Raises ``OpenFailed``."""
        check_readable(self.path)
        self._container = open_container(self.path)
        from capture.demux import Demuxer, first_frames

        try:
            interlaced = first_frames(Demuxer(self._container, time.monotonic_ns), PROOF_PACKETS)
            if not interlaced:
                kinds = sorted({stream.type for stream in self._container.streams})
                raise OpenFailed(
                    f"{self.path}: not media: looks like {self._container.format.long_name} "
                    f"with {', '.join(kinds) or 'no streams'}, but no sound or picture decodes"
                )
        except OpenFailed:
            self.close()
            raise
        self._container.close()
        self._header = read_wav_header(self.path)
        self._container = open_container(self.path, **self._options())
        self._demuxer = self._demuxed(self._container)
        self._declared_s = self._declared()
        return tuple(_named(info, self._header) for info in self._demuxer.infos(interlaced))

    def _demuxed(self, container: "InputContainer") -> "Demuxer":
        from capture.demux import Demuxer
        from capture.threaded import ThreadedDemuxer

        if self._threads > 1:
            return ThreadedDemuxer(container, time.monotonic_ns, threads=self._threads)
        return Demuxer(container, time.monotonic_ns, quantisers=self.real_time)

    def _options(self) -> dict[str, str]:
        """Return what the container is opened with: of WAV packets of a second, unless it is paced.

        FFmpeg's own last 85 ms and take twice as long to read.
        """
        if self.real_time or self._header is None:
            return {}
        low, high = WAV_PACKET_BYTES
        return {"max_size": str(min(max(self._header.bytes_per_second, low), high))}

    def _declared(self) -> Fraction | None:
        assert self._container is not None
        names = set(self._container.format.name.split(","))
        if self._container.duration is None or not names & DECLARE_DURATION:
            return None
        return Fraction(self._container.duration, 1_000_000)

    def read(self, timeout_s: float) -> Item | None:
        """Return the next item; None when, in real time, none is due within ``timeout_s``."""
        if self._demuxer is None:
            raise SourceLost(f"{self.path}: read before open, or after close")
        while not self._waiting:
            if self._ended:
                return None
            self._fill(self._demuxer)
        if self.real_time and not self._await_due(timeout_s):
            return None
        return self._waiting.popleft()

    def _fill(self, demuxer: "Demuxer") -> None:
        packet = demuxer.next_packet()
        if packet is None:
            self._at_end(demuxer)
            return
        if packet.pos is not None:
            self._read_bytes = max(self._read_bytes, packet.pos + packet.size)
        items = demuxer.items(packet)
        self._waiting.extend(items)
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is not None:
            decoder = demuxer.decoders[packet.stream_index]
            self._due_s = max(self._due_s, (stamp + decoder.shift) * decoder.base)
            if self._first_s is None:
                self._first_s = self._due_s = (stamp + decoder.shift) * decoder.base

    def _at_end(self, demuxer: "Demuxer") -> None:
        if self.loop and any(decoder.end is not None for decoder in demuxer.decoders.values()):
            demuxer.restart()
            return
        self._ended = True
        short = self._short_by_s(demuxer)
        reason = f"file ends {short:.3f} s before its declared end" if short else "end of file"
        self._waiting.append(
            Ended(reason=reason, t_arrival_ns=time.monotonic_ns(), short_by_s=short)
        )

    def _short_by_s(self, demuxer: "Demuxer") -> float:
        if self._header is not None:
            return self._header.short_by_s
        decoders = [d for d in demuxer.decoders.values() if d.end is not None]
        if self._declared_s is None or not decoders:
            return 0.0
        begin = min((d.first or 0) * d.base for d in decoders)
        end = max((d.end or 0) * d.base for d in decoders)
        tolerance = SHORT_TOLERANCE_S + max(d.longest * d.base for d in decoders)
        short = self._declared_s - (end - min(begin, Fraction(0)))
        return float(short) if short > tolerance else 0.0

    def _await_due(self, timeout_s: float) -> bool:
        """Wait until the oldest item is due, at most ``timeout_s``; say whether it is."""
        if self._first_s is None:
            return True
        if self._began_ns is None:
            self._began_ns = time.monotonic_ns()
        due_ns = self._began_ns + int((self._due_s - self._first_s) * 1_000_000_000)
        wait_s = (due_ns - time.monotonic_ns()) / 1e9
        if wait_s <= 0:
            return True
        time.sleep(min(wait_s, timeout_s))
        return wait_s <= timeout_s

    def close(self) -> None:
        """Let the file go; safe to call twice."""
        self._demuxer = None
        self._waiting.clear()
        if self._container is not None:
            self._container.close()
            self._container = None
