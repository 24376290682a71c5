"""A shot: a scene, a size, a rate and a coder chosen by seed, and what has been done to it.

The same seed is the same shot everywhere; nothing is stored. Its pictures pass, in this order, the
scene, what the lens does (``optics``), sensor noise, what is done to the signal (``signal``), the
stamps (``dropped``), the coder, the link (``link``).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from bench.corpus.material import HALVES, Half
from bench.pictures.coders import (
    CODERS,
    Arrivals,
    Coder,
    Numbered,
    Segment,
    decoded,
    encoded,
    raw,
    starved,
)
from bench.pictures.paint import Canvas, Happening, Layer, Pictures, grain
from bench.pictures.scenes.scene import Scene, scenes_of
from capture.source import Item, StreamInfo

RATES = (
    (Fraction(25), 0.5),
    (Fraction(50), 0.15),
    (Fraction(24000, 1001), 0.2),
    (Fraction(30000, 1001), 0.15),
)
SIZES = {180: (320, 180), 360: (640, 360), 1080: (1920, 1080)}
LARGE_SHARE = 0.1  # of shots at 1080 lines where both sizes will do


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One injected fault: pictures ``start`` to ``end`` (exclusive), as counted by stamps."""

    fault: str
    start: int
    end: int
    amount: float = 0.0
    """How bad, in the fault's own unit: a share, codes, pixels or pictures."""


@dataclass(slots=True, kw_only=True)
class Shot:
    """One clip; ``starve`` gives the second segment that share of the bits it needs."""

    seed: int
    half: Half
    scene: Scene
    canvas: Canvas
    rate: Fraction
    grain_sd: float
    segments: list[Segment]
    optics: list[Layer] = field(default_factory=list[Layer])
    signal: list[Layer] = field(default_factory=list[Layer])
    dropped: set[int] = field(default_factory=set[int])
    stalls: dict[int, float] = field(default_factory=dict[int, float])
    starve: float | None = None
    link: Callable[[bytes], bytes] | None = None
    labels: list[Label] = field(default_factory=list[Label])
    absent: set[int] = field(default_factory=set[int])
    """Pictures that the link lost whole: nobody can say of them whether they are spoilt."""

    @property
    def coder(self) -> Coder:
        """The coder it begins with."""
        return self.segments[0].coder

    @property
    def frames(self) -> int:
        """How many pictures it has."""
        return self.canvas.frames

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.frames / float(self.rate)

    @property
    def happenings(self) -> list[Happening]:
        """What innocent things happened; known once its pictures have been made."""
        return self.canvas.happenings

    def label(self, fault: str, start: int, end: int, amount: float = 0.0) -> None:
        """Say where a fault is."""
        self.labels.append(Label(fault=fault, start=start, end=end, amount=float(amount)))

    def _random(self, what: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, HALVES.index(self.half), what])

    def pictures(self) -> Pictures:
        """Make its pictures, faults and all, up to the coder."""
        self.canvas.happenings.clear()
        made: Pictures = islice(self.scene.paint(self.canvas, self._random(1)), self.frames)
        for layer in (*self.optics, grain(self._random(2), self.canvas, self.grain_sd)):
            made = layer(made)
        for layer in self.signal:
            made = layer(made)
        return made

    def sent(self) -> Iterator[Numbered]:
        """Make the pictures that are sent, numbered by their stamps."""
        return (pair for pair in enumerate(self.pictures()) if pair[0] not in self.dropped)

    def items(self) -> tuple[tuple[StreamInfo, ...], Iterator[Item]]:
        """Return what a source would give: streams, and items in order."""
        arrivals = Arrivals(self._random(3), self.rate, self.stalls)
        if self.coder.codec is None:
            size = self.canvas.width, self.canvas.height
            return raw(self.sent(), self.rate, size, arrivals.now_ns)
        segments = self.segments
        if self.starve is not None:
            segments = [*segments[:-1], self._starved()]
        data = encoded(self.sent(), self.rate, segments)
        return decoded(data if self.link is None else self.link(data), arrivals.now_ns)

    def _starved(self) -> Segment:
        last = self.segments[-1]
        assert self.starve is not None
        wanted = [pair for pair in self.sent() if pair[0] >= last.start]
        return starved(last, wanted, self.rate, self.starve)


def _any_scene(_: Scene) -> bool:
    return True


def _any_coder(_: Coder) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a fault wants of the shots it is put into."""

    seconds: float = 12.0
    scenes: Callable[[Scene], bool] = _any_scene
    coders: Callable[[Coder], bool] = _any_coder
    heights: Sequence[int] = (360, 1080)
    raw_share: float | None = None
    """Of the shots that pass no coder; None: as raw weighs among the coders."""


def _shares(coders: Sequence[Coder], raw_share: float | None) -> NDArray[np.float64]:
    """Return how likely each coder is; they sum to 1."""
    shares = np.array([coder.weight for coder in coders])
    plain = np.array([coder.codec is None for coder in coders])
    if raw_share is not None and plain.any() and not plain.all():
        shares[plain] *= raw_share / shares[plain].sum()
        shares[~plain] *= (1 - raw_share) / shares[~plain].sum()
    return np.asarray(shares / shares.sum())


def shot(seed: int, half: Half, wanted: Wanted | None = None, *, salt: int = 0) -> Shot:
    """Return the shot of a seed: seeds that follow one another go round all scenes.

    ``salt`` varies coder, rate and size among faults that share a seed.
    """
    wanted = wanted or Wanted()
    random = np.random.default_rng([seed, HALVES.index(half), 0, salt])
    scenes = [one for one in scenes_of(half) if wanted.scenes(one)]
    coders = [one for one in CODERS if wanted.coders(one)]
    scene = scenes[seed % len(scenes)]
    coder = coders[int(random.choice(len(coders), p=_shares(coders, wanted.raw_share)))]
    rate = RATES[int(random.choice(len(RATES), p=[share for _, share in RATES]))][0]
    large = random.random() < LARGE_SHARE
    height = max(wanted.heights) if large else min(wanted.heights)
    width, height = SIZES[height]
    canvas = Canvas(
        width=width, height=height, rate=float(rate), frames=round(wanted.seconds * rate)
    )
    return Shot(
        seed=seed,
        half=half,
        scene=scene,
        canvas=canvas,
        rate=rate,
        grain_sd=float(random.uniform(*scene.grain)),
        segments=[Segment(start=0, coder=coder)],
    )
