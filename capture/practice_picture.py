"""Moving pictures for the practice feeds: two small scenes, 1920×1080, painted once.

A wide shot at sunset and a close shot at night. The backdrop, the people, the sun and the grain
are painted when the scene is made; a frame is then a few shifted copies and additions, 3 ms.
The backdrop is painted at half size and enlarged, as a lens would soften it; grain is full size.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX = 1920
HEIGHT_PX = 1080
MARGIN_PX = 64  # the backdrop is larger by this on every side, for the camera's sway
GRAIN_ROOM_PX = 128  # the grain is larger by this, and shifted at random every frame
GRAIN_SD = 2.2
GRAIN_MEAN = 8  # taken from the backdrop first, so that grain only ever adds

Plane = NDArray[np.uint8]
Picture = NDArray[np.float32]
"""(height, width, 3) blue, green, red from 0 to 255, at half size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """One picture as luma and two quarter-size chroma planes, limited range BT.709-like."""

    luma: Plane
    u: Plane
    v: Plane

    def copy(self) -> "Planes":
        """Return a copy that owns its memory."""
        return Planes(luma=self.luma.copy(), u=self.u.copy(), v=self.v.copy())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """A person or light: what it adds (luma, u, v) where it covers, and what it leaves of the rest.

    ``keep`` and ``keep_chroma`` are 255 where the backdrop shows through whole.
    """

    planes: Planes
    keep: Plane
    keep_chroma: Plane


def _to_planes(picture: Picture) -> Planes:
    """Return a half-size picture as full-size luma and chroma of half that."""
    small = np.clip(picture, 0, 255).astype(np.uint8)
    yuv = cv2.cvtColor(small, cv2.COLOR_BGR2YUV)
    size = (picture.shape[1] * 2, picture.shape[0] * 2)
    luma = cv2.resize(yuv[:, :, 0], size, interpolation=cv2.INTER_CUBIC)
    legal = (16 + luma.astype(np.float32) * (219 / 255)).astype(np.uint8)
    chroma = (128 + (yuv[:, :, 1:].astype(np.float32) - 128) * (224 / 255)).astype(np.uint8)
    return Planes(
        luma=legal,
        u=np.ascontiguousarray(chroma[:, :, 0]),
        v=np.ascontiguousarray(chroma[:, :, 1]),
    )


def _to_cutout(picture: Picture, alpha: Picture) -> Cutout:
    """Return a half-size painting with its coverage (0 to 1) as a cut-out."""
    planes = _to_planes(picture)
    wide = cv2.resize(alpha, (alpha.shape[1] * 2, alpha.shape[0] * 2))
    return Cutout(
        planes=Planes(
            luma=(planes.luma * wide).astype(np.uint8),
            u=(planes.u * alpha).astype(np.uint8),
            v=(planes.v * alpha).astype(np.uint8),
        ),
        keep=((1 - wide) * 255).astype(np.uint8),
        keep_chroma=((1 - alpha) * 255).astype(np.uint8),
    )


def _vertical(height: int, width: int, stops: list[tuple[float, tuple[int, int, int]]]) -> Picture:
    """Return a gradient from top to bottom through (place, blue-green-red) stops."""
    at = np.linspace(0, 1, height)
    places = [place for place, _ in stops]
    columns = [np.interp(at, places, [colour[i] for _, colour in stops]) for i in range(3)]
    gradient = np.stack(columns, axis=1).astype(np.float32)
    return np.ascontiguousarray(np.broadcast_to(gradient[:, None, :], (height, width, 3)))


def _ridge(random: np.random.Generator, width: int, roughness: int) -> NDArray[np.float64]:
    """Return a hill's outline, about −1 to 1 over the width."""
    x = np.linspace(0, 1, width)
    outline = np.zeros(width)
    for octave in range(roughness):
        frequency = 1.4 * 1.9**octave
        outline += np.sin(2 * np.pi * (frequency * x + random.uniform())) / 1.75**octave
    return outline / 1.6


