"""Water, leaves, smoke, snow, rain: pictures that change all over and never stand still."""

from itertools import count

import cv2
import numpy as np

from bench.pictures.paint import (
    GREY,
    Canvas,
    Field,
    Picture,
    Pictures,
    Plane,
    backdrop,
    codes,
    fractal,
    graded,
    light,
    quads,
)
from bench.pictures.scenes.scene import scene


def _textures(
    canvas: Canvas, random: np.random.Generator, number: int, *, slope: float, depth: float
) -> list[Plane]:
    """Return textures around middle grey, larger than the canvas, to be shifted and mixed."""
    size = quads(1.25 * canvas.height), quads(1.25 * canvas.width)
    return [codes(GREY + depth * fractal(random, *size, slope=slope)) for _ in range(number)]


def _part(texture: Plane, x: float, y: float, canvas: Canvas) -> Plane:
    """Return a part that wanders round over a texture."""
    room_y, room_x = texture.shape[0] - canvas.height, texture.shape[1] - canvas.width
    left = round(abs((x % (2 * room_x)) - room_x))
    top = round(abs((y % (2 * room_y)) - room_y))
    return texture[top : top + canvas.height, left : left + canvas.width]


@scene("water", says="waves: two textures run through one another")
def water(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Mix two textures that run across."""
    one, two = _textures(canvas, random, 2, slope=0.8, depth=34)
    u, v = (np.full((canvas.height // 2, canvas.width // 2), c, np.uint8) for c in (148, 116))
    speed = random.uniform(1, 5) * canvas.scale
    for n in count():
        a, b = (
            _part(one, speed * n, 0.6 * speed * n, canvas),
            _part(two, -0.8 * speed * n, speed * n, canvas),
        )
        yield Picture(np.asarray(cv2.addWeighted(a, 0.6, b, 0.5, -18), np.uint8), u, v)


@scene("foliage", says="leaves flicker in the wind: fine texture changes at every place")
def foliage(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Mix three textures, each swelling at its own pace, over a still trunk."""
    set_ = backdrop(random, canvas, level=80, objects=(10, 20))
    leaves = [
        codes(GREY + 22 * fractal(random, canvas.height, canvas.width, slope=0.35))
        for _ in range(3)
    ]
    hz = random.uniform(0.5, 2.5, 3)
    for n in count():
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * hz * n / canvas.rate)
        mixed = cv2.addWeighted(leaves[0], swell[0], leaves[1], swell[1], 0)
        mixed = cv2.addWeighted(mixed, 0.7, leaves[2], 0.5 * swell[2], -15)
        y = cv2.addWeighted(set_.y, 0.7, mixed, 0.5, 0)
        yield Picture(np.asarray(y, np.uint8), set_.u, set_.v)


@scene("smoke", says="slow grey swirls with no sharp edge in them", fine=False)
def smoke(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let soft textures rise."""
    one, two = _textures(canvas, random, 2, slope=1.7, depth=30)
    grey = np.full((canvas.height // 2, canvas.width // 2), GREY, np.uint8)
    speed = random.uniform(0.6, 2) * canvas.scale
    for n in count():
        a = _part(one, 0.3 * speed * n, speed * n, canvas)
        b = _part(two, -0.2 * speed * n, 1.5 * speed * n, canvas)
        yield Picture(np.asarray(cv2.addWeighted(a, 0.5, b, 0.5, 0), np.uint8), grey, grey)


def _flakes(random: np.random.Generator, height: int, width: int, size: int, number: int) -> Plane:
    """Return bright dots on nothing, which wrap around at the tile's foot."""
    tile = np.zeros((height, width), np.uint8)
    for x, y in random.integers(0, (width, height), (number, 2)):
        cv2.circle(tile, (int(x), int(y)), size, float(random.uniform(60, 200)), -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(tile, (0, 0), 0.5 + size / 4), np.uint8)


def _fallen(tile: Plane, distance: float, width: int) -> Plane:
    return np.asarray(np.roll(tile, round(distance), axis=0)[:, :width], np.uint8)


@scene("snowfall", says="flakes of three sizes fall before a winter set")
def snowfall(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let it snow."""
    set_ = backdrop(random, canvas, level=130, contrast=0.7)
    tiles = [
        _flakes(random, canvas.height, canvas.width, canvas.px(size), number)
        for size, number in ((7, 60), (4, 200), (2, 500))
    ]
    for n in count():
        y = set_.y
        for tile, speed in zip(tiles, (14, 8, 4), strict=True):
            y = np.asarray(
                cv2.add(y, _fallen(tile, speed * n * canvas.scale, canvas.width)), np.uint8
            )
        yield Picture(y, set_.u, set_.v)


@scene("rain", says="streaks that change wholly from picture to picture, before a grey street")
def rain(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let it rain."""
    street = backdrop(random, canvas, level=75)
    tile = _flakes(random, canvas.height, canvas.width, 1, 900)
    streaks = codes(8.0 * cv2.blur(tile, (1, canvas.px(60))))
    for _ in count():
        down = int(random.integers(canvas.height))
        drops = np.roll(streaks, down, axis=0)
        yield Picture(np.asarray(cv2.add(street.y, drops), np.uint8), street.u, street.v)


@scene("camp fire", says="a flickering light on faces, 3 to 12 times a second", lit=False)
def camp_fire(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let the light of a fire dance over a dark set."""
    set_ = backdrop(random, canvas, level=70)
    level = 0.8
    for _ in count():
        level += 0.35 * (float(random.uniform(0.5, 1.1)) - level)
        yield graded(set_, light(level))


@scene("reeds", says="vertical stalks sway: thin dark lines move sideways")
def reeds(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Bend rows of a striped picture to and fro."""
    set_ = backdrop(random, canvas, level=120, objects=(5, 10))
    y = set_.y.copy()
    for x in random.integers(0, canvas.width, 160):
        top = int(random.uniform(0.2, 0.7) * canvas.height)
        end = (int(x), canvas.height)
        cv2.line(y, (int(x), top), end, float(random.uniform(25, 90)), canvas.px(4), cv2.LINE_AA)
    columns = np.arange(canvas.width, dtype=np.float32)[None, :]
    rows = np.arange(canvas.height, dtype=np.float32)[:, None]
    bend: Field = ((1 - rows / canvas.height) ** 2).astype(np.float32)
    rows_map = np.repeat(rows, canvas.width, axis=1)
    hz, reach = random.uniform(0.2, 0.6), 24 * canvas.scale
    for n in count():
        shift = reach * np.sin(2 * np.pi * hz * n / canvas.rate)
        at = (columns + np.float32(shift) * bend).astype(np.float32)
        moved = cv2.remap(y, at, rows_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        yield Picture(np.asarray(moved, np.uint8), set_.u, set_.v)
