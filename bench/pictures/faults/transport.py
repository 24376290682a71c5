"""What the link does: packets lost, bits turned, the format changed; and damage baked in before.

A link loses or spoils 188-byte packets of an MPEG transport stream: the offline twin of a seeded
relay. Which pictures it spoils is found out, not guessed: both streams are decoded and compared.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from bench.pictures.coders import BY_NAME, Coder, Segment, decoded, encoded
from bench.pictures.faults.fault import FIRST_S, LAST_S, fault, follows, spots
from bench.pictures.paint import Layer, Picture, Pictures
from bench.pictures.shots import Shot, Wanted
from capture.source import Frame

TS_BYTES = 188
HEADER_BYTES = 4
DATAGRAM = 7  # packets of a transport stream in one UDP datagram
HITS_A_SHOT = (2, 5)  # places where the link fails
SEEN_CODES, SEEN_SHARE = 12, 0.01  # blocks of 16 × 16 this far off, and so many of them: visible
BLOCK = 16
EPISODE_S = 1.0  # stretches nearer than this are one episode of baked-in damage
BAKED_IN = BY_NAME["x264 live 12 Mb/s"]

Damage = Callable[[bytearray, int, np.random.Generator], list[int]]
"""Spoils packet ``at`` or those after it; returns the packets that are lost."""


def _lost(_data: bytearray, at: int, random: np.random.Generator) -> list[int]:
    """Lose a packet, or a datagram or two."""
    return list(range(at, at + int(random.choice([1, 1, DATAGRAM, 2 * DATAGRAM]))))


def _turned(data: bytearray, at: int, random: np.random.Generator) -> list[int]:
    """Turn one to eight bits of a packet's payload."""
    for _ in range(int(random.integers(1, 9))):
        place = at * TS_BYTES + int(random.integers(HEADER_BYTES, TS_BYTES))
        data[place] ^= 1 << int(random.integers(8))
    return []


def damaged(data: bytes, seconds: float, damage: Damage, random: np.random.Generator) -> bytes:
    """Return a transport stream after its link; its first and last seconds are left alone."""
    out, packets = bytearray(data), len(data) // TS_BYTES
    first, last = FIRST_S / seconds * packets, (1 - LAST_S / seconds) * packets
    lost: set[int] = set()
    for _ in range(int(random.integers(*HITS_A_SHOT))):
        lost.update(damage(out, int(random.uniform(first, last)), random))
    kept = [i for i in range(packets) if i not in lost]
    return b"".join(out[i * TS_BYTES : (i + 1) * TS_BYTES] for i in kept)


def _shown(data: bytes, rate: Fraction) -> Iterator[tuple[int, Frame]]:
    """Yield a stream's decoded pictures with their numbers."""
    infos, items = decoded(data, lambda: 0)
    first: int | None = None
    for item in items:
        if isinstance(item, Frame) and item.pts is not None:
            first = item.pts if first is None else first
            yield round((item.pts - first) * infos[0].time_base * rate), item


def _sums(data: bytes, rate: Fraction) -> dict[int, int]:
    """Return a checksum of every picture by its number."""
    sums: dict[int, int] = {}
    for number, frame in _shown(data, rate):
        total = 0
        for plane in (frame.luma, *frame.planes):
            total = zlib.crc32(plane.tobytes(), total)
        sums[number] = total
    return sums