def _hills(random: np.random.Generator, picture: Picture) -> None:
    """Paint five ridges into the picture, each nearer, darker and less hazy than the last."""
    height, width = picture.shape[:2]
    rows = np.arange(height)[:, None]
    haze, near = np.array([92, 128, 205.0]), np.array([22, 20, 26.0])
    for layer in range(5):
        depth = layer / 4
        top = height * (0.57 + 0.085 * layer) - _ridge(random, width, 3 + layer) * height * 0.035
        cover = np.clip(rows - top[None, :] + 0.5, 0, 1)[:, :, None]
        fall = np.clip((rows - top[None, :]) / (height * 0.16), 0, 1)[:, :, None]
        colour = (haze * (1 - depth) ** 1.3 + near * (1 - (1 - depth) ** 1.3)) * (1 - 0.35 * fall)
        picture[:] = picture * (1 - cover) + colour * cover


def _person(
    height: int, lean: float, colour: tuple[int, int, int], rim: tuple[int, int, int]
) -> Cutout:
    """Return a standing person seen against the light, ``height`` half-size pixels tall."""
    width = int(height * 0.5) // 2 * 2
    height = height // 2 * 2
    mask = np.zeros((height * 4, width * 4), np.uint8)
    h, middle = height * 4, width * 2

    def at(x: float, y: float) -> tuple[int, int]:
        return int(middle + (x + lean * (1 - y)) * h), int(y * h)

    cv2.ellipse(mask, at(0, 0.085), (int(h * 0.045), int(h * 0.062)), 0, 0, 360, 255, -1)
    coat = [(-0.02, 0.13), (-0.1, 0.185), (-0.125, 0.3), (-0.12, 0.48), (-0.1, 0.5), (-0.085, 0.35)]
    coat += [(-0.085, 0.56), (-0.075, 0.985), (-0.012, 0.985), (0.0, 0.6), (0.022, 0.985)]
    coat += [(0.085, 0.985), (0.085, 0.56), (0.085, 0.35), (0.105, 0.5), (0.125, 0.48)]
    coat += [(0.125, 0.3), (0.1, 0.185), (0.02, 0.13)]
    cv2.fillPoly(mask, [np.array([at(x, y) for x, y in coat], np.int32)], 255)
    soft = cv2.GaussianBlur(mask, (0, 0), 5)
    small = cv2.resize(soft, (width, height), interpolation=cv2.INTER_AREA)
    alpha = small.astype(np.float32) / np.float32(255)
    lit = np.clip(alpha - np.roll(alpha, -3, axis=1), 0, 1)
    edge = cv2.GaussianBlur(lit, (0, 0), 0.9)[:, :, None] * 0.9
    picture = np.full((height, width, 3), colour, np.float32)
    picture = picture * (1 - np.clip(edge, 0, 1)) + np.array(rim, np.float32) * np.clip(edge, 0, 1)
    return _to_cutout(picture, alpha)


def _sun(radius: int) -> Cutout:
    """Return the sun and its glow; it covers nothing and only adds light."""
    size = radius * 14
    y, x = np.mgrid[:size, :size].astype(np.float32) - size / 2
    distance = np.hypot(x, y)
    disc = np.clip(radius - distance + 0.5, 0, 1)
    edge = np.clip(1 - distance / (size / 2), 0, 1)
    glow = np.exp(-distance / (radius * 1.7)) * edge
    alpha = np.clip(disc + glow * 0.75, 0, 1)
    picture = np.empty((size, size, 3), np.float32)
    picture[:] = (150, 205, 255)
    picture += disc[:, :, None] * np.array((80, 40, 0), np.float32)
    return _to_cutout(picture, alpha.astype(np.float32))


def _wide_backdrop(random: np.random.Generator, height: int, width: int) -> Picture:
    """Paint a valley at sunset."""
    stops = [
        (0.0, (104, 62, 34)),
        (0.25, (134, 96, 72)),
        (0.42, (120, 138, 196)),
        (0.55, (96, 164, 250)),
        (1.0, (80, 140, 240)),
    ]
    picture = _vertical(height, width, stops)
    for _ in range(26):
        x, y = random.uniform(0, width), height * random.uniform(0.08, 0.46)
        cloud = np.zeros((height, width), np.float32)
        axes = (int(random.uniform(60, 210)), int(random.uniform(2, 7)))
        cv2.ellipse(cloud, (int(x), int(y)), axes, float(random.uniform(-3, 3)), 0, 360, 1.0, -1)
        cloud = cv2.GaussianBlur(cloud, (0, 0), 9, sigmaY=3)[:, :, None] * 0.34
        picture = picture * (1 - cloud) + np.array((150, 168, 248), np.float32) * cloud
    _hills(random, picture)
    return picture


