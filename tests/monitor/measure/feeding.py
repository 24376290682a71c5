"""Feeds measurements: whole files through the real reader, or pictures made by hand."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import monitor.measure  # noqa: F401  (fills the registry)
from capture.source import Ended, Frame, Item, Packet, StreamInfo
from capture.sources.media_file import MediaFile, MediaFileOptions
from monitor.measure.measurement import MEASUREMENTS, Detection, Measurement, Setup
from monitor.measure.picture.viewer import VIEWERS
from monitor.metrics import METRICS, Value, merge_values


@dataclass
class Outcome:
    """What a measurement gave: merged values, every drain, every step of an episode."""

    values: dict[str, Value] = field(default_factory=dict)
    drains: list[dict[str, Value]] = field(default_factory=list)
    steps: list[Detection] = field(default_factory=list)

    def closed(self, detector: str) -> list[Detection]:
        return [s for s in self.steps if s.detector == detector and s.phase == "close"]

    def number(self, key: str) -> float:
        value = self.values[key]
        assert isinstance(value, int | float)
        return value


def run(made: Measurement, items: Iterable[Item], every: int = 50) -> Outcome:
    outcome = Outcome()

    def drain() -> None:
        values = dict(made.drain())
        assert set(values) <= set(METRICS)
        outcome.drains.append(values)
        outcome.values = merge_values(outcome.values, values)
        outcome.steps += made.events()

    for count, item in enumerate(items, 1):
        made.feed(item)
        if count % every == 0:
            drain()
    made.finish()
    drain()
    return outcome


def stream_items(path: Path, kind: str = "video") -> tuple[StreamInfo, Iterable[Item]]:
    """The first stream of a kind and its items."""
    file = MediaFile(MediaFileOptions(path=str(path)))
    info = next(stream for stream in file.open() if stream.kind == kind)

    def items() -> Iterable[Item]:
        try:
            while not isinstance(item := file.read(1.0), Ended | None):
                if not hasattr(item, "stream") or item.stream == info.index:
                    yield item
        finally:
            file.close()

    return info, items()


def measure_file(name: str, path: Path, kind: str = "video", *, live: bool = False) -> Outcome:
    info, items = stream_items(path, kind)
    return run(make(name, info, live=live), items)


def video(rate: Fraction | None = Fraction(25), base: Fraction = Fraction(1, 90_000)) -> StreamInfo:
    return StreamInfo(index=0, kind="video", time_base=base, frame_rate=rate, codec="h264")


def make(name: str, stream: StreamInfo, *, live: bool = True) -> Measurement:
    """Make a measurement, or what shows pictures to one viewer alone."""
    setup = Setup(stream=stream, live=live, only=frozenset([name]))
    return MEASUREMENTS["viewing" if name in VIEWERS else name].make(setup)


def _no_picture(width_px: int) -> NDArray[np.uint8]:
    return np.zeros((2, width_px, 3), np.uint8)


def picture(
    pts: int | None,
    luma: NDArray[Any] | None = None,
    *,
    t_ns: int = 0,
    key: bool = False,
    corrupt: bool = False,
    interlaced: bool = False,
    bits: int = 8,
    full_range: bool = False,
    pixel_format: str = "yuv420p",
    bgr: Callable[[int], NDArray[np.uint8]] = _no_picture,
) -> Frame:
    luma = np.full((16, 32), 126, np.uint8) if luma is None else luma
    return Frame(
        stream=0,
        epoch=0,
        pts=pts,
        luma=luma,
        planes=(),
        width_px=luma.shape[1],
        height_px=luma.shape[0],
        pixel_format=pixel_format,
        bit_depth=bits,
        full_range=full_range,
        interlaced=interlaced,
        key=key,
        corrupt=corrupt,
        t_arrival_ns=t_ns,
        bgr=bgr,
    )


def packet(
    dts: int | None,
    size: int = 1_000,
    *,
    key: bool = False,
    corrupt: bool = False,
    duration: int | None = None,
) -> Packet:
    return Packet(
        stream=0,
        epoch=0,
        pts=dts,
        dts=dts,
        duration=duration,
        size_bytes=size,
        key=key,
        corrupt=corrupt,
        t_arrival_ns=0,
    )


def noisy(count: int, seed: int = 0, codes: float = 2.0) -> list[NDArray[Any]]:
    """Pictures of a ramp under sensor noise."""
    rng = np.random.default_rng(seed)
    base = np.linspace(20, 220, 64 * 36).reshape(36, 64)
    return [
        np.clip(base + rng.normal(0, codes, base.shape), 0, 255).astype(np.uint8)
        for _ in range(count)
    ]
