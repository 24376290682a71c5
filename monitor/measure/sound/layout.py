"""Which channels are the programme, and their loudness weights by position.

Weights: BS.1770-5, Table 3 (0° to ±60° of azimuth: 1.0, ±60° to ±120°: 1.41, behind: 1.0; LFE is
left out). Channel orders are FFmpeg's, which files and feeds are decoded to.
"""

from typing import Final

SURROUND: Final = 1.41  # BS.1770-5 Table 3: +1.5 dB
LAYOUTS: Final[dict[str, tuple[float, ...]]] = {
    "mono": (1.0,),
    "stereo": (1.0, 1.0),
    "downmix": (1.0, 1.0),
    "2.1": (1.0, 1.0, 0.0),
    "3.0": (1.0, 1.0, 1.0),
    "3.1": (1.0, 1.0, 1.0, 0.0),
    "4.0": (1.0, 1.0, 1.0, 1.0),
    "quad": (1.0, 1.0, SURROUND, SURROUND),
    "quad(side)": (1.0, 1.0, SURROUND, SURROUND),
    "5.0": (1.0, 1.0, 1.0, SURROUND, SURROUND),
    "5.0(side)": (1.0, 1.0, 1.0, SURROUND, SURROUND),
    "5.1": (1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND),
    "5.1(side)": (1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND),
    "7.0": (1.0, 1.0, 1.0, 1.0, 1.0, SURROUND, SURROUND),
    "7.1": (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, SURROUND, SURROUND),
}
_ASSUMED: Final = {1: "mono", 2: "stereo"}  # more channels without a layout are separate tracks
_PROGRAMMES: Final = ("mono", "stereo", "downmix", "5.1", "5.1(side)", "7.1")


def layout_name(channels: int, layout: str | None) -> str | None:
    """Return the known layout of that many channels, or None for separate tracks."""
    name = layout or _ASSUMED.get(channels)
    return name if name in LAYOUTS and len(LAYOUTS[name]) == channels else _ASSUMED.get(channels)


def default_programme(channels: int, layout: str | None) -> tuple[int, ...] | None:
    """Return all channels of a mono, stereo, 5.1 or 7.1 layout, else None: no known mix."""
    return tuple(range(channels)) if layout_name(channels, layout) in _PROGRAMMES else None


def programme_weights(
    channels: int, layout: str | None, programme: tuple[int, ...]
) -> tuple[float, ...]:
    """Return one weight a channel of the stream, 0 for those outside the programme.

    Some tracks picked out of many have no position: two of 32 are left and right, weight 1.
    """
    name = layout_name(channels, layout)
    whole = name is not None and len(programme) == channels
    weights = LAYOUTS[name] if whole and name is not None else (1.0,) * channels
    return tuple(weights[index] if index in programme else 0.0 for index in range(channels))