def _runs(wrong: NDArray[np.bool_], gap: int = 0) -> list[tuple[int, int]]:
    """Return the stretches that are wrong; those at most ``gap`` apart are one."""
    runs: list[tuple[int, int]] = []
    for n in np.flatnonzero(wrong):
        if runs and n - runs[-1][1] <= gap:
            runs[-1] = runs[-1][0], int(n) + 1
        else:
            runs.append((int(n), int(n) + 1))
    return runs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A lossy link that labels the pictures it spoils."""

    name: str
    shot: Shot
    damage: Damage
    random: np.random.Generator

    def __call__(self, data: bytes) -> bytes:
        shot = self.shot
        after = damaged(data, shot.seconds, self.damage, self.random)
        before, spoilt = _sums(data, shot.rate), _sums(after, shot.rate)
        wrong = np.zeros(shot.frames, np.bool_)
        for number, total in before.items():
            wrong[number] = number in spoilt and spoilt[number] != total
        shot.absent.update(set(range(shot.frames)) - set(spoilt))
        for start, end in _runs(wrong):
            shot.label(self.name, start, end)
        return after


_TS = Wanted(coders=lambda coder: coder.codec is not None and coder.container == "mpegts")


@fault(
    "packets lost on the link",
    says="2 to 4 times one packet of a transport stream, or one or two datagrams of 7, are lost",
    detectors=["picture_damaged"],
    recall=1.0,
    precision=0.98,
    by_frame=True,
    wanted=_TS,
)
def packets_lost(shot: Shot, random: np.random.Generator) -> None:
    """Lose packets."""
    shot.link = _Link(name="packets lost on the link", shot=shot, damage=_lost, random=random)


@fault(
    "bits turned on the link",
    says="2 to 4 times 1 to 8 bits of a packet's payload are turned, its header whole",
    detectors=["picture_damaged"],
    by_frame=True,
    wanted=_TS,
)
def bits_turned(shot: Shot, random: np.random.Generator) -> None:
    """Turn bits."""
    shot.link = _Link(name="bits turned on the link", shot=shot, damage=_turned, random=random)


def _picture(frame: Frame) -> Picture:
    return Picture(frame.luma.copy(), frame.planes[0].copy(), frame.planes[1].copy())


def _visible(one: Picture, two: Picture) -> bool:
    """Say whether enough blocks of a picture are off by enough."""
    apart = np.abs(one.y.astype(np.int16) - two.y)
    rows, columns = (side // BLOCK * BLOCK for side in apart.shape)
    blocks = apart[:rows, :columns].reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK)
    return bool((blocks.mean(axis=(1, 3)) > SEEN_CODES).mean() > SEEN_SHARE)


def _baked(name: str, shot: Shot, random: np.random.Generator) -> Layer:
    """Return a layer that sends pictures over a lossy link and passes on what its decoder shows."""

    def layer(pictures: Pictures) -> Pictures:
        whole = encoded(enumerate(pictures), shot.rate, [Segment(start=0, coder=BAKED_IN)])
        after = _shown(damaged(whole, shot.seconds, _lost, random), shot.rate)
        wrong = np.zeros(shot.frames, np.bool_)
        number, shown, held = -1, None, None
        for n, frame in _shown(whole, shot.rate):
            wanted = _picture(frame)
            while number < n and (following := next(after, None)) is not None:
                number, shown = following
                held = _picture(shown) if number <= n else held
                if number > n:
                    break
            seen = held if held is not None else wanted
            wrong[n] = _visible(seen, wanted)
            yield seen
        for start, end in _runs(wrong, round(EPISODE_S * float(shot.rate))):
            shot.label(name, start, end, float(wrong[start:end].mean()))

    return layer


@fault(
    "block loss baked in",
    says="a lossy link before the coder: its decoder's concealed and smeared blocks, coded anew; "
    "labelled where 1 % of the blocks are off by 12 codes",
    detectors=["block_loss"],
    also=["picture_damaged"],
    recall=0.9,
    wanted=Wanted(scenes=lambda scene: scene.moves, seconds=12.0),
)
def block_loss(shot: Shot, random: np.random.Generator) -> None:
    """Damage pictures before they are coded."""
    shot.signal.append(_baked("block loss baked in", shot, random))


def _changes(coder: Coder) -> bool:
    return follows(coder) and coder.codec != "mjpeg"


@fault(
    "format change",
    says="another size (two thirds), or 10 bits instead of 8, from some picture on",
    detectors=["format_changed"],
    recall=1.0,
    false_per_h=0.0,
    within_s=0.05,
    wanted=Wanted(coders=_changes, seconds=8.0),
)
def format_change(shot: Shot, random: np.random.Generator) -> None:
    """Let another encoder go on in mid-stream."""
    start = spots(shot, random, (0.04, 0.04))[0][0]
    coder, size = shot.coder, (shot.canvas.width * 2 // 3 // 4 * 4, shot.canvas.height * 2 // 3)
    if coder.codec == "libx264" and random.random() < 0.5:
        deep = BY_NAME["x264 10-bit 4:2:2"]
        shot.segments.append(Segment(start=start, coder=deep))
    else:
        shot.segments.append(Segment(start=start, coder=coder, size=size))
    shot.label("format change", start, shot.frames)
