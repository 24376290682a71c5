"""A network feed: whatever ``capture/address.py`` allows; sound and picture in one session.

A thread of its own opens, demuxes, decodes and closes (a container closed from another thread
while it reads is a crash), and hands items over through a bounded queue. ``read`` watches the time
of the last arrival itself: a peer that is stopped but not closed raises nothing anywhere in
FFmpeg. The end of a feed is a loss, for a live feed has no proper end.
"""

import queue
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from capture.address import FORMS, Address, check_address
from capture.occupation import Occupation
from capture.opening import Opening, open_feed, resolve
from capture.source import (
    RUNGS,
    AddressRefused,
    Frame,
    Item,
    Lost,
    OpenFailed,
    Rung,
    SourceError,
    SourceLost,
    StreamInfo,
    source,
)
from capture.srt import Bridge, call_of
from capture.timeline import BURST_SPEED, Losses, Pace, Timeline
from config.secrets import redact, scrub

if TYPE_CHECKING:
    from av.container.input import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream

    from capture.demux import Demuxer

STALL_S = 1.0  # a feed of 5 pictures a second or more is never silent this long
WEB_STALL_S = 10.0  # HLS comes in segments: 6 s each by Apple's advice, and one may be late
OPEN_S = 10.0  # the peer may take this long to answer and to show a first packet
LISTEN_S = 3_600.0  # an encoder may be switched on at any time; once an hour we listen anew
ITEMS_LIMIT = 1_024  # about 2 s of 25 pictures, their packets and 8 sound streams
FRAMES_LIMIT = 25  # of those: each pins 3 MB of decoder memory at 1080p
HLS_SPEED = 1.0
CLOSE_S = 0.5
OPEN_SLACK_S = 3.0  # finding the host and loading libraries come on top of all that is bounded


class NetworkFeedOptions(BaseModel):
    """Options of ``kind = "network_feed"``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
    address: str = Field(min_length=1, max_length=2_048)
    """One of the forms in docs/sources.md; user and password stand before the host."""
    transport: Literal["tcp", "udp"] = "tcp"
    """How RTSP carries media. TCP loses nothing on a busy network and comes a little later."""
    listen: bool = False
    """Wait at the address for an encoder that pushes, instead of asking a server there."""
    sdp: str | None = Field(default=None, min_length=1, max_length=16_384)
    """Of rtp:// what is no MPEG-TS: its session description, or the path of a file with it."""
    open_timeout_s: float | None = Field(default=None, gt=0, le=LISTEN_S)
    """How long the peer may take to answer and to show a first packet; by default 10 s, and an
    hour where it is waited for."""
    latency_s: float = Field(default=0.0, ge=0, le=30)
    """How late the feed is, if it is known: from a clap in front of the camera to its arrival."""

    @field_validator("address")
    @classmethod
    def _is_allowed(cls, address: str) -> str:
        try:
            checked = check_address(address)
            if checked.scheme == "srt":
                call_of(checked)
        except AddressRefused as error:
            raise ValueError(str(error)) from None
        return address

    @field_validator("listen")
    @classmethod
    def _can_listen(cls, listen: bool, info: ValidationInfo) -> bool:
        address = info.data.get("address")
        if listen and address and not check_address(address).form.can_listen:
            kinds = " or ".join(f"{name}://" for name, form in FORMS.items() if form.can_listen)
            raise ValueError(f"an address of the form {kinds} to listen at")
        return listen

    @field_validator("sdp")
    @classmethod
    def _goes_with_rtp(cls, sdp: str | None, info: ValidationInfo) -> str | None:
        address = info.data.get("address")
        if sdp and address and check_address(address).scheme != "rtp":
            raise ValueError("an address of the form rtp://HOST:PORT beside it")
        return sdp

    @property
    def listens(self) -> bool:
        """Whether a peer is waited for."""
        return self.listen or check_address(self.address).asks_to_listen

    @property
    def patience_s(self) -> float:
        """How long opening may take."""
        return self.open_timeout_s or (LISTEN_S if self.listens else OPEN_S)


