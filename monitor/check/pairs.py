"""Which channels of a recorded file belong together, as its header says. Pure."""

import re
from itertools import pairwise

from capture.source import StreamInfo

_SIDE = re.compile(r"^(.*?)[ _.\-]*(left|right|l|r)$", re.IGNORECASE)
_OTHER = {("l", "r"), ("left", "right")}


def pairs_of(info: StreamInfo) -> tuple[tuple[int, int], ...]:
    """Return the pairs of channels of a stream, from 0.

    Neighbours whose track names (iXML, bext) differ in nothing but left and right, ``MixL`` and
    ``MixR``. Two channels without names are a pair; with names that say otherwise, a boom and a
    lavalier say, they are two microphones.
    """
    if info.kind != "audio" or not info.channels:
        return ()
    names = info.channel_names or ()
    if any(names):
        sides = [_side(name) for name in names]
        return tuple(
            (n, n + 1)
            for n, (one, other) in enumerate(pairwise(sides))
            if one[0] == other[0] and (one[1], other[1]) in _OTHER
        )
    return ((0, 1),) if info.channels == 2 else ()


def _side(name: str) -> tuple[str, str]:
    """Return a track's name without its side, and the side, both in lower case."""
    found = _SIDE.match(name.strip())
    return (found[1].lower(), found[2].lower()) if found else (name.lower(), "")
