"""Media addresses: which are allowed, and what each may lead to.

Only what a feed on the set's network needs. Everything that reaches files or other programs
(``file:``, ``concat:``, ``subfile:``, ``pipe:``) is refused here, and refused again inside FFmpeg
by its lists of protocols and of containers, in playlists and session descriptions too, so that
no answer of a server can lead elsewhere.
"""

import difflib
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from capture.source import AddressRefused
from config.secrets import redact

ADDRESS_LIMIT = 2_048  # what servers and browsers take as the longest address
WEB_PROTOCOLS = "http,https,tls,tcp,crypto"  # a playlist of one may name segments of the other
# What a web address may turn out to be. No picture files, no playlists but HLS.
WEB_CONTAINERS = "hls,mpjpeg,flv,mpegts,mov,matroska,aac,mp3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of address: an example, what FFmpeg may take it for and open while serving it."""

    example: str
    containers: str
    protocols: str
    port: int | None = None
    can_listen: bool = False


FORMS = {
    "rtsp": Form(
        example="rtsp://HOST/PATH",
        containers="rtsp",
        protocols="tcp,udp,rtp",
        port=554,
        can_listen=True,
    ),
    "rtsps": Form(
        example="rtsps://HOST/PATH", containers="rtsp", protocols="tcp,udp,rtp,tls", port=322
    ),
    "rtmp": Form(
        example="rtmp://HOST/APP/KEY",
        containers="flv",
        protocols="rtmp,tcp",
        port=1935,
        can_listen=True,
    ),
    "rtmps": Form(
        example="rtmps://HOST/APP/KEY", containers="flv", protocols="rtmps,tls,tcp", port=443
    ),
    "udp": Form(example="udp://HOST:PORT (MPEG-TS)", containers="mpegts", protocols="udp"),
    "tcp": Form(
        example="tcp://HOST:PORT (MPEG-TS)", containers="mpegts", protocols="tcp", can_listen=True
    ),
    "rtp": Form(
        example="rtp://HOST:PORT (MPEG-TS, or with sdp)", containers="sdp", protocols="rtp,udp"
    ),
    "srt": Form(
        example="srt://HOST:PORT (MPEG-TS)", containers="mpegts", protocols="fd", can_listen=True
    ),
    "http": Form(
        example="http://HOST/PATH (HLS, MJPEG, FLV)",
        containers=WEB_CONTAINERS,
        protocols=WEB_PROTOCOLS,
        port=80,
    ),
    "https": Form(
        example="https://HOST/PATH", containers=WEB_CONTAINERS, protocols=WEB_PROTOCOLS, port=443
    ),
}
_ADVICE = {
    "file": "a recorded file is a source of kind media_file, or: takewatch check FILE",
}
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*):")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address. ``text`` may hold a password: show ``shown``."""

    text: str
    scheme: str
    host: str
    port: int

    @property
    def form(self) -> Form:
        """What is known of its scheme."""
        return FORMS[self.scheme]

    @property
    def shown(self) -> str:
        """The address without what is secret in it."""
        return redact(self.text)

    @property
    def place(self) -> str:
        """Host and port, safe to show."""
        return f"{self.host or '*'}:{self.port}"

    @property
    def is_web(self) -> bool:
        """Whether it is a web address: an HLS playlist, MJPEG or a stream by HTTP."""
        return self.scheme in ("http", "https")

    @property
    def asks_to_listen(self) -> bool:
        """Whether the address itself asks to wait for a peer that pushes, FFmpeg's or SRT's way."""
        asked = {key: values[-1] for key, values in parse_qs(urlsplit(self.text).query).items()}
        if self.scheme == "srt":
            return asked.get("mode") == "listener"
        return self.scheme == "tcp" and asked.get("listen", "0") != "0"


def _forms() -> str:
    return ", ".join(form.example for form in FORMS.values())


def _refuse_scheme(address: str) -> AddressRefused:
    shown = redact(address)[:120]
    found = _SCHEME.match(address)
    if found is None or re.match(r"^[^:/]+:\d+(/|$)", address):
        return AddressRefused(f"{shown}: no scheme; expected one of {_forms()}")
    scheme = found.group(1).lower()
    near = difflib.get_close_matches(scheme, FORMS, n=1)
    advice = _ADVICE.get(scheme) or (
        f"did you mean {near[0]}:?" if near else f"expected {_forms()}"
    )
    return AddressRefused(f"{shown}: {scheme}: is not an allowed media address; {advice}")


def check_address(text: str) -> Address:
    """Return the checked address. Raises ``AddressRefused`` with what was found and expected."""
    text = text.strip()
    if not text or len(text) > ADDRESS_LIMIT:
        raise AddressRefused(
            f"address of {len(text)} characters; expected 1 to {ADDRESS_LIMIT}, "
            f"for example {FORMS['rtsp'].example}"
        )
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in text):
        raise AddressRefused(f"{redact(text)[:120]!r}: spaces or control characters in the address")
    found = _SCHEME.match(text)
    if found is None or found.group(1).lower() not in FORMS or "://" not in text:
        raise _refuse_scheme(text)
    scheme = found.group(1).lower()
    form = FORMS[scheme]
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or form.port
    except ValueError:
        raise AddressRefused(
            f"{redact(text)}: host or port is not valid; expected {form.example}, and / or @ in "
            "a password written %2F and %40"
        ) from None
    if not host and scheme not in ("udp", "rtp", "srt"):
        raise AddressRefused(f"{redact(text)}: no host; expected {form.example}")
    if port is None:
        raise AddressRefused(f"{redact(text)}: no port; expected {form.example}")
    return Address(text=text, scheme=scheme, host=host, port=port)
