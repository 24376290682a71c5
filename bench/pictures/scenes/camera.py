"""What the camera does: stands, pans, shakes, zooms, dollies, whips, racks its focus, is cut."""

from collections.abc import Iterator
from itertools import count

import cv2
import numpy as np

from bench.pictures.paint import (
    Canvas,
    Picture,
    Pictures,
    backdrop,
    backdrop_bgr,
    blend,
    crop,
    cutout,
    fractal,
    graded,
    laid_over,
    light,
    looked_at,
    quads,
    view,
    wander,
)
from bench.pictures.scenes.scene import scene

SHOTS = 4  # distinct pictures that cuts and fades choose from


@scene("still life", says="a set on a tripod: nothing moves but sensor noise", moves=False)
def still_life(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Show one picture for ever."""
    picture = backdrop(random, canvas)
    while True:
        yield picture


@scene(
    "locked-off, clean sensor",
    says="a tripod shot with hardly any noise: long, still, sharp",
    grain=(0.35, 0.7),
    moves=False,
)
def locked_off(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Show one brighter picture for ever."""
    picture = backdrop(random, canvas, level=130, objects=(60, 90))
    while True:
        yield picture


@scene("slow pan", says="a pan of 1 to 4 px a picture at 1080 lines, there and back")
def slow_pan(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Swing over a wide set."""
    wide = backdrop(random, canvas, larger=1.5, objects=(60, 120))
    room = 0.22 * canvas.width
    speed = random.uniform(1, 4) * canvas.scale * 25 / canvas.rate / room
    tilt = random.uniform(-0.15, 0.15)
    for n in count():
        at = room * np.sin(speed * n)
        yield looked_at(canvas, wide, view(canvas, wide, at, tilt * at))


@scene("handheld", says="a person's hands: slow sway and a tremor, 2 to 12 px at 1080 lines")
def handheld(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Sway and tremble."""
    wide = backdrop(random, canvas, larger=1.12)
    sway = random.uniform(4, 12) * canvas.scale
    slow = [wander(random, canvas.frames, canvas.rate, 0.5) for _ in range(3)]
    fast = [wander(random, canvas.frames, canvas.rate, 6.0) for _ in range(2)]
    for n in range(canvas.frames):
        x, y = (sway * (slow[i][n] + 0.15 * fast[i][n]) for i in (0, 1))
        turned = float(0.004 * slow[2][n])
        yield looked_at(canvas, wide, view(canvas, wide, float(x), float(y), turn_rad=turned))


@scene("zoom", says="a slow zoom in and out, up to 1.8 times")
def zoom(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Zoom between wide and tight."""
    wide = backdrop(random, canvas, larger=1.1)
    period = random.uniform(8, 20) * canvas.rate
    for n in count():
        grown = 1.35 - 0.4 * np.cos(2 * np.pi * n / period)
        yield looked_at(canvas, wide, view(canvas, wide, 0, 0, zoom=float(grown)))


@scene("dolly past a foreground", says="parallax: posts cross in front of a slower background")
def dolly(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Move sideways past three posts."""
    far = backdrop(random, canvas, larger=1.4)
    room, span = 0.18 * canvas.width, canvas.width * 1.3
    posts = []
    for _ in range(3):
        width = quads(random.uniform(60, 220) * canvas.scale)
        bgr = backdrop_bgr(random, quads(canvas.height), width, scale=canvas.scale, level=50)
        posts.append(cutout(bgr, np.ones(bgr.shape[:2], np.float32)))
    speed = random.uniform(2, 7) * canvas.scale * 25 / canvas.rate
    for n in count():
        at = room * np.sin(speed * n / span)
        picture = looked_at(canvas, far, view(canvas, far, float(at), 0))
        for index, post in enumerate(posts):
            x = (speed * n * (1 + 0.3 * index) + index * span / 3) % span - 0.25 * canvas.width
            picture = laid_over(picture, post, x, 0)
        yield picture


@scene("whip pans", says="long holds and whip pans of 0.2 to 0.4 s with their motion blur")
def whip_pans(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Hold, whip to the other side, hold."""
    wide = backdrop(random, canvas, larger=1.8, objects=(80, 120))
    room, side, n = 0.38 * canvas.width, -1.0, 0
    while True:
        for _ in range(round(random.uniform(1.5, 5) * canvas.rate)):
            yield looked_at(canvas, wide, view(canvas, wide, side * room, 0))
            n += 1
        steps = max(3, round(random.uniform(0.2, 0.4) * canvas.rate))
        canvas.happens("whip pan", n, n + steps)
        for step in range(steps):
            share = (1 - np.cos(np.pi * (step + 0.5) / steps)) / 2
            at = side * room * (1 - 2 * share)
            blur = max(1, round(room * np.sin(np.pi * (step + 0.5) / steps) * np.pi / steps))
            yield _smeared(looked_at(canvas, wide, view(canvas, wide, float(at), 0)), blur)
            n += 1
        side = -side


def _smeared(picture: Picture, width: int) -> Picture:
    half = max(1, width // 2)
    y, u, v = picture
    return Picture(
        np.asarray(cv2.blur(y, (width, 1)), np.uint8),
        np.asarray(cv2.blur(u, (half, 1)), np.uint8),
        np.asarray(cv2.blur(v, (half, 1)), np.uint8),
    )


def blurred(picture: Picture, sigma_px: float) -> Picture:
    """Return a picture out of focus."""
    y, u, v = picture
    return Picture(
        np.asarray(cv2.GaussianBlur(y, (0, 0), sigma_px), np.uint8),
        np.asarray(cv2.GaussianBlur(u, (0, 0), max(0.3, sigma_px / 2)), np.uint8),
        np.asarray(cv2.GaussianBlur(v, (0, 0), max(0.3, sigma_px / 2)), np.uint8),
    )


@scene("rack focus", says="focus pulled on purpose between a near face and the far set, and back")
def rack_focus(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Pull focus between two planes of depth every 3 to 8 s."""
    deepest = 9.0 * canvas.scale
    far = backdrop(random, canvas)
    size = quads(0.8 * canvas.height)
    near = backdrop_bgr(random, size, size, scale=canvas.scale, level=150)
    grid = np.linspace(-1, 1, size, dtype=np.float32)
    cover = np.clip((1 - np.hypot(grid[:, None], grid[None, :] * 1.4)) * 12, 0, 1)
    steps = 10
    near_at = [_composed(near, cover, far, canvas, i / steps, deepest) for i in range(steps + 1)]
    place, target, n = 0.0, 0, 0
    while True:
        for _ in range(round(random.uniform(3, 8) * canvas.rate)):
            yield near_at[round(place)]
            n += 1
        target = steps - target
        pull = round(random.uniform(0.5, 1.5) * canvas.rate)
        canvas.happens("rack focus", n, n + pull)
        for step in range(pull):
            share = (step + 1) / pull
            yield near_at[round(target * share + (steps - target) * (1 - share))]
            n += 1
        place = float(target)


def _composed(
    near: np.ndarray, cover: np.ndarray, far: Picture, canvas: Canvas, share: float, deepest: float
) -> Picture:
    """Return the picture with the focus at ``share`` of the way from near to far."""
    near_px, far_px = 0.3 + deepest * share, 0.3 + deepest * (1 - share)
    soft = cutout(
        np.asarray(cv2.GaussianBlur(near, (0, 0), near_px), np.uint8),
        np.asarray(cv2.GaussianBlur(cover.astype(np.float32), (0, 0), near_px), np.float32),
    )
    x, y = (canvas.width - cover.shape[1]) / 2, 0.15 * canvas.height
    return laid_over(blurred(far, far_px), soft, x, y)


def _moving_shots(canvas: Canvas, random: np.random.Generator) -> list[Iterator[Picture]]:
    """Return a few distinct shots, each on a slow drift."""

    def drift(wide: Picture, speed: float) -> Iterator[Picture]:
        for n in count():
            yield looked_at(canvas, wide, view(canvas, wide, 20 * np.sin(speed * n), 0))

    levels = random.uniform(50, 160, SHOTS)
    return [
        drift(backdrop(random, canvas, larger=1.1, level=float(level)), random.uniform(0.01, 0.05))
        for level in levels
    ]


@scene("quick cuts", says="an edited sequence: a cut every 0.3 to 4 s")
def quick_cuts(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Cut among four shots."""
    shots, now, n = _moving_shots(canvas, random), 0, 0
    while True:
        now = int((now + random.integers(1, SHOTS)) % SHOTS)
        canvas.happens("cut", n, n + 1)
        for _ in range(round(0.3 * 13 ** random.random() * canvas.rate)):
            yield next(shots[now])
            n += 1


@scene("fades and dissolves", says="fades through black (0 to 12 black pictures) and dissolves")
def fades(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Fade out and in, or dissolve."""
    shots, now, n = _moving_shots(canvas, random), 0, 0
    while True:
        for _ in range(round(random.uniform(2, 6) * canvas.rate)):
            yield next(shots[now])
            n += 1
        after = (now + 1) % SHOTS
        steps = round(random.uniform(0.4, 1.5) * canvas.rate)
        faded = random.random() < 0.5
        if not faded:
            for step in range(steps):
                yield blend(next(shots[after]), next(shots[now]), (step + 1) / steps)
        else:
            held = int(random.integers(0, 13))
            canvas.happens("fade through black", n, n + 2 * steps + held)
            down = [(now, step / steps) for step in range(steps, 0, -1)]
            up = [(after, step / steps) for step in range(1, steps + 1)]
            for shown, gain in [*down, *[(after, 0.0)] * held, *up]:
                yield graded(next(shots[shown]), light(gain), saturation=gain)
            n += held + steps
        n += steps
        now = after


@scene("clouds over the set", says="light that sinks and rises by half over 5 to 20 s", moves=False)
def clouds(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Dim and brighten an unmoving set."""
    picture = backdrop(random, canvas, level=120)
    gains = 1 - 0.25 * (1 + np.tanh(wander(random, canvas.frames, canvas.rate, 0.08)))
    for gain in gains:
        yield graded(picture, light(float(gain)))


@scene("product on white", says="a bright white surround, not clipped, a small object turning")
def on_white(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Turn an object before paper white."""
    white = backdrop(random, canvas, level=218, contrast=0.12, objects=(1, 3))
    size = quads(0.45 * canvas.height)
    thing = backdrop_bgr(random, size * 2, size * 2, scale=canvas.scale, level=90)
    grid = np.linspace(-1, 1, size, dtype=np.float32)
    cover = np.clip((0.9 - np.hypot(grid[:, None], grid[None, :])) * 20, 0, 1).astype(np.float32)
    for n in count():
        at = round((size - 1) * (0.5 + 0.5 * np.sin(0.02 * n)))
        part = np.ascontiguousarray(thing[at : at + size, at // 2 : at // 2 + size])
        yield laid_over(white, cutout(part, cover), 0.4 * canvas.width, 0.3 * canvas.height)


@scene("drone", says="slow forward flight over ground: everything grows from the middle")
def drone(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Fly on: zoom into a field, begin again with a dissolve."""
    fields = [backdrop(random, canvas, larger=1.05, objects=(90, 140)) for _ in range(2)]
    steps = round(random.uniform(6, 12) * canvas.rate)
    for lap in count():
        for step in range(steps):
            grown = 1.0 + 1.2 * step / steps
            ground = fields[lap % 2]
            picture = looked_at(canvas, ground, view(canvas, ground, 0, 0, zoom=grown))
            begun = (step - 0.8 * steps) / (0.2 * steps)
            if begun > 0:
                other = crop(fields[1 - lap % 2], 0, 0, canvas)
                picture = blend(other, picture, begun)
            yield picture


@scene("fog", says="low contrast in drifting mist", fine=False, lit=False)
def fog(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let mist drift over a pale set."""
    pale = backdrop(random, canvas, level=150, contrast=0.3)
    mist = fractal(random, quads(1.2 * canvas.height), quads(1.5 * canvas.width), slope=1.4)
    plane = np.asarray(np.clip(24 + 9 * mist, 0, 60), np.uint8)
    room = plane.shape[1] - canvas.width
    for n in count():
        at = round(room * (0.5 + 0.5 * np.sin(0.01 * n)))
        veil = plane[: canvas.height, at : at + canvas.width]
        yield Picture(np.asarray(cv2.add(pale.y, veil), np.uint8), pale.u, pale.v)
