"""A network feed: RTSP over TCP or UDP, MPEG-TS over UDP or TCP; sound and picture in one session.

A thread of its own opens, demuxes, decodes and closes (a container closed from another thread
while it reads is a crash), and hands items over through a bounded queue. ``read`` watches the time
of the last arrival itself: a peer that is stopped but not closed raises nothing anywhere in
FFmpeg. The end of a feed is a loss, for a live feed has no proper end.
"""

import queue
import socket
import threading
import time
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from capture.address import DEFAULT_PORTS, FORMATS, PROTOCOLS, Address, check_address, redact, scrub
from capture.source import (
    AddressRefused,
    Changed,
    Frame,
    Item,
    LibraryMissing,
    Lost,
    OpenFailed,
    SourceError,
    SourceLost,
    StreamInfo,
    source,
)

if TYPE_CHECKING:
    from av.container.input import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream

    from capture.demux import Demuxer

STALL_S = 1.0  # a feed of 5 pictures a second or more is never silent this long
ITEMS_LIMIT = 1_024  # about 2 s of 25 pictures, their packets and 8 sound streams
FRAMES_LIMIT = 25  # of those: each pins 3 MB of decoder memory at 1080p
PROBE_BYTES = 2_000_000  # of a stream of 12 Mb/s: 1.3 s
PROBE_US = 1_000_000  # sound and picture both seen, 25 pictures to read a declared rate from
BURST_SPEED = 4.0  # what waited while the feed was probed comes this much faster than live, not
BURST_FREE_S = 0.1  # at once: measuring holds a third of a second of pictures and would lose some
UDP_FIFO_UNITS = 50_000  # of 188 bytes: 9 MB, 6 s at 12 Mb/s, while a decoder catches up
JUMP_S = 10.0  # a step of the stamps this long, or back by a second, is another timeline
BACK_S = 1.0
SETTLE_S = 2.0  # the other streams' stamps jump within this of the first one's
LOSS_EVERY_NS = 1_000_000_000  # losses are told at most once a second
CLOSE_S = 0.5


class NetworkFeedOptions(BaseModel):
    """Options of ``kind = "network_feed"``."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    address: str = Field(min_length=1, max_length=2_048)
    """rtsp://, rtsps://, udp:// or tcp://; user and password stand before the host."""
    transport: Literal["tcp", "udp"] = "tcp"
    """How RTSP carries media. TCP loses nothing on a busy network and comes a little later."""
    open_timeout_s: float = Field(default=10.0, gt=0, le=60)
    """How long the peer may take to answer and to show a first packet."""
    latency_s: float = Field(default=0.0, ge=0, le=30)
    """How late the feed is, if it is known: from a clap in front of the camera to its arrival."""


def ffmpeg_options(address: Address, transport: str, read_s: float) -> dict[str, str]:
    """Return every FFmpeg option that matters, so that none is left to a library's default."""
    options = {
        "protocol_whitelist": PROTOCOLS[address.scheme],
        "probesize": str(PROBE_BYTES),
        "analyzeduration": str(PROBE_US),
    }
    if address.scheme in DEFAULT_PORTS:
        options |= {"rtsp_transport": transport, "timeout": str(int(read_s * 1e6))}
    if address.scheme == "udp":
        options |= {"fifo_size": str(UDP_FIFO_UNITS), "overrun_nonfatal": "1"}
        options |= {"timeout": str(int(read_s * 1e6))}
    return options


def opening_error(
    error: Exception, address: Address, waited_s: float, phase_s: float
) -> OpenFailed:
    """Say in clear words why an address did not open; no secret of it is in them.

    ``phase_s`` is how long FFmpeg could wait: when it was interrupted in an answer, it calls what
    it has invalid data.
    """
    shown = redact(address.text)
    name = "TimeoutError" if waited_s >= 0.95 * phase_s else type(error).__name__
    words = {
        "HTTPUnauthorizedError": "refuses the user or password (401); "
        f"expected {address.scheme}://USER:PASSWORD@{address.place}/…",
        "HTTPForbiddenError": "does not allow this user (403)",
        "HTTPNotFoundError": f"the server at {address.place} has no such stream (404)",
        "ConnectionRefusedError": f"nothing listens at {address.place} (connection refused)",
        "ExitError": f"nothing answers within {waited_s:.1f} s",
        "TimeoutError": f"nothing answers within {waited_s:.1f} s",
        "InvalidDataError": f"{address.place} answers, but not with "
        + ("an RTSP stream" if FORMATS[address.scheme] == "rtsp" else "MPEG-TS"),
        "EOFError": f"{address.place} closed the connection before any media came",
    }
    reason = getattr(error, "strerror", None) or str(error) or name
    return AddressRefused(f"{shown}: {words.get(name) or scrub(str(reason), address.text)}")


def _resolve(address: Address) -> None:
    if not address.host:
        return
    try:
        socket.getaddrinfo(address.host, address.port)
    except OSError:
        shown = redact(address.text)
        raise AddressRefused(f"{shown}: no host called {address.host} is known here") from None


