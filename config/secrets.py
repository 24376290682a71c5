"""What of a media address is secret, and how it is shown without. Pure.

Secret are user and password, parameters that look like a credential (of web and SRT addresses: all
but a few, for every maker has a name of his own and names are mistyped), and the key of an RTMP
stream, which is what a publisher proves himself by.
"""

import re
from urllib.parse import unquote

HIDDEN = "***"
PATHS_ARE_OPEN = ("rtsp", "rtsps", "http", "https", "udp", "tcp", "rtp", "srt", "file")
_TELLING = "|".join(
    ("pass", "pwd", "token", "key", "secret", "auth", "sig", "user", "usr", "login", "streamid")
)
_SECRET_KEY = re.compile(rf"([?&;/](?:[^=&;/?\s]*(?:{_TELLING})[^=&;/?\s]*)=)[^&;\s'\"]+", re.I)
_WEB_QUERY = re.compile(r"((?:https?|srt)://[^\s?'\"]*\?)([^\s'\"]+)", re.I)
_WEB_VALUE = re.compile(r"((?:^|[&;])(?!(?:mode|latency|pbkeylen)=)[^=&;]*=)[^&;]*")
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://)[^\s/?#'\"]*@")
_BEYOND_APP = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)(://[^/\s?'\"]*/[^/\s?'\"]+/)([^\s'\"]+)")


def _userinfo_end(address: str) -> int | None:
    """Return where the host begins when user or password stand before it.

    Passwords with ``/`` or ``@`` in them are common mistakes, and secrets all the same: whatever
    stands before the last ``@`` counts, and rather hides a path (``/camera@2``) too.
    """
    begin, last = address.find("://"), address.rfind("@")
    return last + 1 if 0 <= begin < last else None


def _hide_key(found: re.Match[str]) -> str:
    scheme, place, _ = found.groups()
    open_path = scheme.lower() in PATHS_ARE_OPEN
    return found.group() if open_path else f"{scheme}{place}{HIDDEN}"


def _hide_values(found: re.Match[str]) -> str:
    return found.group(1) + _WEB_VALUE.sub(rf"\g<1>{HIDDEN}", found.group(2))


def _hide_parts(text: str) -> str:
    """Hide what no user or password stands before: parameters and stream keys."""
    text = _BEYOND_APP.sub(_hide_key, text)
    text = _WEB_QUERY.sub(
        lambda m: m.group(1) + _WEB_VALUE.sub(rf"\g<1>{HIDDEN}", m.group(2)), text
    )
    return _SECRET_KEY.sub(rf"\g<1>{HIDDEN}", text)


def redact(address: str) -> str:
    """Return the address with everything secret in it replaced by ``***``."""
    end = _userinfo_end(address)
    if end is not None:
        begin = address.find("://") + 3
        address = address[:begin] + HIDDEN + "@" + address[end:]
    return _hide_parts(address)


def hide(text: str) -> str:
    """Return any text with what is secret in addresses within it replaced by ``***``."""
    return _hide_parts(_USERINFO.sub(rf"\g<1>{HIDDEN}@", text))


def secrets_of(address: str) -> tuple[str, ...]:
    """Return every secret as written and as decoded, longest first; empty without any."""
    written: set[str] = set()
    end = _userinfo_end(address)
    rest = address
    if end is not None:
        info = address[address.find("://") + 3 : end - 1]
        # which of several colons ends the user is not known
        colons = [at for at, character in enumerate(info) if character == ":"]
        written |= {info, *(info[:at] for at in colons), *(info[at + 1 :] for at in colons)}
        rest = address[: address.find("://") + 3] + address[end:]
    shown = _hide_parts(rest)
    written |= _hidden_in(rest, shown)
    found = written | {unquote(part) for part in written}
    return tuple(sorted((part for part in found if part), key=len, reverse=True))


def _hidden_in(rest: str, shown: str) -> set[str]:
    """Return the parts of ``rest`` that ``shown`` has ``***`` for."""
    if shown == rest:
        return set()
    pattern = "(.*?)".join(re.escape(part) for part in shown.split(HIDDEN))
    found = re.fullmatch(pattern, rest)
    return set(found.groups()) if found else {rest.partition("://")[2]}


def scrub(text: str, address: str) -> str:
    """Return a library's message with the address shown as ``redact`` does and no secret left."""
    text = text.replace(address, redact(address))
    for secret in secrets_of(address):
        text = text.replace(secret, HIDDEN)
    return hide(text)
