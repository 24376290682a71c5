"""Decode the pictures of a file in several threads, with the items one thread gives.

FFmpeg's frame threads decode pictures beside each other and beside whoever measures them. What
comes out of an undamaged stream is defined bit by bit, so it is the same; of a damaged one it is
not, and the flags of damage may come too late for their picture. So nothing damaged is told:
``NeedsOneThread`` says that the file is to be read again in one. It says so too where a stream ends
before all threads have had a packet, for which packet gave which picture is then not known.

Imported inside ``open()`` only, for it needs the native library.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from av.codec.codec import Capabilities
from av.codec.context import ThreadType
from av.container.input import InputContainer
from av.video.stream import VideoStream

from capture.demux import Demuxer, is_flush
from capture.in_step import InStep
from capture.source import Frame, Item, Lost, NeedsOneThread

if TYPE_CHECKING:
    from av.packet import Packet as AvPacket
    from av.stream import Stream

STOP_AT_ERRORS: Final = {"err_detect": "explode"}
"""A decoder that finds an error says so at once, and does not conceal it."""


class ThreadedDemuxer(Demuxer):
    """A file as items. Codecs whose decoders have no frame threads are decoded in one."""

    def __init__(
        self, container: InputContainer, now_ns: Callable[[], int], *, threads: int
    ) -> None:
        super().__init__(container, now_ns)
        threaded = [one.index for one in self.streams if _begin_threads(one, threads)]
        self._in_step = InStep(dict.fromkeys(threaded, threads - 1))
        self._threaded = frozenset(threaded)

    def next_packet(self) -> "AvPacket[Any] | None":
        """Return the next packet, or None at the end. Raises ``NeedsOneThread``."""
        packet = super().next_packet()
        if packet is None and self._in_step.waiting:
            raise NeedsOneThread("the file ends where it cannot be read on")
        return packet

    def items(self, packet: "AvPacket[Any]") -> list[Item]:
        """Return what waits for nothing before it. Raises ``NeedsOneThread``."""
        told, decoded = self.parts(packet)
        stream = packet.stream_index
        if stream in self._threaded and _damaged([told, *decoded]):
            raise NeedsOneThread("damage where pictures are decoded in several threads")
        if is_flush(packet) and not self._in_step.begun(stream):
            raise NeedsOneThread("a stream is too short for several threads")
        if is_flush(packet):
            self._in_step.end(stream, decoded)
        else:
            self._in_step.put(stream, told, decoded)
        return self._in_step.take()


def _begin_threads(stream: "Stream", threads: int) -> bool:
    """Let a stream be decoded in threads, if its decoder can."""
    if not isinstance(stream, VideoStream):
        return False
    context = stream.codec_context
    if not context.codec.capabilities & Capabilities.frame_threads:
        return False
    context.thread_type = ThreadType.FRAME
    context.thread_count = threads
    context.options = {**(context.options or {}), **STOP_AT_ERRORS}
    return True


def _damaged(parts: Sequence[Sequence[Item]]) -> bool:
    items = (item for part in parts for item in part)
    return any(
        isinstance(item, Lost) or (isinstance(item, Frame) and item.corrupt) for item in items
    )
