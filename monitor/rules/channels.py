"""What is known of a source's channels: their names, which carry sound, which are the mix."""

from dataclasses import dataclass, field

from monitor.lines import Reading, Stream

OPEN_BELOW_S = 0.25  # shorter runs of zeros occur in live sound; as the silence rule's on-delay
MIX_LAYOUTS = frozenset({"mono", "stereo", "5.1", "5.1(side)", "7.1"})
"""Layouts that are a mix as a whole unless settings say otherwise (DESIGN.md, section 6)."""


@dataclass(slots=True)
class Channels:
    """The channels of one stream, by index."""

    names: list[str] = field(default_factory=list)
    mix: list[int] = field(default_factory=list)
    silent_s: list[float | None] = field(default_factory=list)
    heard: list[bool] = field(default_factory=list)

    def note(self, reading: Reading) -> None:
        """Take how long each channel has been digitally silent."""
        silent = reading.values.get("silent_s")
        if not isinstance(silent, list):
            return
        self.silent_s = list(silent)
        self.heard += [False] * (len(silent) - len(self.heard))
        for channel, seconds in enumerate(silent):
            if seconds is not None and seconds < OPEN_BELOW_S:
                self.heard[channel] = True

    def carries(self, channel: int) -> bool:
        """Say whether a channel carries sound now."""
        silent = self.silent_s[channel] if channel < len(self.silent_s) else None
        return silent is not None and silent < OPEN_BELOW_S

    def alone(self, channel: int) -> bool:
        """Say whether no other microphone of the stream is open; the mix is no microphone."""
        return not any(
            self.carries(other)
            for other in range(len(self.silent_s))
            if other != channel and other not in self.mix
        )

    def in_use(self, channel: int, live: bool) -> bool:
        """Say whether a channel is in use: named, where any is; live also heard since line-up."""
        named = not any(self.names) or bool(channel < len(self.names) and self.names[channel])
        return named and (not live or (channel < len(self.heard) and self.heard[channel]))

    def name(self, channel: int) -> str:
        """Return a channel's name; without one its number from 1."""
        given = self.names[channel] if channel < len(self.names) else ""
        return given or f"channel {channel + 1}"


def mix_of(stream: Stream, programme: tuple[int, ...] | None) -> list[int]:
    """Return the channels that are the mix: as configured, else all of a mix's layout."""
    if programme is not None:
        return list(programme)
    count = stream.channels or 0
    return list(range(count)) if stream.layout in MIX_LAYOUTS else []


def described(
    stream: Stream, given: tuple[str, ...], programme: tuple[int, ...] | None
) -> Channels:
    """Return the channels of a stream as its ``hello`` and the settings describe them."""
    names = list(given) or list(stream.channel_names or [])
    return Channels(names=names, mix=mix_of(stream, programme))