@source("network_feed", NetworkFeedOptions)
class NetworkFeed:
    """One address: opened, read and closed; what stops it is said once, and nothing is retried."""

    practice = False
    has_peer = True

    def __init__(self, options: NetworkFeedOptions) -> None:
        self.options = options
        self.latency_s = options.latency_s
        self.open_limit_s = options.patience_s + OPEN_SLACK_S
        self.stall_s = WEB_STALL_S if check_address(options.address).is_web else STALL_S
        self._items: queue.Queue[Item | SourceError] = queue.Queue(ITEMS_LIMIT)
        self._opened: queue.Queue[tuple[StreamInfo, ...] | SourceError] = queue.Queue(1)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_ns = 0
        self._frames_waiting = 0
        self._frames_lost: dict[int, int] = {}
        self._failure: SourceError | None = None
        self._bridge: Bridge | None = None
        self._rung: Rung = RUNGS[0]
        self._work = Occupation(0)

    @property
    def busy(self) -> float:
        """The share of the last second in which the thread did not wait for the feed."""
        return self._work.share

    def thin(self, rung: Rung) -> None:
        """Decode this much of the pictures from the next packet on."""
        self._rung = rung

    def open(self) -> tuple[StreamInfo, ...]:
        """Connect and describe the streams. Raises ``AddressRefused`` or ``OpenFailed``."""
        address = check_address(self.options.address)
        self._thread = threading.Thread(
            target=self._run, args=(address,), name=f"feed {address.place}", daemon=True
        )
        self._thread.start()
        wait_s = self.options.patience_s + self.stall_s
        try:
            outcome = self._opened.get(timeout=wait_s)
        except queue.Empty:
            self.close()
            raise AddressRefused(f"{address.shown}: nothing answers within {wait_s:g} s") from None
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
        if self._bridge is not None:
            self._bridge.kill()  # a read from a pipe has no time-out of its own
        if self._thread is not None:
            self._thread.join(self.stall_s + CLOSE_S)
            self._thread = None

    # What follows runs in the thread.

    def _run(self, address: Address) -> None:
        try:
            resolve(address)
            container = self._connect(address)
        except SourceError as error:
            self._opened.put(error)
            return
        except Exception as error:  # noqa: BLE001  (the thread's last words must reach the opener)
            self._opened.put(OpenFailed(scrub(f"{address.shown}: {error}", address.text)))
            return
        try:
            self._pump(container, address)
        except SourceError as error:
            self._hand_over(error)
        except Exception as error:  # noqa: BLE001  (the thread's last words must reach the reader)
            self._hand_over(SourceLost(scrub(f"{address.shown}: {error}", address.text)))
        finally:
            container.close()
            if self._bridge is not None:
                self._bridge.close()

    def _connect(self, address: Address) -> "InputContainer":
        opening = self._opening(address)
        if address.scheme != "srt":
            return open_feed(opening)
        call = call_of(address, listen=opening.listen, open_s=opening.open_s)
        self._bridge = Bridge(address, call)
        try:
            return open_feed(replace(opening, fd=self._bridge.fd))
        except OpenFailed as error:
            why = self._bridge.words()
            self._bridge.close()
            raise AddressRefused(f"{address.shown}: {why}") if why else error from None

    def _opening(self, address: Address) -> Opening:
        options, patience_s = self.options, self.options.patience_s
        listens = options.listens
        return Opening(
            address=address,
            transport=options.transport,
            listen=listens,
            sdp=options.sdp,
            # connecting and probing have a half each; whoever pushes may come at the last moment
            open_s=patience_s if listens else patience_s / 2,
            read_s=self.stall_s,
        )

    def _pump(self, container: "InputContainer", address: Address) -> None:
        from capture.demux import Demuxer

        try:
            demuxer = Demuxer(container, time.monotonic_ns, from_key=True, quantisers=True)
        except SourceError as error:
            self._opened.put(error)
            return
        if not demuxer.streams:
            self._opened.put(OpenFailed(f"{address.shown}: carries no sound and no picture"))
            return
        speed = self._settle(container.format.name)
        self._opened.put(demuxer.infos())
        losses, timeline, pace = Losses(), Timeline(demuxer), Pace(speed)
        self._work = Occupation(time.monotonic_ns())
        while not self._stop.is_set():
            asked_ns = time.monotonic_ns()
            packet = self._next_packet(demuxer, address)
            now_ns = self._last_ns = time.monotonic_ns()
            if packet.dts is not None:
                at_s = float(packet.dts * demuxer.decoders[packet.stream_index].base)
                self._stop.wait(pace.wait_s(packet.stream_index, at_s, now_ns / 1e9))
            self._work.waited(asked_ns, time.monotonic_ns())
            changed = timeline.follow(packet.stream_index, packet.dts, now_ns)
            if changed is not None:
                self._hand_over(changed)
            for item in (*demuxer.thin(self._rung), *demuxer.items(packet)):
                if isinstance(item, Lost) and item.unit == "packets":
                    losses.add(item)
                else:
                    self._hand_over(item)
            for lost in losses.due(now_ns):
                self._hand_over(lost)

    def _settle(self, container: str) -> float:
        """Set the stall time by what a web address turned out to be; return the pace of bursts.

        HLS fetches segments as they are read: at the speed of its media time the peers' buffer,
        which is three segments, is ours too.
        """
        if container == "hls":
            return HLS_SPEED
        if self.stall_s == WEB_STALL_S:  # unless somebody chose another
            self.stall_s = STALL_S
        return BURST_SPEED

    def _next_packet(self, demuxer: "Demuxer", address: Address) -> "AvPacket[Stream]":
        from av.error import FFmpegError

        try:
            packet = demuxer.next_packet()
        except (FFmpegError, OSError) as error:
            reason = "timed out" if type(error).__name__ == "ExitError" else error.strerror
            raise SourceLost(
                scrub(f"{address.shown}: the feed broke off ({reason})", address.text)
            ) from None
        if packet is None:
            why = self._bridge.words() if self._bridge is not None else None
            raise SourceLost(f"{address.shown}: {why or 'the peer ended the feed'}")
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
