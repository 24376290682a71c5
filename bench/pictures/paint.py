"""Pictures as planes, and what scenes are painted with: textures, backdrops, cut-outs, grain.

Everything slow (textures, objects) is painted once a shot; a picture is then a crop, a shift or a
blend of what is there. Pictures are never changed in place.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import floor
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Field = NDArray[np.float32]
Matrix = NDArray[np.float32]

BLACK, WHITE, GREY = 16, 235, 128  # nominal codes of 8 bits (BT.601, BT.709)
GRAIN_ROOM_PX = 128  # the grain's tile is larger by this and shifted at random every picture
LENS_SIGMA_PX = 0.7  # no lens draws an edge sharper than this, in pixels of its sensor
OBJECTS = (25, 60)
NEARLY_PX = 0.05  # nearer than this to a pixel nothing is shifted
INVERSE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


class Picture(NamedTuple):
    """One picture: luma (height, width) and two chroma planes of half that, limited range."""

    y: Plane
    u: Plane
    v: Plane


Pictures = Iterator[Picture]
Layer = Callable[[Pictures], Pictures]
"""Something done to pictures on their way: by the lens, the sensor, the converter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something innocent from picture ``start`` to ``end`` (exclusive)."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Canvas:
    """What a scene paints for: size in pixels (multiples of 4), pictures a second, how many."""

    width: int
    height: int
    rate: float
    frames: int
    happenings: list[Happening] = field(default_factory=list[Happening])

    @property
    def scale(self) -> float:
        """Its size against 1080 lines."""
        return self.height / 1080

    def px(self, at_1080: float) -> int:
        """Return a length given in pixels of 1080 lines in its own, at least 1."""
        return max(1, round(at_1080 * self.scale))

    def happens(self, kind: str, start: int, end: int) -> None:
        """Note an innocent happening."""
        self.happenings.append(Happening(kind=kind, start=start, end=end))


def even(value: float) -> int:
    """Return a whole even number near a value: chroma is of half size."""
    return round(value / 2) * 2


