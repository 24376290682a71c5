"""Streams in words and lines: as ``hello`` describes them, and what differs between two."""

from collections.abc import Sequence

from capture.source import StreamInfo
from monitor.lines import Stream

_FORMAT_FIELDS = {
    "audio": ("kind", "codec", "sample_rate_hz", "channels", "layout", "sample_format"),
    "video": ("kind", "codec", "width_px", "height_px", "pixel_format", "scan", "frame_rate"),
    "data": ("kind", "codec"),
}


def describe(info: StreamInfo, names: Sequence[str] = ()) -> Stream:
    """Return a stream as ``hello`` tells it; the settings' channel names come first."""
    own = list(info.channel_names or ())
    if info.kind == "audio" and names:
        own = [*names, *own[len(names) :]][: info.channels or len(names)]
    return Stream(
        index=info.index,
        kind=info.kind,
        codec=info.codec,
        time_base=str(info.time_base),
        sample_rate_hz=info.sample_rate_hz,
        channels=info.channels,
        layout=info.layout,
        channel_names=own or None,
        sample_format=info.sample_format,
        bit_depth=info.bit_depth,
        width_px=info.width_px,
        height_px=info.height_px,
        pixel_format=info.pixel_format,
        scan=info.scan,
        frame_rate=None if info.frame_rate is None else str(info.frame_rate),
        declared_duration_s=info.declared_duration_s,
        asked=info.asked,
    )


def changes(old: StreamInfo, new: StreamInfo) -> str:
    """Say in words what differs between two formats; empty when nothing does."""
    fields = dict.fromkeys(_FORMAT_FIELDS[old.kind] + _FORMAT_FIELDS[new.kind])
    pairs = [(name, getattr(old, name), getattr(new, name)) for name in fields]
    return ", ".join(f"{name} from {a} to {b}" for name, a, b in pairs if a != b)
