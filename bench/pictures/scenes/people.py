"""People and things that move in front of a standing camera."""

from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np

from bench.pictures.paint import (
    Canvas,
    Cutout,
    Field,
    Picture,
    Pictures,
    backdrop,
    backdrop_bgr,
    cutout,
    laid_over,
    looked_at,
    quads,
    to_picture,
    view,
    wander,
)
from bench.pictures.scenes.camera import blurred
from bench.pictures.scenes.scene import scene


def _disc(height: int, width: int, sharp: float = 14.0) -> Field:
    """Return the coverage of an ellipse with a soft edge."""
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    return np.asarray(np.clip((1 - np.hypot(rows, columns)) * sharp, 0, 1), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talker:
    """A head, shoulders and a mouth."""

    head: Cutout
    body: Cutout
    mouth: Cutout

    def over(self, picture: Picture, x: float, y: float, open_: float) -> Picture:
        """Return the picture with the talker's head at (x, y), the mouth open by 0 to 1."""
        high, wide = self.head.picture.y.shape
        picture = laid_over(picture, self.body, x - wide * 0.5, y + 0.8 * high)
        picture = laid_over(picture, self.head, x, y)
        drop = 0.06 * high * open_
        return laid_over(picture, self.mouth, x + 0.36 * wide, y + 0.68 * high + drop)


def talker(canvas: Canvas, random: np.random.Generator, size: float) -> Talker:
    """Return a person whose head is ``size`` of the picture's height."""
    high = quads(size * canvas.height)
    wide = quads(0.75 * high)
    tone = float(random.uniform(90, 175))

    def part(height: int, width: int, level: float) -> Cutout:
        bgr = backdrop_bgr(random, height, width, scale=canvas.scale * 0.4, level=level)
        return cutout(bgr, _disc(height, width))

    return Talker(
        head=part(high, wide, tone),
        body=part(2 * high, 2 * wide, float(random.uniform(30, 120))),
        mouth=part(quads(0.1 * high), quads(0.28 * wide), 35),
    )


def _speech(random: np.random.Generator, canvas: Canvas) -> Field:
    """Return how far a mouth is open: syllables at 4 Hz, pauses."""
    syllables = np.abs(wander(random, canvas.frames, canvas.rate, 4.0))
    speaks = wander(random, canvas.frames, canvas.rate, 0.3) > -0.4
    return np.asarray(np.clip(syllables, 0, 1) * speaks, np.float32)


@scene("interview", says="a head that talks and sways before a soft background")
def interview(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let one person talk."""
    behind = blurred(backdrop(random, canvas), 6 * canvas.scale)
    person = talker(canvas, random, 0.5)
    mouth = _speech(random, canvas)
    sway = [wander(random, canvas.frames, canvas.rate, 0.4) for _ in range(2)]
    for n in range(canvas.frames):
        x = 0.35 * canvas.width + 14 * canvas.scale * sway[0][n]
        y = 0.2 * canvas.height + 7 * canvas.scale * sway[1][n]
        yield person.over(behind, float(x), float(y), float(mouth[n]))


@scene(
    "sitting still",
    says="a person listens: a breath moves 2 px at 1080 lines, then nothing for seconds",
    moves=False,
)
def sitting_still(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Breathe, seldom nod."""
    behind = backdrop(random, canvas)
    person = talker(canvas, random, 0.35)
    breath = wander(random, canvas.frames, canvas.rate, 0.1)
    for n in range(canvas.frames):
        y = 0.25 * canvas.height + 2 * canvas.scale * max(0.0, float(breath[n]))
        yield person.over(behind, 0.4 * canvas.width, y, 0.0)


@scene("two in dialogue", says="over the shoulder: one talks, then the other, hand-held a little")
def dialogue(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let two people talk in turn."""
    wide = backdrop(random, canvas, larger=1.08)
    people = [talker(canvas, random, size) for size in (0.38, 0.55)]
    mouths = [_speech(random, canvas) for _ in people]
    turn = wander(random, canvas.frames, canvas.rate, 0.15) > 0
    sway = wander(random, canvas.frames, canvas.rate, 0.6)
    for n in range(canvas.frames):
        shift = 5 * canvas.scale * float(sway[n])
        picture = looked_at(canvas, wide, view(canvas, wide, shift, 0.5 * shift))
        for index, person in enumerate(people):
            talks = float(mouths[index][n]) if bool(turn[n]) == bool(index) else 0.0
            x = (0.15 + 0.42 * index) * canvas.width - 2 * shift
            picture = person.over(picture, x, 0.3 * canvas.height + 6 * canvas.scale * talks, talks)
        yield picture


@scene("traffic", says="cars and passers-by cross at 2 to 25 px a picture")
def traffic(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let seven things cross."""
    street = backdrop(random, canvas)
    things = []
    for _ in range(7):
        high = quads(random.uniform(80, 260) * canvas.scale)
        wide = quads(high * random.uniform(0.5, 2.2))
        bgr = backdrop_bgr(random, high, wide, scale=canvas.scale, level=random.uniform(40, 180))
        speed = random.choice([-1, 1]) * random.uniform(2, 25) * canvas.scale * 25 / canvas.rate
        y = random.uniform(0.35, 0.9) * canvas.height - high / 2
        things.append((cutout(bgr, _disc(high, wide, 30)), speed, y, random.uniform(0, 2000)))
    for n in count():
        picture = street
        for thing, speed, y, phase in things:
            span = canvas.width + thing.picture.y.shape[1]
            x = (phase + speed * n) % span - thing.picture.y.shape[1]
            picture = laid_over(picture, thing, x, y)
        yield picture


@scene("crowd", says="sixty heads that bob, far away")
def crowd(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let small heads bob."""
    stands = backdrop(random, canvas)
    size = quads(54 * canvas.scale)
    heads = []
    for _ in range(60):
        bgr = backdrop_bgr(random, size, size, scale=0.2, level=random.uniform(60, 190))
        x, y = random.uniform(0, canvas.width), random.uniform(0.2, 1) * canvas.height
        heads.append((cutout(bgr, _disc(size, size, 8)), x, y, *random.uniform(0.03, 0.25, 2)))
    for n in count():
        picture = Picture(*(plane.copy() for plane in stands))
        for head, x, y, a, b in heads:
            dx, dy = 8 * np.sin(a * n + x), 6 * np.sin(b * n + y)
            picture = laid_over(picture, head, x + dx * canvas.scale, y + dy * canvas.scale)
        yield picture


@scene("slow motion", says="everything moves a tenth of a pixel to half a pixel a picture")
def slow_motion(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Drift so slowly that a picture is nearly the one before."""
    wide = backdrop(random, canvas, larger=1.1)
    speed = random.uniform(0.1, 0.5) * canvas.scale
    room = 0.04 * canvas.width
    for n in count():
        at = room * np.sin(speed * n / room)
        yield looked_at(canvas, wide, view(canvas, wide, float(at), 0))


@scene("shake and stop", says="handheld that is put down and taken up again: motion begins, ends")
def shake_and_stop(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Alternate between a shaking and a resting camera."""
    wide = backdrop(random, canvas, larger=1.15)
    walk = [wander(random, canvas.frames, canvas.rate, 1.0) for _ in range(2)]
    carried = wander(random, canvas.frames, canvas.rate, 0.1) > 0
    x = y = 0.0
    for n in range(canvas.frames):
        if carried[n]:
            x, y = (float(w[n]) * 18 * canvas.scale for w in walk)
        yield looked_at(canvas, wide, view(canvas, wide, x, y))


@scene("turntable", says="a striped disc turns: fine periodic detail, near aliasing")
def turntable(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Turn stripes."""
    base = backdrop_bgr(random, quads(canvas.height * 1.5), quads(canvas.width * 1.3), scale=1.0)
    middle = base.shape[1] // 2, base.shape[0] // 2
    reach = max(base.shape)
    for spoke in np.linspace(0, 2 * np.pi, 90, endpoint=False):
        end = round(middle[0] + reach * np.cos(spoke)), round(middle[1] + reach * np.sin(spoke))
        cv2.line(base, middle, end, (200, 205, 210), canvas.px(5), cv2.LINE_AA)
    disc = to_picture(base)
    speed = random.uniform(0.002, 0.03)
    for n in count():
        yield looked_at(canvas, disc, view(canvas, disc, 0, 0, turn_rad=float(speed * n)))