class _Losses:
    """Counts lost packets of every stream and tells them at most once a second."""

    def __init__(self) -> None:
        self.waiting: dict[int, Lost] = {}
        self.told_ns = 0

    def add(self, lost: Lost) -> None:
        old = self.waiting.get(lost.stream)
        amount = lost.amount + (old.amount if old else 0)
        self.waiting[lost.stream] = Lost(
            stream=lost.stream,
            epoch=lost.epoch,
            start=old.start if old else lost.start,
            amount=amount,
            unit=lost.unit,
            reason=lost.reason,
            t_arrival_ns=lost.t_arrival_ns,
        )

    def due(self, now_ns: int) -> list[Lost]:
        if not self.waiting or now_ns - self.told_ns < LOSS_EVERY_NS:
            return []
        told, self.waiting, self.told_ns = list(self.waiting.values()), {}, now_ns
        return told


@source("network_feed", NetworkFeedOptions)
class NetworkFeed:
    """One address: opened, read and closed; what stops it is said once, and nothing is retried."""

    practice = False

    def __init__(self, options: NetworkFeedOptions) -> None:
        self.options = options
        self.latency_s = options.latency_s
        self.stall_s = STALL_S
        self._items: queue.Queue[Item | SourceError] = queue.Queue(ITEMS_LIMIT)
        self._opened: queue.Queue[tuple[StreamInfo, ...] | SourceError] = queue.Queue(1)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_ns = 0
        self._frames_waiting = 0
        self._frames_lost: dict[int, int] = {}
        self._failure: SourceError | None = None

    def open(self) -> tuple[StreamInfo, ...]:
        """Connect and describe the streams. Raises ``AddressRefused`` or ``OpenFailed``."""
        address = check_address(self.options.address)
        self._thread = threading.Thread(
            target=self._run, args=(address,), name=f"feed {address.place}", daemon=True
        )
        self._thread.start()
        wait_s = self.options.open_timeout_s + self.stall_s
        try:
            outcome = self._opened.get(timeout=wait_s)
        except queue.Empty:
            self.close()
            shown = redact(address.text)
            raise AddressRefused(f"{shown}: nothing answers within {wait_s:g} s") from None
        if isinstance(outcome, SourceError):
            self.close()
            raise outcome
        self._last_ns = time.monotonic_ns()
        return outcome

    def read(self, timeout_s: float) -> Item | None:
        """Return the next item, None after ``timeout_s``. Raises ``SourceLost``, again and again.

        Silence longer than ``stall_s`` is a loss even when FFmpeg still waits.
        """
        if self._failure is not None:
            raise self._failure
        if self._thread is None:
            raise SourceLost(f"{redact(self.options.address)}: read before open, or after close")
        silent_s = (time.monotonic_ns() - self._last_ns) / 1e9
        try:
            item = self._items.get(timeout=max(0.0, min(timeout_s, self.stall_s - silent_s)))
        except queue.Empty:
            silent_s = (time.monotonic_ns() - self._last_ns) / 1e9
            if silent_s >= self.stall_s:
                self._fail(f"nothing arrived for {self.stall_s:g} s")
            return None
        if isinstance(item, SourceError):
            self._failure = item
            raise item
        if isinstance(item, Frame):
            self._frames_waiting -= 1
        return item

    def _fail(self, why: str) -> None:
        self._failure = SourceLost(f"{redact(self.options.address)}: {why}")
        raise self._failure

    def close(self) -> None:
        """Ask the thread to let go and wait for it a little; safe to call twice.

        A thread that hangs in native code is left behind: it ends with the process.
        """
        self._stop.set()
        if self._thread is not None:
            self._thread.join(self.stall_s + CLOSE_S)
            self._thread = None

    # What follows runs in the thread.

    def _run(self, address: Address) -> None:
        try:
            _resolve(address)
            container = self._connect(address)
        except SourceError as error:
            self._opened.put(error)
            return
        except Exception as error:  # noqa: BLE001  (the thread's last words must reach the opener)
            self._opened.put(OpenFailed(scrub(f"{redact(address.text)}: {error}", address.text)))
            return
        try:
            self._pump(container, address)
        except SourceError as error:
            self._hand_over(error)
        except Exception as error:  # noqa: BLE001  (the thread's last words must reach the reader)
            self._hand_over(SourceLost(scrub(f"{redact(address.text)}: {error}", address.text)))
        finally:
            container.close()

    def _connect(self, address: Address) -> "InputContainer":
        try:
            import av
        except ImportError as error:
            raise LibraryMissing(f"PyAV is not installed ({error}); pip install av") from error
        phase_s = self.options.open_timeout_s / 2  # connecting and probing have one each
        began = time.monotonic()
        try:
            return av.open(
                address.text,
                mode="r",
                format=FORMATS[address.scheme],
                options=ffmpeg_options(address, self.options.transport, phase_s),
                metadata_errors="replace",
                timeout=(phase_s, self.stall_s),
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            waited_s = time.monotonic() - began
            raise opening_error(error, address, waited_s, phase_s) from None

    def _pump(self, container: "InputContainer", address: Address) -> None:
        from capture.demux import Demuxer

        try:
            demuxer = Demuxer(container, time.monotonic_ns, from_key=True)
        except SourceError as error:
            self._opened.put(error)
            return
        if not demuxer.streams:
            shown = redact(address.text)
            self._opened.put(OpenFailed(f"{shown}: carries no sound and no picture"))
            return
        self._opened.put(demuxer.infos())
        losses, timeline, pace = _Losses(), _Timeline(demuxer), Pace()
        while not self._stop.is_set():
            packet = self._next_packet(demuxer, address)
            now_ns = self._last_ns = time.monotonic_ns()
            if packet.dts is not None:
                at_s = float(packet.dts * demuxer.decoders[packet.stream_index].base)
                self._stop.wait(pace.wait_s(packet.stream_index, at_s, now_ns / 1e9))
            changed = timeline.follow(packet.stream_index, packet.dts, now_ns)
            if changed is not None:
                self._hand_over(changed)
            for item in demuxer.items(packet):
                if isinstance(item, Lost) and item.unit == "packets":
                    losses.add(item)
                else:
                    self._hand_over(item)
            for lost in losses.due(now_ns):
                self._hand_over(lost)

    def _next_packet(self, demuxer: "Demuxer", address: Address) -> "AvPacket[Stream]":
        from av.error import FFmpegError

        try:
            packet = demuxer.next_packet()
        except (FFmpegError, OSError) as error:
            reason = "timed out" if type(error).__name__ == "ExitError" else error.strerror
            raise SourceLost(
                scrub(f"{redact(address.text)}: the feed broke off ({reason})", address.text)
            ) from None
        if packet is None:
            raise SourceLost(f"{redact(address.text)}: the peer ended the feed")
        return packet

    def _hand_over(self, item: Item | SourceError) -> None:
        """Queue an item; when the reader is behind, drop pictures first and count them."""
        if isinstance(item, Frame):
            if self._frames_waiting >= FRAMES_LIMIT:
                self._frames_lost[item.stream] = self._frames_lost.get(item.stream, 0) + 1
                return
            self._tell_frames_lost(item)
            self._frames_waiting += 1
        while not self._stop.is_set():
            try:
                self._items.put(item, timeout=0.1)
                return
            except queue.Full:
                continue  # back-pressure: TCP waits, UDP overruns its FIFO and is flagged corrupt

    def _tell_frames_lost(self, frame: Frame) -> None:
        count = self._frames_lost.pop(frame.stream, 0)
        if count:
            self._hand_over(
                Lost(
                    stream=frame.stream,
                    epoch=frame.epoch,
                    start=frame.pts,
                    amount=count,
                    unit="frames",
                    reason="compute: pictures came faster than they were measured",
                    t_arrival_ns=frame.t_arrival_ns,
                )
            )


class Pace:
    """Spreads bursts: one stream's media time may run ``BURST_SPEED`` times as fast as the clock.

    Time is an argument. The first stream that is seen sets the pace for all.
    """

    def __init__(self) -> None:
        self.stream: int | None = None
        self.anchor: tuple[float, float] | None = None  # media and clock, in seconds

    def wait_s(self, stream: int, media_s: float, now_s: float) -> float:
        """Return how long to hold this packet back, at most ``BURST_FREE_S``."""
        if self.stream is None:
            self.stream = stream
        if stream != self.stream:
            return 0.0
        if self.anchor is None:
            self.anchor = media_s, now_s
        due_s = self.anchor[1] + (media_s - self.anchor[0]) / BURST_SPEED
        if abs(now_s - due_s) > BURST_FREE_S:  # live, after a pause, or another timeline
            self.anchor = media_s, now_s
            return 0.0 if now_s > due_s else BURST_FREE_S
        return max(0.0, due_s - now_s)


class _Timeline:
    """Watches the stamps of all streams for a jump; a jump begins a new epoch."""

    def __init__(self, demuxer: "Demuxer") -> None:
        self.demuxer = demuxer
        self.last_s: dict[int, float] = {}
        self.jumped_ns: int | None = None

    def follow(self, stream: int, dts: int | None, now_ns: int) -> Changed | None:
        """Take a packet's stamp; return the change when its timeline is another one."""
        if dts is None:
            return None
        at_s = float(dts * self.demuxer.decoders[stream].base)
        last_s = self.last_s.get(stream)
        self.last_s[stream] = at_s
        if last_s is None or -BACK_S <= at_s - last_s <= JUMP_S:
            return None
        settling = self.jumped_ns is not None and now_ns - self.jumped_ns < SETTLE_S * 1e9
        self.demuxer.decoders[stream].next_sample = None
        if settling:
            return None
        self.jumped_ns = now_ns
        self.demuxer.next_epoch()
        return Changed(
            epoch=self.demuxer.epoch,
            streams=self.demuxer.infos(),
            reason=f"time-stamps jumped by {at_s - last_s:+.1f} s",
            t_arrival_ns=now_ns,
        )
