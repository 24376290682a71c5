"""Bit rate of sound: rate x depth x channels for PCM, the packets' own bits for anything else."""

from collections import deque
from collections.abc import Mapping

from capture.source import Item, Packet
from monitor.measure.measurement import Detection, Setup, is_audio, measure
from monitor.metrics import Value, declare

WINDOW_S = 1.0
PACKETS_LIMIT = 4096  # 2.5 ms packets (the shortest of Opus) are 400 a second

AUDIO_BIT_RATE = declare(
    "audio_bit_rate_bps",
    "bit/s",
    "scalar",
    "last",
    "PCM: rate x depth x channels; compressed: bits of the last second's packets.",
)


def pcm_bit_rate(setup: Setup) -> int | None:
    """Return the bit rate of a PCM stream, or None for one that is compressed or unknown."""
    info = setup.stream
    known = info.sample_rate_hz and info.bit_depth and info.channels
    is_pcm = info.codec is None or info.codec.startswith("pcm_")
    if not is_pcm or not known:
        return None
    return (info.sample_rate_hz or 0) * (info.bit_depth or 0) * (info.channels or 0)


@measure("audio_bit_rate", is_audio)
class AudioBitRate:
    """The bit rate of one stream of sound."""

    def __init__(self, setup: Setup) -> None:
        self._pcm = pcm_bit_rate(setup)
        self._window = round(WINDOW_S / setup.stream.time_base)
        self._tick_s = float(setup.stream.time_base)
        self._packets: deque[tuple[int, int]] = deque(maxlen=PACKETS_LIMIT)

    def feed(self, item: Item) -> None:
        """Take a packet's size."""
        if self._pcm is not None or not isinstance(item, Packet) or item.pts is None:
            return
        if self._packets and item.pts <= self._packets[-1][0]:
            self._packets.clear()  # stamps went back: another timeline
        self._packets.append((item.pts, item.size_bytes))
        while self._packets[0][0] < item.pts - self._window:
            self._packets.popleft()

    def drain(self) -> Mapping[str, Value]:
        """Return the bit rate: of packets, from the first one's stamp to the last one's."""
        if self._pcm is not None:
            return {AUDIO_BIT_RATE.key: self._pcm}
        if len(self._packets) < 2:
            return {AUDIO_BIT_RATE.key: None}
        first, last = self._packets[0], self._packets[-1]
        size_bytes = sum(size for _, size in self._packets) - last[1]
        return {AUDIO_BIT_RATE.key: 8 * size_bytes / ((last[0] - first[0]) * self._tick_s)}

    def events(self) -> list[Detection]:
        """Nothing is detected here."""
        return []

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Nothing waits here."""
