"""Light and levels: black, lens cap, no signal, exposure, colour, mains flicker, illegal levels."""

import cv2
import numpy as np

from bench.pictures.faults.fault import camera, during, eased, fault, lit, spots, to_the_end
from bench.pictures.paint import (
    Layer,
    Picture,
    Plane,
    codes,
    flat,
    graded,
    light,
    to_picture,
)
from bench.pictures.shots import Shot, Wanted

LEGAL = (5, 246)  # EBU R 103, 8 bits
LEGAL_SHARE = 0.01
CLIPPED_SHARE = 0.05  # of the picture at its top: less is a lamp, not an over-exposure
DARK_CODE = 33.0  # 8 % of nominal white
MAINS_HZ = (100.0, 120.0)


def _flat(stretches: list[tuple[int, int]], colour: Picture) -> Layer:
    return during(stretches, lambda _picture, _n, _start: colour)


@fault(
    "black",
    says="black of code 16 for 3 pictures to 2 s",
    detectors=["black"],
    also=["no_signal"],
    recall=1.0,
    false_per_h=0.0,
    within_s=0.2,
)
def black(shot: Shot, random: np.random.Generator) -> None:
    """Show black."""
    stretches = spots(shot, random, (3.001 / float(shot.rate), 2.0), apart_s=2.0)
    shot.signal.append(_flat(stretches, flat(shot.canvas)))
    for start, end in stretches:
        shot.label("black", start, end)


@fault(
    "lens cap",
    says="no light but the sensor's own noise for 2 to 5 s",
    detectors=["black"],
    also=["lens_cap"],
    recall=1.0,
    wanted=Wanted(scenes=camera),
)
def lens_cap(shot: Shot, random: np.random.Generator) -> None:
    """Cover the lens: noise stays."""
    stretches = spots(shot, random, (2.0, 5.0))
    shot.optics.append(_flat(stretches, flat(shot.canvas, int(random.integers(16, 21)))))
    for start, end in stretches:
        shot.label("lens cap", start, end)


NO_SIGNAL = ((16, 128, 128), (41, 240, 110), (126, 128, 128))  # black, blue, grey


@fault(
    "no signal",
    says="the even black, blue or grey that a converter shows without an input, for 2 to 5 s",
    detectors=["no_signal"],
    also=["black"],
    recall=1.0,
)
def no_signal(shot: Shot, random: np.random.Generator) -> None:
    """Show one colour without noise."""
    stretches = spots(shot, random, (2.0, 5.0))
    colour = NO_SIGNAL[int(random.integers(len(NO_SIGNAL)))]
    shot.signal.append(_flat(stretches, flat(shot.canvas, *colour)))
    for start, end in stretches:
        shot.label("no signal", start, end)


@fault(
    "over-exposed",
    says="1 to 2 stops too much from some picture on; 5 % of the picture or more clips",
    detectors=["overexposed"],
    metric="clipped_area",
    recall=0.95,
    within_s=3.0,
    wanted=Wanted(scenes=lit),
)
def overexposed(shot: Shot, random: np.random.Generator) -> None:
    """Open up within half a second; labelled from the first picture that clips by enough."""
    start, end = to_the_end(shot, random)
    gain, top = float(random.uniform(2.0, 4.0)), int(random.choice([235, 254]))
    begun: list[int] = []

    def change(picture: Picture, n: int, first: int) -> Picture:
        now = 1 + (gain - 1) * eased(n, first, 0.5 * float(shot.rate))
        out = graded(picture, light(now, top=top), saturation=1.1)
        clipped = cv2.countNonZero(cv2.compare(out.y, np.full(1, top - 1.0), cv2.CMP_GE))
        if not begun and clipped >= CLIPPED_SHARE * out.y.size:
            begun.append(n)
            shot.label("over-exposed", n, end, gain)
        return out

    shot.signal.append(during([(start, end)], change))


@fault(
    "under-exposed",
    says="4 to 7 stops too little from some picture on, the noise staying as it is; labelled from "
    "where half the picture is under 8 % of white",
    detectors=["underexposed"],
    also=["black"],
    metric="crushed_area",
    recall=0.95,
    within_s=3.0,
    wanted=Wanted(scenes=lit),
)
def underexposed(shot: Shot, random: np.random.Generator) -> None:
    """Stop down within half a second."""
    start, end = to_the_end(shot, random)
    stops = float(random.uniform(4, 7))
    begun: list[int] = []

    def change(picture: Picture, n: int, first: int) -> Picture:
        down = stops * eased(n, first, 0.5 * float(shot.rate))
        gain = 2 ** (-down / 2.2)  # codes follow light by the display's gamma
        out = graded(picture, light(gain), saturation=gain)
        dark = cv2.countNonZero(cv2.compare(out.y, np.full(1, DARK_CODE), cv2.CMP_LE))
        if not begun and dark >= out.y.size / 2:
            begun.append(n)
            shot.label("under-exposed", n, end, stops)
        return out

    shot.optics.append(during([(start, end)], change))


@fault(
    "colour shift",
    says="a cast of 10 to 30 codes in chroma (a wrong white balance) from some picture on",
    detectors=["colour_shift"],
    recall=0.9,
    within_s=3.0,
    wanted=Wanted(scenes=camera),
)
def colour_shift(shot: Shot, random: np.random.Generator) -> None:
    """Shift both chroma planes."""
    start, end = to_the_end(shot, random)
    angle, reach = random.uniform(0, 2 * np.pi), float(random.uniform(10, 30))
    shifts = reach * np.cos(angle), reach * np.sin(angle)

    def change(picture: Picture, _n: int, _first: int) -> Picture:
        u, v = (
            np.asarray(cv2.LUT(plane, codes(np.arange(256.0) + shift)), np.uint8)
            for plane, shift in zip((picture.u, picture.v), shifts, strict=True)
        )
        return Picture(picture.y, u, v)

    shot.signal.append(during([(start, end)], change))
    shot.label("colour shift", start, end, reach)


