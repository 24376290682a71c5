"""Media addresses: which are allowed, and how they are shown without what is secret in them.

Only what a feed on the set's network needs: RTSP, and MPEG-TS over UDP or TCP. Everything that
reaches files, other programs or other addresses (``file:``, ``concat:``, ``subfile:``, ``pipe:``,
``http:`` playlists) is refused here, and refused again inside FFmpeg by its protocol allow-list
and a fixed container format, so that no answer of a server can lead elsewhere.
"""

import difflib
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from capture.source import AddressRefused

ADDRESS_LIMIT = 2_048  # what servers and browsers take as the longest address
SCHEMES = {
    "rtsp": "rtsp://HOST/PATH",
    "rtsps": "rtsps://HOST/PATH",
    "udp": "udp://HOST:PORT (MPEG-TS)",
    "tcp": "tcp://HOST:PORT (MPEG-TS)",
}
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
# What FFmpeg may open while it serves an address of each scheme, in answers of the server too.
PROTOCOLS = {
    "rtsp": "tcp,udp,rtp",
    "rtsps": "tcp,udp,rtp,tls",
    "udp": "udp",
    "tcp": "tcp",
}
FORMATS = {"rtsp": "rtsp", "rtsps": "rtsp", "udp": "mpegts", "tcp": "mpegts"}
_ADVICE = {
    "file": "a recorded file is a source of kind media_file, or: takewatch check FILE",
    "http": "pages and playlists are not network feeds; ask the device for its RTSP address",
    "https": "pages and playlists are not network feeds; ask the device for its RTSP address",
    "srt": "SRT is not supported yet; bridge it to udp:// with srt-live-transmit",
    "rtmp": "RTMP is not supported yet; ask the device for its RTSP address",
}
_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.\-]*):")
_SECRET_KEY = re.compile(
    r"([?&;](?:[^=&;\s]*(?:pass|pwd|token|key|secret|auth|sig|user)[^=&;\s]*)=)[^&;\s]+", re.I
)
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://)[^\s/?#]*@")
HIDDEN = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address. ``text`` may hold a password: show ``redact(text)``."""

    text: str
    scheme: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """Host and port, safe to show."""
        return f"{self.host or '*'}:{self.port}"


def _userinfo_end(address: str) -> int | None:
    """Return where the host begins when user or password stand before it.

    Passwords with ``/`` or ``@`` in them are common mistakes, and secrets all the same: whatever
    stands before the last ``@`` counts, and rather hides a path (``/camera@2``) too.
    """
    begin, last = address.find("://"), address.rfind("@")
    return last + 1 if 0 <= begin < last else None


def redact(address: str) -> str:
    """Return the address with user, password and secret-looking parameters replaced by ``***``."""
    end = _userinfo_end(address)
    if end is not None:
        begin = address.find("://") + 3
        address = address[:begin] + HIDDEN + "@" + address[end:]
    return _SECRET_KEY.sub(rf"\g<1>{HIDDEN}", address)


def secrets_of(address: str) -> tuple[str, ...]:
    """Return user and password as written and as decoded, longest first; empty without any."""
    end = _userinfo_end(address)
    if end is None:
        return ()
    info = address[address.find("://") + 3 : end - 1]
    user, _, password = info.partition(":")
    written = {info, user, password, info.rpartition(":")[2]}
    found = written | {unquote(part) for part in written}
    return tuple(sorted((part for part in found if part), key=len, reverse=True))


def scrub(text: str, address: str) -> str:
    """Return a library's message with the address shown as ``redact`` does and no secret left."""
    text = text.replace(address, redact(address))
    for secret in secrets_of(address):
        text = text.replace(secret, HIDDEN)
    return _SECRET_KEY.sub(rf"\g<1>{HIDDEN}", _USERINFO.sub(rf"\g<1>{HIDDEN}@", text))


def _refuse_scheme(address: str) -> AddressRefused:
    shown = redact(address)[:120]
    forms = ", ".join(SCHEMES.values())
    found = _SCHEME.match(address)
    if found is None or re.match(r"^[^:/]+:\d+(/|$)", address):
        return AddressRefused(f"{shown}: no scheme; expected one of {forms}")
    scheme = found.group(1).lower()
    near = difflib.get_close_matches(scheme, SCHEMES, n=1)
    advice = _ADVICE.get(scheme) or (f"did you mean {near[0]}:?" if near else f"expected {forms}")
    return AddressRefused(f"{shown}: {scheme}: is not an allowed media address; {advice}")


def check_address(text: str) -> Address:
    """Return the checked address. Raises ``AddressRefused`` with what was found and expected."""
    text = text.strip()
    if not text or len(text) > ADDRESS_LIMIT:
        raise AddressRefused(
            f"address of {len(text)} characters; expected 1 to {ADDRESS_LIMIT}, "
            f"for example {SCHEMES['rtsp']}"
        )
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in text):
        raise AddressRefused(f"{redact(text)[:120]!r}: spaces or control characters in the address")
    found = _SCHEME.match(text)
    if found is None or found.group(1).lower() not in SCHEMES or "://" not in text:
        raise _refuse_scheme(text)
    scheme = found.group(1).lower()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(scheme)
    except ValueError:
        raise AddressRefused(
            f"{redact(text)}: host or port is not valid; expected {SCHEMES[scheme]}, and / or @ in "
            "a password written %2F and %40"
        ) from None
    if not host and scheme != "udp":
        raise AddressRefused(f"{redact(text)}: no host; expected {SCHEMES[scheme]}")
    if port is None:
        raise AddressRefused(f"{redact(text)}: no port; expected {SCHEMES[scheme]}")
    return Address(text=text, scheme=scheme, host=host, port=port)
