"""Decoding less: which packets of a stream are decoded at each rung, and how busy a thread is.

A decoder skips non-reference pictures by itself. Key frames are decoded one by one: each is pushed
out and the decoder emptied, else it holds them back to put pictures in order. Where every picture
is a key frame (MJPEG, intra-only H.264) leaving out the others saves nothing, so key frames are
looked at some times a second only. Of a stream whose packets alone are followed one key frame is
decoded now and then, so that its size and format are held to the spec all the same.

Imported inside ``open()`` only, for it needs the native library.
"""

from typing import TYPE_CHECKING, Any, Final, Literal

from av.video.codeccontext import VideoCodecContext

from capture.source import RUNGS, Rung

if TYPE_CHECKING:
    from av.packet import Packet as AvPacket
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

KEY_EVERY_NS: Final = 400_000_000  # a tile's still comes once a second; exposure looks 5 times
GLIMPSE_EVERY_NS: Final = 5_000_000_000  # a 1080p key frame costs 15 ms: 0.3 % of a core


class Thinning:
    """One video stream's decoding: all of it, until told otherwise."""

    def __init__(self, stream: "VideoStream") -> None:
        self.stream = stream
        self.rung: Rung = RUNGS[0]
        self.needs_key = False
        self.decoded_ns: int | None = None

    def thin(self, rung: Rung) -> None:
        """Decode this much from the next packet on.

        Whoever left pictures out that others refer to begins again with a key frame.
        """
        context = self.stream.codec_context
        assert isinstance(context, VideoCodecContext)
        if self._keys_only():
            self.needs_key = True
        self.rung = rung
        skip: Literal["NONREF", "DEFAULT"] = "NONREF" if rung == "reference frames" else "DEFAULT"
        context.skip_frame = skip
        if self._keys_only():
            context.flush_buffers()  # what it holds back would come out among later pictures

    def _keys_only(self) -> bool:
        return self.rung in ("key frames", "packets only")

    def wants(self, packet: "AvPacket[Any]", t_ns: int) -> bool:
        """Say whether this packet is to be decoded; ``t_ns`` is when it arrived."""
        if self._keys_only():
            every_ns = KEY_EVERY_NS if self.rung == "key frames" else GLIMPSE_EVERY_NS
            due = self.decoded_ns is None or t_ns - self.decoded_ns >= every_ns
            if packet.is_keyframe and due:
                self.decoded_ns = t_ns
                return True
            return False
        if self.needs_key and not packet.is_keyframe:
            return False
        self.needs_key = False
        return True

    def pushed_out(self) -> "list[VideoFrame]":
        """Return the key frame a decoder still holds back, and empty it."""
        if not self._keys_only():
            return []
        frames = list(self.stream.codec_context.decode(None))
        self.stream.codec_context.flush_buffers()
        return frames
