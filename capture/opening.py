"""How a checked address is opened through FFmpeg's libraries, and why it did not open, in words."""

import io
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capture.address import Address
from capture.source import AddressRefused, LibraryMissing, OpenFailed
from config.secrets import scrub

if TYPE_CHECKING:
    from av.container.input import InputContainer

PROBE_BYTES = 2_000_000  # of a stream of 12 Mb/s: 1.3 s
PROBE_US = 1_000_000  # sound and picture both seen, 25 pictures to read a declared rate from
UDP_FIFO_UNITS = 50_000  # of 188 bytes: 9 MB, 6 s at 12 Mb/s, while a decoder catches up
RTP_MPEG_TS = 33  # its payload type
SDP_LIMIT_BYTES = 16_384  # a dozen streams of a description take 4 KiB
_MEDIA_PORT = re.compile(r"^m=\w+ (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How an address is to be opened, and the bounds of it.

    ``open_s`` is the time until a peer answers (or, listening, until one comes), ``read_s`` the
    silence after which FFmpeg itself gives up.
    """

    address: Address
    transport: str
    listen: bool
    sdp: str | None
    open_s: float
    read_s: float
    fd: int | None = None
    """Where its bytes come from, if it is a bridge that receives them."""


def _how(opening: Opening) -> dict[str, str]:
    """Return the options of the address's own protocol."""
    address, wait_s = opening.address, opening.open_s
    microseconds = str(int(wait_s * 1e6))
    match address.scheme:
        case "rtsp" | "rtsps" if opening.listen:
            return {"rtsp_flags": "listen", "listen_timeout": str(max(1, int(wait_s)))}
        case "rtsp" | "rtsps":
            return {"rtsp_transport": opening.transport, "timeout": microseconds}
        case "rtmp" | "rtmps" if opening.listen:
            return {"rtmp_listen": "1", "timeout": str(max(1, int(wait_s)))}
        case "rtmp" | "rtmps":
            return {"rtmp_live": "live"}
        case "tcp" if opening.listen:
            return {"listen": "1", "listen_timeout": str(int(wait_s * 1000))}
        case "udp":
            fifo = {"fifo_size": str(UDP_FIFO_UNITS), "overrun_nonfatal": "1"}
            return fifo | {"timeout": microseconds}
        case "srt":
            return {"fd": str(opening.fd)}
        case _:
            return {}


def ffmpeg_options(opening: Opening) -> dict[str, str]:
    """Return every FFmpeg option that matters, so that none is left to a library's default."""
    form = opening.address.form
    return {
        "protocol_whitelist": form.protocols,
        "format_whitelist": f"{form.containers},sdp,mpegts",
        "probesize": str(PROBE_BYTES),
        "analyzeduration": str(PROBE_US),
    } | _how(opening)


def _description(opening: Opening) -> bytes:
    """Return the session description: the one given, or that of MPEG-TS in RTP (RFC 3551: 33).

    Left to find the payload's type itself, FFmpeg takes the port, gives it back and takes it
    again; whatever else starts a process in between may still hold it.
    """
    address = opening.address
    if opening.sdp:
        return read_description(opening.sdp, address)
    host, kind = address.host or "0.0.0.0", "IP6" if ":" in address.host else "IP4"  # noqa: S104
    media = f"m=video {address.port} RTP/AVP {RTP_MPEG_TS}"
    return f"v=0\no=- 0 0 IN {kind} {host}\ns=-\nc=IN {kind} {host}\nt=0 0\n{media}\n".encode()


def read_description(sdp: str, address: Address) -> bytes:
    """Return a session description: the text itself, or the file's that is named.

    Raises ``OpenFailed`` where it cannot be read, or is not about this address's port.
    """
    text = sdp
    if "\n" not in sdp.strip():
        try:
            with Path(sdp).expanduser().open("rb") as file:
                text = file.read(SDP_LIMIT_BYTES + 1).decode()
        except (OSError, ValueError) as error:
            raise OpenFailed(f"{sdp}: the session description cannot be read ({error})") from None
    if not text.lstrip().startswith("v=0") or len(text) > SDP_LIMIT_BYTES:
        raise OpenFailed(f"{address.shown}: sdp is no session description; expected v=0 … m=…")
    ports = [int(port) for port in _MEDIA_PORT.findall(text)]
    if address.port not in ports:
        named = ", ".join(map(str, ports)) or "none"
        raise OpenFailed(f"{address.shown}: sdp is about port {named}; expected {address.port}")
    return text.encode()


def open_feed(opening: Opening) -> "InputContainer":
    """Connect and probe. Raises ``OpenFailed`` that says why in clear words."""
    try:
        import av
    except ImportError as error:
        raise LibraryMissing(f"PyAV is not installed ({error}); pip install av") from error
    address = opening.address
    containers = address.form.containers
    place: str | io.BytesIO = address.text
    kind = None if "," in containers else containers
    if opening.fd is not None:
        place = "fd:"
    if address.scheme == "rtp":
        place, kind = io.BytesIO(_description(opening)), "sdp"
    began = time.monotonic()
    try:
        return av.open(
            place,
            mode="r",
            format=kind,
            options=ffmpeg_options(opening),
            metadata_errors="replace",
            timeout=(opening.open_s, opening.read_s),
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise opening_error(error, opening, time.monotonic() - began) from None


def resolve(address: Address) -> None:
    """Raise ``AddressRefused`` where the host is not known here."""
    if not address.host:
        return
    try:
        socket.getaddrinfo(address.host, address.port)
    except OSError:
        raise AddressRefused(
            f"{address.shown}: no host called {address.host} is known here"
        ) from None


def _expected(address: Address) -> str:
    if address.is_web:
        return "HLS, MJPEG or another stream"
    return {"rtsp": "an RTSP stream", "flv": "an RTMP stream"}.get(
        address.form.containers, "MPEG-TS"
    )


def opening_error(error: Exception, opening: Opening, waited_s: float) -> OpenFailed:
    """Say in clear words why an address did not open; no secret of it is in them.

    When FFmpeg was interrupted in an answer, it calls what it has invalid data.
    """
    address = opening.address
    name = "TimeoutError" if waited_s >= 0.95 * opening.open_s else type(error).__name__
    silence = f"nothing answers within {waited_s:.1f} s"
    if opening.listen:
        silence = f"nobody has pushed to it within {waited_s:.0f} s"
    if address.scheme == "rtp" and not opening.sdp:
        silence = (
            f"nothing answers with MPEG-TS within {waited_s:.1f} s; anything else needs its sdp"
        )
    missing = f"the server at {address.place} has no such stream (404)"
    words = {
        "HTTPUnauthorizedError": "refuses the user or password (401); "
        f"expected {address.scheme}://USER:PASSWORD@{address.place}/…",
        "HTTPForbiddenError": "does not allow this user (403)",
        "HTTPNotFoundError": missing,
        "ConnectionRefusedError": f"nothing listens at {address.place} (connection refused)",
        "ExitError": silence,
        "TimeoutError": silence,
        "InvalidDataError": f"{address.place} answers, but not with {_expected(address)}",
        "EOFError": f"{address.place} closed the connection before any media came",
    }
    reason = getattr(error, "strerror", None) or str(error) or name
    text = words.get(name) or scrub(str(reason), address.text)
    return AddressRefused(f"{address.shown}: {text}")
