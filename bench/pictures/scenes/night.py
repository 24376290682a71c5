"""Little light and sudden light: night, high gain, fireworks, flashes, strobes, a concert."""

from itertools import count

import cv2
import numpy as np

from bench.pictures.paint import (
    BLACK,
    GREY,
    Canvas,
    Picture,
    Pictures,
    backdrop,
    codes,
    flat,
    graded,
    light,
    looked_at,
    view,
    wander,
)
from bench.pictures.scenes.scene import scene


@scene("low light, high gain", says="a dim set under heavy noise", grain=(5, 9), lit=False)
def low_light(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Drift over a dim set."""
    dim = graded(backdrop(random, canvas, larger=1.1), light(0.45), saturation=0.6)
    for n in count():
        yield looked_at(canvas, dim, view(canvas, dim, 15 * np.sin(0.02 * n), 0))


@scene(
    "night exterior",
    says="nearly all dark, a few lamps and windows, a car's lights pass",
    grain=(1.5, 3.5),
    lit=False,
)
def night_exterior(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Show a dark street with lamps; headlights cross it now and then."""
    dark = graded(backdrop(random, canvas), light(0.12, lift=5), saturation=0.4)
    y = dark.y.copy()
    for _ in range(14):
        at = int(random.integers(canvas.width)), int(random.integers(canvas.height // 2))
        cv2.circle(y, at, canvas.px(9), float(random.uniform(150, 232)), -1, cv2.LINE_AA)
    lamps = np.asarray(cv2.max(y, cv2.GaussianBlur(y, (0, 0), 8 * canvas.scale)), np.uint8)
    for n in count():
        x = (n * 9 * canvas.scale) % (4 * canvas.width)
        out = lamps.copy()
        for side in (0, 70):
            at = round(x + side * canvas.scale), round(0.7 * canvas.height)
            cv2.circle(out, at, canvas.px(16), 225.0, -1, cv2.LINE_AA)
        yield Picture(out, dark.u, dark.v)


@scene(
    "very dark room",
    says="a moonlit room: luma 17 to 40, nothing bright, people move in it",
    grain=(0.8, 1.6),
    lit=False,
)
def dark_room(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Drift over a set that is hardly lit: dark, and not black."""
    dim = graded(backdrop(random, canvas, larger=1.1), light(0.13, lift=8), saturation=0.5)
    for n in count():
        yield looked_at(canvas, dim, view(canvas, dim, 12 * np.sin(0.03 * n), 4 * np.sin(0.05 * n)))


@scene("fireworks", says="bursts on a black sky", grain=(1.0, 2.5), lit=False)
def fireworks(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let rockets burst."""
    sky = flat(canvas, BLACK + 4)
    y = sky.y.copy()
    top = round(0.75 * canvas.height)
    y[top:] = backdrop(random, canvas, level=40).y[top:] // 2
    bursts: list[tuple[float, float, int, np.ndarray]] = []
    for n in count():
        if random.random() < 1.4 / canvas.rate or not bursts:
            angle, speed = random.uniform(0, 2 * np.pi, 90), random.normal(5, 1.2, 90)
            ways = np.stack([np.cos(angle), np.sin(angle)], 1) * speed[:, None] * canvas.scale
            x, up = random.uniform(0.15, 0.85), random.uniform(0.15, 0.5)
            bursts.append((x * canvas.width, up * canvas.height, n, ways))
        bursts = [burst for burst in bursts if n - burst[2] < 1.8 * canvas.rate]
        out = y.copy()
        for x, up, begun, ways in bursts:
            age = (n - begun) * 25 / canvas.rate
            glow = 235 * np.exp(-age / 18)
            points = np.array([x, up]) + ways * age + [0, 0.03 * age**2 * canvas.scale]
            for px, py in points:
                cv2.circle(out, (round(px), round(py)), canvas.px(3), float(glow), -1, cv2.LINE_AA)
        yield Picture(out, sky.u, sky.v)


def _flashed(picture: Picture, gain: float) -> Picture:
    return graded(picture, light(gain, lift=30 * (gain - 1), top=252), saturation=0.8)


@scene("press flashes", says="photographers' flashes: one white picture, 0.3 to 3 a second")
def press_flashes(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Flash now and then, sometimes only over a part of a rolling shutter's rows."""
    wide = backdrop(random, canvas, larger=1.06)
    often = random.uniform(0.3, 3) / canvas.rate
    for n in count():
        picture = looked_at(canvas, wide, view(canvas, wide, 8 * np.sin(0.04 * n), 0))
        if random.random() >= often:
            yield picture
            continue
        canvas.happens("flash", n, n + 2)
        lit = _flashed(picture, float(random.uniform(1.6, 2.6)))
        row = int(random.integers(1, canvas.height // 2)) * 2 if random.random() < 0.5 else 0
        yield Picture(np.concatenate([picture.y[:row], lit.y[row:]]), lit.u, lit.v)


@scene("strobe and club light", says="strobe bursts at 5 to 12 Hz, black between", lit=False)
def strobe(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Alternate a dim coloured set with bursts of a strobe."""
    set_ = backdrop(random, canvas, level=90)
    dim = graded(set_, light(0.3), saturation=1.4)
    hz = random.uniform(5, 12)
    bursts = wander(random, canvas.frames, canvas.rate, 0.25) > 0
    for n in range(canvas.frames):
        on = bursts[n] and (n * hz / canvas.rate) % 1 < 0.4
        yield _flashed(set_, 1.5) if on else dim


@scene("concert", says="coloured beams sweep a dark stage", grain=(1.5, 3.5), lit=False)
def concert(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Sweep beams, colours change."""
    stage = graded(backdrop(random, canvas), light(0.3), saturation=0.7)
    rows, columns = np.mgrid[0 : canvas.height : 4, 0 : canvas.width : 4].astype(np.float32)
    phases, speeds = random.uniform(0, 6, 4), random.uniform(0.01, 0.06, 4)
    for n in count():
        glow = np.zeros(rows.shape, np.float32)
        for phase, speed in zip(phases, speeds, strict=True):
            lean = 0.8 * np.sin(phase + speed * n)
            away = columns - (0.5 + 0.3 * np.cos(phase)) * canvas.width - lean * rows
            glow += np.exp(-((away / (60 * canvas.scale)) ** 2))
        small = codes(np.minimum(110 * glow, 200))
        beams = cv2.resize(small, (canvas.width, canvas.height))
        tint = GREY + 55 * np.sin(0.05 * n + phases[0])
        half = cv2.resize(small, (canvas.width // 2, canvas.height // 2)).astype(np.float32) / 200
        u = codes(stage.u + half * (tint - GREY))
        yield Picture(np.asarray(cv2.add(stage.y, beams), np.uint8), u, stage.v)


@scene("thunderstorm", says="a dark landscape lit by lightning of 2 to 5 pictures", lit=False)
def thunderstorm(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Light the dark up for a moment, again and again."""
    land = backdrop(random, canvas, level=100)
    dark = graded(land, light(0.2, lift=3), saturation=0.3)
    left = 0
    for n in count():
        if left == 0 and random.random() < 0.25 / canvas.rate:
            left = int(random.integers(2, 6))
            canvas.happens("flash", n, n + left + 1)
        if left:
            left -= 1
            yield _flashed(land, float(random.uniform(1.0, 1.8)))
        else:
            yield dark