@fault(
    "channel lost",
    says="red, green or blue is missing from some picture on",
    detectors=["colour_shift"],
    recall=0.95,
    within_s=3.0,
    wanted=Wanted(scenes=camera),
)
def channel_lost(shot: Shot, random: np.random.Generator) -> None:
    """Set one channel of the colour picture to zero."""
    start, end = to_the_end(shot, random)
    lost = int(random.integers(3))

    def change(picture: Picture, _n: int, _first: int) -> Picture:
        width = picture.y.shape[1]
        rows = [picture.y, picture.u.reshape(-1, width), picture.v.reshape(-1, width)]
        bgr = cv2.cvtColor(np.concatenate(rows), cv2.COLOR_YUV2BGR_I420)
        bgr[:, :, lost] = 0
        return to_picture(np.asarray(bgr, np.uint8))

    shot.signal.append(during([(start, end)], change))
    shot.label("channel lost", start, end)


def _flicker(name: str, shot: Shot, random: np.random.Generator, depth: float) -> None:
    """Modulate light as lamps on the mains do, seen by a rolling shutter of 5 to 20 ms."""
    start, end = to_the_end(shot, random)
    mains = float(random.choice(MAINS_HZ)) * float(random.uniform(0.999, 1.001))
    readout_s = float(random.uniform(0.005, 0.02))
    rows = np.arange(shot.canvas.height) / shot.canvas.height * readout_s
    rate = float(shot.rate)

    def change(picture: Picture, n: int, _first: int) -> Picture:
        wave = 1 + depth * np.sin(2 * np.pi * mains * (n / rate + rows))
        y = cv2.multiply(
            picture.y, np.repeat(wave[:, None], picture.y.shape[1], 1), dtype=cv2.CV_8U
        )
        lift = codes(16 * (1 - wave))[:, None]
        return Picture(
            np.asarray(cv2.add(y, np.broadcast_to(lift, y.shape)), np.uint8), *picture[1:]
        )

    shot.optics.append(during([(start, end)], change))
    shot.label(name, start, end, depth)


_LAMPS = Wanted(scenes=lit, seconds=14.0)


@fault(
    "banding 8 %",
    says="light swings by ±8 % at 100 or 120 Hz under a rolling shutter of 5 to 20 ms",
    detectors=["flicker"],
    metric="flicker_ratio",
    auc=0.95,
    recall=0.9,
    within_s=4.0,
    wanted=_LAMPS,
)
def banding_8(shot: Shot, random: np.random.Generator) -> None:
    """Flicker plainly."""
    _flicker("banding 8 %", shot, random, 0.08)


@fault(
    "banding 4 %",
    says="light swings by ±4 % at 100 or 120 Hz under a rolling shutter of 5 to 20 ms",
    detectors=["flicker"],
    metric="flicker_ratio",
    auc=0.95,
    within_s=4.0,
    wanted=_LAMPS,
)
def banding_4(shot: Shot, random: np.random.Generator) -> None:
    """Flicker a little."""
    _flicker("banding 4 %", shot, random, 0.04)


@fault(
    "illegal levels",
    says="full-range codes sent as limited range; 1 % of luma or more outside 5 to 246 (R 103)",
    detectors=["legal_range"],
    metric="illegal_area",
    stage="delivery",
    recall=0.95,
    within_s=3.0,
    wanted=Wanted(scenes=camera, seconds=10.0),
)
def illegal_levels(shot: Shot, random: np.random.Generator) -> None:
    """Stretch 16–235 to 0–255; labelled from the first picture with enough outside."""
    start, end = to_the_end(shot, random)
    table: Plane = codes((np.arange(256.0) - 16) * float(random.uniform(255 / 219, 1.5)))
    begun: list[int] = []

    def change(picture: Picture, n: int, _first: int) -> Picture:
        out = graded(picture, table)
        soft = cv2.blur(out.y, (3, 3))
        outside = np.count_nonzero((soft < LEGAL[0]) | (soft > LEGAL[1]))
        if not begun and outside >= 2 * LEGAL_SHARE * soft.size:
            begun.append(n)
            shot.label("illegal levels", n, end)
        return out

    shot.signal.append(during([(start, end)], change))


BARS = ((235, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58))
MORE_BARS = ((84, 184, 198), (65, 100, 212), (35, 212, 114), (16, 128, 128))


@fault(
    "colour bars",
    says="eight bars of 75 % saturation from some picture on",
    detectors=["colour_bars"],
    recall=1.0,
    within_s=3.0,
)
def colour_bars(shot: Shot, random: np.random.Generator) -> None:
    """Show EBU bars."""
    start, end = to_the_end(shot, random)
    height, width = shot.canvas.height, shot.canvas.width
    columns = np.array([*BARS, *MORE_BARS])
    luma = columns[np.minimum(np.arange(width) * 8 // width, 7), 0]
    half = columns[np.minimum(np.arange(width // 2) * 16 // width, 7)]
    bars = Picture(
        np.repeat(luma[None, :], height, 0).astype(np.uint8),
        np.repeat(half[None, :, 1], height // 2, 0).astype(np.uint8),
        np.repeat(half[None, :, 2], height // 2, 0).astype(np.uint8),
    )
    shot.signal.append(_flat([(start, end)], bars))
    shot.label("colour bars", start, end)