def _night_backdrop(random: np.random.Generator, height: int, width: int) -> Picture:
    """Paint a street far out of focus: discs of light over blue dark."""
    stops = [
        (0.0, (40, 22, 12)),
        (0.5, (66, 42, 22)),
        (0.75, (52, 40, 40)),
        (1.0, (26, 20, 18)),
    ]
    picture = _vertical(height, width, stops)
    colours = [(70, 150, 255), (60, 110, 240), (120, 190, 255), (200, 170, 70), (160, 120, 60)]
    for _ in range(64):
        place = (int(random.uniform(0, width)), int(height * random.normal(0.5, 0.15)))
        disc = np.zeros((height, width), np.float32)
        radius = int(random.uniform(10, 38))
        cv2.circle(disc, place, radius, 0.72, -1, cv2.LINE_AA)
        cv2.circle(disc, place, radius, 1.0, 2, cv2.LINE_AA)
        disc = cv2.GaussianBlur(disc, (0, 0), 1.6)[:, :, None] * float(random.uniform(0.12, 0.55))
        colour = np.array(colours[int(random.integers(len(colours)))], np.float32)
        picture += disc * colour * (1 - picture / 300)
    return picture


def _portrait() -> Cutout:
    """Return a head and shoulders lit from the left, 430 half-size pixels tall."""
    height, width = 430, 480
    alpha = np.zeros((height * 2, width * 2), np.uint8)
    cv2.ellipse(alpha, (480, 300), (136, 184), 0, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(alpha, (404, 420), (556, 600), 255, -1)
    body = [(404, 545), (250, 600), (120, 690), (60, 860), (900, 860), (840, 690), (710, 600)]
    cv2.fillPoly(alpha, [np.array([*body, (556, 545)], np.int32)], 255, cv2.LINE_AA)
    cover = cv2.GaussianBlur(alpha, (0, 0), 3.5)
    hair = np.zeros_like(alpha)
    cv2.ellipse(hair, (486, 262), (158, 178), 0, 0, 360, 255, -1, cv2.LINE_AA)
    face = np.zeros_like(alpha)
    cv2.ellipse(face, (462, 330), (112, 148), 4, 0, 360, 255, -1, cv2.LINE_AA)
    cv2.rectangle(face, (424, 430), (536, 580), 255, -1)
    masks = [cv2.GaussianBlur(mask, (0, 0), 9) for mask in (hair, face)]
    cover = np.maximum(cover, cv2.GaussianBlur(hair, (0, 0), 3.5))
    picture = _lit_portrait(height, width, [_half(mask) for mask in masks], _half(cover))
    return _to_cutout(picture, _half(cover))


def _half(mask: cv2.typing.MatLike) -> Picture:
    """Return a mask at half its size, 0 to 1."""
    size = (mask.shape[1] // 2, mask.shape[0] // 2)
    half = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
    return np.asarray(half.astype(np.float32) / 255)


def _lit_portrait(height: int, width: int, masks: list[Picture], cover: Picture) -> Picture:
    """Colour coat, hair and skin; a warm key from the left, a cold rim from the right."""
    hair, face = masks
    across = np.linspace(1.25, 0.28, width, dtype=np.float32)[None, :, None]
    picture = np.full((height, width, 3), (44, 34, 34), np.float32)
    picture += (np.array((24, 26, 40), np.float32) - picture) * hair[:, :, None]
    skin = np.array((104, 142, 206), np.float32)
    picture += (skin - picture) * face[:, :, None]
    for x, y, radius, depth in ((201, 152, 15, 0.5), (258, 152, 15, 0.5), (230, 216, 24, 0.16)):
        shade = np.zeros((height, width), np.float32)
        cv2.ellipse(shade, (x, y), (radius, radius // 2), 0, 0, 360, 1.0, -1)
        picture *= 1 - cv2.GaussianBlur(shade, (0, 0), 5)[:, :, None] * depth
    picture *= across
    shifted = cv2.GaussianBlur(np.roll(cover, -7, axis=1), (0, 0), 6)
    rim = np.clip(cover - shifted, 0, 1)[:, :, None]
    return np.asarray(picture + rim * np.array((190, 150, 80), np.float32))


def _label(text: str, scale: float, thickness: int) -> tuple[Plane, tuple[int, int]]:
    """Return white text on black as a luma patch of even size, and its size (height, width)."""
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, thickness)
    patch = np.zeros(((height + base + 20) // 2 * 2, (width + 28) // 2 * 2), np.uint8)
    place = (14, height + 8)
    white = (214,)
    cv2.putText(patch, text, place, cv2.FONT_HERSHEY_DUPLEX, scale, white, thickness, cv2.LINE_AA)
    return patch, (patch.shape[0], patch.shape[1])


def _overlap(at: int, size: int, limit: int) -> tuple[int, int]:
    """Return from where to where an object of ``size`` at ``at`` lies inside ``limit``."""
    return max(0, -at), min(size, limit - at)


def _cover(target: Plane, patch: Plane, keep: Plane, x: int, y: int) -> None:
    """Lay a patch over a plane in place, cut at its borders."""
    top, bottom = _overlap(y, patch.shape[0], target.shape[0])
    left, right = _overlap(x, patch.shape[1], target.shape[1])
    if top >= bottom or left >= right:
        return
    part = target[y + top : y + bottom, x + left : x + right]
    cv2.multiply(part, keep[top:bottom, left:right], dst=part, scale=1 / 255)
    cv2.add(part, patch[top:bottom, left:right], dst=part)


def _paste(target: Planes, cutout: Cutout, x: int, y: int) -> None:
    """Lay a cut-out over a picture in place; x and y are even, or made so."""
    x, y = x // 2 * 2, y // 2 * 2
    _cover(target.luma, cutout.planes.luma, cutout.keep, x, y)
    _cover(target.u, cutout.planes.u, cutout.keep_chroma, x // 2, y // 2)
    _cover(target.v, cutout.planes.v, cutout.keep_chroma, x // 2, y // 2)


def timecode(frame: int, rate: int = 25) -> str:
    """Return hours:minutes:seconds:frames, from 10:00:00:00 as on a shooting morning."""
    seconds, frames = divmod(frame, rate)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{(10 + hours) % 24:02d}:{minutes:02d}:{seconds:02d}:{frames:02d}"


class Scene:
    """One camera's view; ``render`` paints frame ``n``, the same for the same seed."""

    def __init__(self, camera: Literal["a", "b"], seed: int) -> None:
        """Paint everything that does not change; about half a second."""
        random = np.random.default_rng(seed)
        self._camera = camera
        size = (HEIGHT_PX // 2 + MARGIN_PX, WIDTH_PX // 2 + MARGIN_PX)
        paint = _wide_backdrop if camera == "a" else _night_backdrop
        self._backdrop = _to_planes(paint(random, *size))
        np.subtract(self._backdrop.luma, GRAIN_MEAN, out=self._backdrop.luma)
        grain_size = (HEIGHT_PX + GRAIN_ROOM_PX, WIDTH_PX + GRAIN_ROOM_PX)
        grain = random.standard_normal(grain_size, np.float32) * GRAIN_SD + GRAIN_MEAN
        self._grain = np.clip(np.rint(grain), 0, 255).astype(np.uint8)
        self._random = random
        self._cast()
        name = "A CAM  27/3  TAKE 1" if camera == "a" else "B CAM  27/3  TAKE 1"
        self._name, _ = _label(name, 1.35, 2)
        self._practice, (_, self._practice_px) = _label("PRACTICE", 1.35, 2)

    def _cast(self) -> None:
        """Paint the people and the light."""
        if self._camera == "a":
            self._sun = _sun(24)
            dark, rim = (18, 16, 22), (110, 170, 255)
            self._people = [_person(216, 0.0, dark, rim), _person(200, 0.012, dark, rim)]
        else:
            self._people = [_portrait()]

    def _sway(self, seconds: float) -> tuple[int, int]:
        """Return the camera's own movement: a slow pan on a head, or a held camera's breath."""
        if self._camera == "a":
            return int(MARGIN_PX + 52 * np.sin(seconds * 0.11)), MARGIN_PX
        x = 9 * np.sin(seconds * 0.9) + 5 * np.sin(seconds * 2.3 + 1)
        y = 7 * np.sin(seconds * 1.1 + 2) + 3 * np.sin(seconds * 2.9)
        return int(MARGIN_PX + x), int(MARGIN_PX + y)

    def render(self, frame: int, rate: float = 25.0) -> Planes:
        """Paint one frame into fresh memory."""
        seconds = frame / rate
        x, y = self._sway(seconds)
        x, y = x // 2 * 2, y // 2 * 2
        half = np.s_[y // 2 : y // 2 + HEIGHT_PX // 2, x // 2 : x // 2 + WIDTH_PX // 2]
        gx, gy = self._random.integers(0, GRAIN_ROOM_PX, 2)
        luma = cv2.add(
            self._backdrop.luma[y : y + HEIGHT_PX, x : x + WIDTH_PX],
            self._grain[gy : gy + HEIGHT_PX, gx : gx + WIDTH_PX],
        )
        picture = Planes(
            luma=np.asarray(luma, np.uint8),
            u=self._backdrop.u[half].copy(),
            v=self._backdrop.v[half].copy(),
        )
        (self._act_a if self._camera == "a" else self._act_b)(picture, seconds, x, y)
        self._burn_in(picture, frame)
        return picture

    def _act_a(self, picture: Planes, seconds: float, x: int, y: int) -> None:
        """Move the sun down its arc and two people along the ridge."""
        fall = (seconds % 600) / 600
        size = self._sun.planes.luma.shape[0]
        _paste(picture, self._sun, int(1380 - x - size / 2 + 60 * fall), int(430 - size / 2))
        walk = 150 * np.sin(seconds * 0.13)
        bob = 5 * abs(np.sin(seconds * 3.1)) * abs(np.cos(seconds * 0.13))
        _paste(picture, self._people[0], int(560 + walk - x), int(600 - bob))
        _paste(picture, self._people[1], int(850 - x + 10 * np.sin(seconds * 0.5)), 640)

    def _act_b(self, picture: Planes, seconds: float, x: int, y: int) -> None:
        """Let the person in front of the lights breathe, and turn to the other."""
        turn = 26 * np.sin(seconds * 0.31) + 6 * np.sin(seconds * 1.7)
        breath = 6 * np.sin(seconds * 1.5)
        _paste(picture, self._people[0], int(520 - x + turn), int(HEIGHT_PX - 846 + breath))

    def _burn_in(self, picture: Planes, frame: int) -> None:
        """Write camera and slate, the running timecode and the word PRACTICE."""
        clock, (height, width) = _label(timecode(frame), 1.35, 2)
        bottom = HEIGHT_PX - height - 40
        _burn(picture, self._name, 48, bottom)
        _burn(picture, clock, WIDTH_PX - width - 48, bottom)
        # top right: the page writes the camera's name over the top left
        _burn(picture, self._practice, WIDTH_PX - self._practice_px - 48, 40)


def _burn(picture: Planes, patch: Plane, x: int, y: int) -> None:
    """Put a line of text in the picture on a darkened bar."""
    x, y = x // 2 * 2, y // 2 * 2
    height, width = patch.shape
    bar = picture.luma[y : y + height, x : x + width]
    cv2.convertScaleAbs(bar, dst=bar, alpha=0.4)
    cv2.max(bar, patch, dst=bar)
    half = np.s_[y // 2 : (y + height) // 2, x // 2 : (x + width) // 2]
    picture.u[half] = 128
    picture.v[half] = 128


def black() -> Planes:
    """Return a black picture, limited range."""
    half = (HEIGHT_PX // 2, WIDTH_PX // 2)
    return Planes(
        luma=np.full((HEIGHT_PX, WIDTH_PX), 16, np.uint8),
        u=np.full(half, 128, np.uint8),
        v=np.full(half, 128, np.uint8),
    )


def to_bgr(planes: Planes, width_px: int) -> Plane:
    """Return the picture in blue, green, red at the wanted width, (height, width, 3)."""
    height = max(1, round(planes.luma.shape[0] * width_px / planes.luma.shape[1]))
    small = [
        cv2.resize(plane, (width_px, height), interpolation=cv2.INTER_AREA).astype(np.float32)
        for plane in (planes.luma, planes.u, planes.v)
    ]
    luma = (small[0] - 16) * (255 / 219)
    yuv = np.dstack([luma, *((chroma - 128) * (255 / 224) + 128 for chroma in small[1:])])
    return np.asarray(cv2.cvtColor(np.clip(yuv, 0, 255).astype(np.uint8), cv2.COLOR_YUV2BGR))