def quads(value: float) -> int:
    """Return the multiple of 4 at or above a value."""
    return -(-round(value) // 4) * 4


def fractal(
    random: np.random.Generator, height: int, width: int, *, slope: float = 1.0, finest: int = 2
) -> Field:
    """Return noise of mean 0 and deviation 1 whose octaves fall by ``2**-slope``, as scenes do.

    ``finest``: pixels a value of the finest octave covers.
    """
    out = np.zeros((height, width), np.float32)
    cells = 3
    while cells * finest <= width:
        rows = max(2, round(cells * height / width))
        coarse = random.standard_normal((rows, cells), np.float32)
        grown = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        out += grown * np.float32((3 / cells) ** slope)
        cells *= 2
    return np.asarray((out - out.mean()) / max(float(out.std()), 1e-6), np.float32)


def to_picture(bgr: Plane) -> Picture:
    """Return a picture of (height, width, 3) blue, green, red; both sides are multiples of 4."""
    height, width = bgr.shape[:2]
    packed = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)
    quarter = height // 4
    return Picture(
        packed[:height],
        packed[height : height + quarter].reshape(height // 2, width // 2),
        packed[height + quarter :].reshape(height // 2, width // 2),
    )


def flat(canvas: Canvas, luma: int = BLACK, u: int = GREY, v: int = GREY) -> Picture:
    """Return a picture of one colour."""
    half = (canvas.height // 2, canvas.width // 2)
    return Picture(
        np.full((canvas.height, canvas.width), luma, np.uint8),
        np.full(half, u, np.uint8),
        np.full(half, v, np.uint8),
    )


def _colour(random: np.random.Generator, level: float) -> NDArray[np.float64]:
    """Return a muted colour, as walls and clothes have, of about that level."""
    return np.clip(level + random.normal(0, 22, 3), 0, 255)


def _object(random: np.random.Generator, bgr: Plane, scale: float) -> None:
    """Paint one thing: a box, a disc, a rope or a row of letters, edges smoothed."""
    height, width = bgr.shape[:2]
    at = (int(random.integers(width)), int(random.integers(height)))
    size = max(3, round(float(random.lognormal(4.3, 0.8)) * scale))
    colour = tuple(map(float, _colour(random, float(random.uniform(30, 200)))))
    kind = int(random.integers(4))
    if kind == 0:
        other = (at[0] + size, at[1] + round(size * float(random.uniform(0.3, 3))))
        cv2.rectangle(bgr, at, other, colour, -1, cv2.LINE_AA)
        cv2.rectangle(bgr, at, other, tuple(0.5 * c for c in colour), max(1, size // 40))
    elif kind == 1:
        axes = (size, max(2, round(size * float(random.uniform(0.3, 1)))))
        cv2.ellipse(bgr, at, axes, float(random.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    elif kind == 2:
        points = np.array(at) + random.normal(0, 3 * size, (5, 2))
        thick = max(1, round(3 * scale))
        cv2.polylines(bgr, [points.astype(np.int32)], False, colour, thick, cv2.LINE_AA)
    else:
        letters = "".join(chr(c) for c in random.integers(65, 91, 6))
        font, grow = cv2.FONT_HERSHEY_SIMPLEX, max(0.3, size / 60)
        cv2.putText(bgr, letters, at, font, grow, colour, max(1, size // 30), cv2.LINE_AA)


def backdrop_bgr(
    random: np.random.Generator,
    height: int,
    width: int,
    *,
    scale: float,
    level: float = 105.0,
    contrast: float = 1.0,
    objects: tuple[int, int] = OBJECTS,
) -> Plane:
    """Return a set: uneven walls, light from one side, furniture, cloth. Both sides × 4 px."""
    light = fractal(random, height, width, slope=1.5, finest=max(8, width // 16))
    grain = fractal(random, height, width, slope=0.7)
    base = _colour(random, level)
    out = np.empty((height, width, 3), np.float32)
    for channel in range(3):
        out[:, :, channel] = base[channel] + 26 * light
    bgr = np.asarray(np.clip(out, 2, 250), np.uint8)
    for _ in range(int(random.integers(*objects))):
        _object(random, bgr, scale)
    lit = bgr * (1 + 0.12 * light + 0.10 * grain)[:, :, None]
    toned = level + (cv2.GaussianBlur(lit, (0, 0), LENS_SIGMA_PX) - level) * contrast
    return np.asarray(np.clip(toned, 1, 250), np.uint8)


def backdrop(
    random: np.random.Generator,
    canvas: Canvas,
    *,
    larger: float = 1.0,
    level: float = 105.0,
    contrast: float = 1.0,
    objects: tuple[int, int] = OBJECTS,
) -> Picture:
    """Return a set as a picture ``larger`` times the canvas, to move over."""
    size = quads(canvas.height * larger), quads(canvas.width * larger)
    painted = backdrop_bgr(
        random, *size, scale=canvas.scale, level=level, contrast=contrast, objects=objects
    )
    return to_picture(painted)


def crop(picture: Picture, x: float, y: float, canvas: Canvas) -> Picture:
    """Return a canvas-sized part of a larger picture, at even pixels: no copy."""
    left, top = even(x), even(y)
    w, h = canvas.width, canvas.height
    rows, columns = slice(top // 2, (top + h) // 2), slice(left // 2, (left + w) // 2)
    return Picture(
        picture.y[top : top + h, left : left + w],
        picture.u[rows, columns],
        picture.v[rows, columns],
    )


def view(
    canvas: Canvas, source: Picture, x: float, y: float, *, zoom: float = 1.0, turn_rad: float = 0.0
) -> Matrix:
    """Return the map from canvas to source: its middle looks at (x, y), ``zoom`` times enlarged."""
    c, s = np.cos(turn_rad) / zoom, np.sin(turn_rad) / zoom
    half_w, half_h = canvas.width / 2, canvas.height / 2
    middle_x, middle_y = source.y.shape[1] / 2 + x, source.y.shape[0] / 2 + y
    return np.array(
        [
            [c, -s, middle_x - c * half_w + s * half_h],
            [s, c, middle_y - s * half_w - c * half_h],
        ],
        np.float32,
    )


def looked_at(canvas: Canvas, source: Picture, matrix: Matrix) -> Picture:
    """Return what the camera sees of a source, between its pixels."""
    size, half = (canvas.width, canvas.height), (canvas.width // 2, canvas.height // 2)
    small = matrix.copy()
    small[:, 2] /= 2
    edge = cv2.BORDER_REFLECT_101
    return Picture(
        np.asarray(
            cv2.warpAffine(source.y, matrix, size, flags=INVERSE, borderMode=edge), np.uint8
        ),
        np.asarray(cv2.warpAffine(source.u, small, half, flags=INVERSE, borderMode=edge), np.uint8),
        np.asarray(cv2.warpAffine(source.v, small, half, flags=INVERSE, borderMode=edge), np.uint8),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """Something that covers what is behind it: a person, a car. ``cover`` is 0 to 1."""

    picture: Picture
    cover: Field
    cover_half: Field


def cutout(bgr: Plane, cover: Field) -> Cutout:
    """Return a painting (sides × 4 px) and its coverage as a cut-out."""
    half = cv2.resize(cover, (cover.shape[1] // 2, cover.shape[0] // 2))
    return Cutout(picture=to_picture(bgr), cover=cover, cover_half=np.asarray(half, np.float32))


def _laid(under: Plane, over: Plane, cover: Field, x: int, y: int) -> Plane:
    top, left = max(0, y), max(0, x)
    bottom, right = min(under.shape[0], y + over.shape[0]), min(under.shape[1], x + over.shape[1])
    if bottom <= top or right <= left:
        return under
    out = under.copy()
    inside = slice(top - y, bottom - y), slice(left - x, right - x)
    weight = np.ascontiguousarray(cover[inside])
    here = np.ascontiguousarray(under[top:bottom, left:right])
    out[top:bottom, left:right] = cv2.blendLinear(
        np.ascontiguousarray(over[inside]), here, weight, 1 - weight
    )
    return out


_P = TypeVar("_P", Plane, Field)


def _shifted(plane: _P, dx: float, dy: float, edge: int) -> _P:
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
    moved = cv2.warpAffine(plane, matrix, plane.shape[::-1], borderMode=edge)
    return moved.astype(plane.dtype, copy=False)


def laid_over(under: Picture, over: Cutout, x: float, y: float) -> Picture:
    """Return a picture with a cut-out's top left corner laid at (x, y), between pixels too."""
    left, top = 2 * floor(x / 2), 2 * floor(y / 2)
    dx, dy = x - left, y - top
    planes, cover, cover_half = tuple(over.picture), over.cover, over.cover_half
    if max(dx, dy) > NEARLY_PX:
        same, none = cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT
        moves = ((dx, dy), (dx / 2, dy / 2), (dx / 2, dy / 2))
        planes = tuple(_shifted(p, *m, same) for p, m in zip(planes, moves, strict=True))
        cover = _shifted(cover, dx, dy, none)
        cover_half = _shifted(cover_half, dx / 2, dy / 2, none)
    half = left // 2, top // 2
    return Picture(
        _laid(under.y, planes[0], cover, left, top),
        _laid(under.u, planes[1], cover_half, *half),
        _laid(under.v, planes[2], cover_half, *half),
    )


def blend(one: Picture, two: Picture, share: float) -> Picture:
    """Return ``share`` of the first picture and the rest of the second."""
    planes = (cv2.addWeighted(a, share, b, 1 - share, 0) for a, b in zip(one, two, strict=True))
    return Picture(*(np.asarray(plane, np.uint8) for plane in planes))


def graded(picture: Picture, table: Plane, saturation: float = 1.0) -> Picture:
    """Return a picture whose luma passed a table of 256 codes; chroma is scaled around grey."""
    y = np.asarray(cv2.LUT(picture.y, table), np.uint8)
    if saturation == 1.0:
        return Picture(y, picture.u, picture.v)
    tint = codes(GREY + (np.arange(256) - GREY) * saturation)
    return Picture(
        y,
        np.asarray(cv2.LUT(picture.u, tint), np.uint8),
        np.asarray(cv2.LUT(picture.v, tint), np.uint8),
    )


def codes(values: NDArray[np.floating]) -> Plane:
    """Return values rounded and cut off to 8 bits."""
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def light(gain: float, *, lift: float = 0.0, top: int = 255) -> Plane:
    """Return a table that scales light around nominal black."""
    return codes(np.clip(BLACK + (np.arange(256.0) - BLACK) * gain + lift, 0, top))


def _tiles(random: np.random.Generator, height: int, width: int, sd: float) -> tuple[Plane, Plane]:
    """Return what grain adds and what it takes, as tiles."""
    size = (height + GRAIN_ROOM_PX, width + GRAIN_ROOM_PX)
    noise = np.rint(random.standard_normal(size, np.float32) * np.float32(sd))
    return codes(np.maximum(noise, 0)), codes(np.maximum(-noise, 0))


def _grained(plane: Plane, tiles: tuple[Plane, Plane], x: int, y: int) -> Plane:
    part = slice(y, y + plane.shape[0]), slice(x, x + plane.shape[1])
    more = cv2.add(plane, tiles[0][part])
    return np.asarray(cv2.subtract(more, tiles[1][part], more), np.uint8)


def grain(random: np.random.Generator, canvas: Canvas, sd: float) -> Layer:
    """Return sensor noise of that deviation in codes of luma, half of it in chroma.

    A tile is shifted at random; what a sensor clips has less of it, as in a camera.
    """
    luma = _tiles(random, canvas.height, canvas.width, sd)
    chroma = _tiles(random, canvas.height // 2, canvas.width // 2, 0.5 * sd)

    def layer(pictures: Pictures) -> Pictures:
        for picture in pictures:
            x, y, cx, cy = (int(n) for n in random.integers(0, GRAIN_ROOM_PX, 4))
            yield Picture(
                _grained(picture.y, luma, x, y),
                _grained(picture.u, chroma, cx, cy),
                _grained(picture.v, chroma, cy, cx),
            )

    return layer


def wander(random: np.random.Generator, frames: int, rate: float, hz: float) -> Field:
    """Return a smooth walk of deviation about 1 that turns ``hz`` times a second."""
    knots = random.standard_normal(max(4, round(frames / rate * hz * 2) + 4))
    fine = np.interp(np.linspace(0, len(knots) - 1, frames), np.arange(len(knots)), knots)
    width = max(1, round(rate / hz / 3))
    padded = np.pad(fine, width, mode="edge")
    return np.asarray(
        np.convolve(padded, np.hanning(2 * width + 1) / width, "same")[width : width + frames],
        np.float32,
    )
