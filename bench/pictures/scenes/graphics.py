"""Pictures with graphics in them: burnt-in timecode, letterbox, screens, LED walls, log, titles."""

from itertools import count

import cv2
import numpy as np

from bench.pictures.paint import (
    BLACK,
    GREY,
    Canvas,
    Picture,
    Pictures,
    Plane,
    backdrop,
    backdrop_bgr,
    codes,
    graded,
    looked_at,
    quads,
    to_picture,
    view,
)
from bench.pictures.scenes.scene import scene

FONT = cv2.FONT_HERSHEY_SIMPLEX


def _text(plane: Plane, words: str, x: float, y: float, canvas: Canvas, luma: float) -> None:
    """Burn text into a plane at a share of its width and height."""
    at = round(x * canvas.width), round(y * canvas.height)
    cv2.putText(plane, words, at, FONT, 1.6 * canvas.scale, luma, canvas.px(3), cv2.LINE_AA)


def _timecode(n: int, rate: float) -> str:
    whole = round(rate)
    seconds, frame = divmod(n, whole)
    return f"{10 + seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frame:02d}"


@scene("burnt-in timecode", says="timecode, clip name and small white marks burnt into a shot")
def burnt_in(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Count timecode over a drifting shot; thin bright marks stay where they are."""
    wide = backdrop(random, canvas, larger=1.1)
    marks = [(random.uniform(0.05, 0.95), random.uniform(0.1, 0.9)) for _ in range(12)]
    for n in count():
        seen = looked_at(canvas, wide, view(canvas, wide, 20 * np.sin(0.02 * n), 0))
        y = seen.y.copy()
        y[round(0.9 * canvas.height) :, : canvas.width // 2] = BLACK
        _text(y, _timecode(n, canvas.rate), 0.03, 0.97, canvas, 235.0)
        _text(y, "A102C004", 0.75, 0.07, canvas, 235.0)
        for mx, my in marks:
            at = round(mx * canvas.width), round(my * canvas.height)
            y[at[1] : at[1] + canvas.px(2), at[0] : at[0] + canvas.px(2)] = 235
        yield Picture(y, seen.u, seen.v)


@scene("camera overlay", says="a viewfinder's frame lines, meters and a blinking red REC")
def camera_overlay(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Draw what a camera's monitor output shows over a handheld shot."""
    wide = backdrop(random, canvas, larger=1.1)
    w, h = canvas.width, canvas.height
    for n in count():
        seen = looked_at(
            canvas, wide, view(canvas, wide, 9 * np.sin(0.09 * n), 5 * np.sin(0.13 * n))
        )
        y, v = seen.y.copy(), seen.v.copy()
        box = (round(0.07 * w), round(0.07 * h)), (round(0.93 * w), round(0.93 * h))
        cv2.rectangle(y, *box, 200.0, canvas.px(2))
        level = round((0.3 + 0.2 * np.sin(0.7 * n)) * h)
        y[h - level : h - canvas.px(20), w - canvas.px(40) : w - canvas.px(25)] = 180
        _text(y, f"ISO 800  5600K  {n % 60:02d}%", 0.1, 0.05, canvas, 220.0)
        if n % round(canvas.rate) < canvas.rate / 2:
            cv2.circle(v, (round(0.45 * w), round(0.03 * h)), canvas.px(8), 220.0, -1)
        yield Picture(y, seen.u, v)


@scene("letterbox 2.39", says="black bars above and below a moving picture")
def letterbox(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Pan under bars of black."""
    wide = backdrop(random, canvas, larger=1.2)
    bar = round((canvas.height - canvas.width / 2.39) / 4) * 2
    for n in count():
        seen = looked_at(canvas, wide, view(canvas, wide, 30 * np.sin(0.02 * n), 0))
        y, u, v = (plane.copy() for plane in seen)
        for plane, rows, black in ((y, bar, BLACK), (u, bar // 2, GREY), (v, bar // 2, GREY)):
            plane[:rows] = black
            plane[plane.shape[0] - rows :] = black
        yield Picture(y, u, v)


@scene("log picture", says="a log curve: black near 60, white near 170, pale colour", lit=False)
def log_picture(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Move over a set as a log camera sends it."""
    wide = backdrop(random, canvas, larger=1.15)
    linear = np.clip((np.arange(256.0) - BLACK) / 219, 0, 1) ** 2.2
    table = codes(58 + 118 * np.log2(1 + 60 * linear) / np.log2(61))
    flat_ = graded(wide, table, saturation=0.35)
    for n in count():
        yield looked_at(canvas, flat_, view(canvas, flat_, 25 * np.sin(0.025 * n), 0))


@scene("computer screen", says="a filmed screen: lines of text scroll, a cursor blinks")
def computer_screen(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Scroll text by a line now and then."""
    tall = quads(canvas.height * 2)
    bgr = np.full((tall, quads(canvas.width), 3), 228, np.uint8)
    step = quads(36 * canvas.scale)
    for top in range(step, tall, step):
        words = "".join(chr(c) for c in random.integers(97, 123, int(random.integers(5, 60))))
        at = canvas.px(40), top
        cv2.putText(bgr, words, at, FONT, 0.9 * canvas.scale, (40, 40, 40), 1, cv2.LINE_AA)
    page = to_picture(np.asarray(cv2.GaussianBlur(bgr, (0, 0), 0.7), np.uint8))
    top, every = 0, round(random.uniform(0.3, 2) * canvas.rate)
    for n in count():
        if n % every == 0:
            top = (top + step) % (tall - canvas.height) // 2 * 2
        y = page.y[top : top + canvas.height].copy()
        if n % round(canvas.rate) < canvas.rate / 2:
            y[canvas.height // 2 :][: canvas.px(30), : canvas.px(14)] = 60
        half = slice(top // 2, (top + canvas.height) // 2)
        yield Picture(y, page.u[half], page.v[half])


@scene("LED wall", says="a wall of lamps behind a person: a dot raster and its refresh bars")
def led_wall(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Film a raster that shows a moving picture; 3 % refresh bars wander."""
    wide = backdrop(random, canvas, larger=1.3, level=140)
    pitch = max(3, canvas.px(6))
    rows, columns = np.mgrid[0 : canvas.height, 0 : canvas.width]
    dots = 0.75 + 0.25 * ((rows % pitch < pitch - 1) & (columns % pitch < pitch - 1))
    dots = np.asarray(cv2.GaussianBlur(dots.astype(np.float32), (0, 0), 0.8), np.float32)
    for n in count():
        seen = looked_at(canvas, wide, view(canvas, wide, 40 * np.sin(0.05 * n), 0))
        bars = 1 + 0.015 * np.sin(2 * np.pi * (3 * rows[:, :1] / canvas.height + 0.03 * n))
        y = codes(BLACK + (seen.y.astype(np.float32) - BLACK) * dots * bars.astype(np.float32))
        yield Picture(y, seen.u, seen.v)


@scene("rolling credits", says="white titles rise over black", lit=False)
def rolling_credits(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Let titles rise."""
    tall = quads(canvas.height * 4)
    bgr = np.zeros((tall, quads(canvas.width), 3), np.uint8)
    at = canvas.px(40)
    while at < tall:
        words = "".join(chr(c) for c in random.integers(65, 91, int(random.integers(6, 26))))
        place = round(0.3 * canvas.width), at
        cv2.putText(bgr, words, place, FONT, 1.5 * canvas.scale, (235,) * 3, canvas.px(2), 16)
        at += canvas.px(90)
    page = to_picture(bgr)
    room = tall - canvas.height
    for n in count():
        top = round(3 * canvas.scale * 25 / canvas.rate * n) % room // 2 * 2
        half = slice(top // 2, (top + canvas.height) // 2)
        yield Picture(page.y[top : top + canvas.height], page.u[half], page.v[half])


@scene("split screen", says="four small moving pictures with hard borders, one of them still")
def split_screen(canvas: Canvas, random: np.random.Generator) -> Pictures:
    """Show four pictures in a grid."""
    h, w = canvas.height // 2 // 2 * 2, canvas.width // 2
    parts = [
        to_picture(backdrop_bgr(random, quads(h * 1.5), quads(w * 1.5), scale=canvas.scale))
        for _ in range(4)
    ]
    speeds = [0.0, *random.uniform(0.02, 0.1, 3)]
    for n in count():
        planes: list[list[Plane]] = [[], [], []]
        for part, speed in zip(parts, speeds, strict=True):
            x = round(0.2 * w * (1 + np.sin(speed * n))) // 2 * 2
            for i, (plane, k) in enumerate(zip(part, (1, 2, 2), strict=True)):
                planes[i].append(plane[: h // k, x // k : (x + w) // k])
        grids = (np.block([[p[0], p[1]], [p[2], p[3]]]) for p in planes)
        yield Picture(*(np.asarray(grid, np.uint8) for grid in grids))
