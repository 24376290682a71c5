"""Pictures that stand still, come twice or not at all."""

import numpy as np

from bench.pictures.coders import Coder
from bench.pictures.faults.fault import fault, gentle, moving, spots
from bench.pictures.paint import Layer, Picture, Pictures, grain
from bench.pictures.shots import Shot, Wanted

CONVERTER_SD = 0.35  # codes: what an analogue stage or a dithering converter adds after the fault


def held(stretches: list[tuple[int, int]]) -> Layer:
    """Return a layer that shows the picture before a stretch again throughout it."""

    def layer(pictures: Pictures) -> Pictures:
        last: Picture | None = None
        for n, picture in enumerate(pictures):
            inside = any(a <= n < b for a, b in stretches)
            if last is None or not inside:
                last = picture
            yield last

    return layer


@fault(
    "freeze",
    says="one picture held for 0.5 to 3 s before the coder",
    detectors=["freeze"],
    recall=1.0,
    false_per_h=0.0,
    within_s=0.3,
    from_end=True,
)
def freeze(shot: Shot, random: np.random.Generator) -> None:
    """Hold a picture."""
    stretches = spots(shot, random, (0.52, 3.0))
    shot.signal.append(held(stretches))
    for start, end in stretches:
        shot.label("freeze", start, end)


@fault(
    "freeze under noise",
    says=f"one picture held for 0.6 to 3 s under the noise of a converter ({CONVERTER_SD} codes)",
    detectors=["freeze"],
    false_per_h=0.0,
    within_s=0.3,
    from_end=True,
)
def freeze_under_noise(shot: Shot, random: np.random.Generator) -> None:
    """Hold a picture and add noise all along."""
    stretches = spots(shot, random, (0.6, 3.0))
    shot.signal += [held(stretches), grain(random, shot.canvas, CONVERTER_SD)]
    for start, end in stretches:
        shot.label("freeze under noise", start, end)


def _repeat(name: str, shot: Shot, random: np.random.Generator, count: int) -> None:
    span = count / float(shot.rate)
    stretches = [(a, a + count) for a, _ in spots(shot, random, (span, span), apart_s=1.3)]
    shot.signal.append(held(stretches))
    for start, end in stretches:
        shot.label(name, start, end, count)


@fault(
    "repeated picture, good coder",
    says="one picture shown twice, the next left out: raw, MJPEG and high rates, in motion",
    detectors=["frames_repeated"],
    recall=0.95,
    precision=0.95,
    wanted=Wanted(scenes=moving, coders=gentle),
)
def repeated_once(shot: Shot, random: np.random.Generator) -> None:
    """Repeat single pictures."""
    _repeat("repeated picture, good coder", shot, random, 1)


def _rough(coder: Coder) -> bool:
    return not coder.gentle


@fault(
    "three repeats, low rate",
    says="one picture shown four times: coders of a low bit rate, in motion",
    detectors=["frames_repeated"],
    recall=0.90,
    wanted=Wanted(scenes=moving, coders=_rough),
)
def repeated_thrice(shot: Shot, random: np.random.Generator) -> None:
    """Repeat a picture three times."""
    _repeat("three repeats, low rate", shot, random, 3)


@fault(
    "dropped by stamp",
    says="1 to 5 pictures missing, and their stamps with them",
    detectors=["frames_dropped"],
    recall=1.0,
    false_per_h=0.0,
    wanted=Wanted(coders=lambda coder: coder.codec != "mpeg2video"),
)
def dropped(shot: Shot, random: np.random.Generator) -> None:
    """Leave pictures out."""
    for start, _ in spots(shot, random, (0.04, 0.04), apart_s=1.5):
        end = start + int(random.integers(1, 6))
        shot.dropped.update(range(start, end))
        shot.label("dropped by stamp", start, end, end - start)


@fault(
    "stall",
    says="nothing arrives for 0.2 to 2 s, then it goes on; stamps are whole",
    detectors=["stall"],
    also=["frames_late"],
    recall=1.0,
    false_per_h=0.0,
)
def stall(shot: Shot, random: np.random.Generator) -> None:
    """Let arrivals wait."""
    for start, _ in spots(shot, random, (0.04, 0.04), apart_s=2.0):
        length_s = 0.2 * 10 ** random.random()
        shot.stalls[start] = length_s
        shot.label("stall", start, start + 1, length_s)


@fault(
    "torn pictures",
    says="for 0.5 to 2 s the upper part is of the picture before, at a row that wanders",
    detectors=["tearing"],
    recall=0.99,
    false_per_h=0.1,
    wanted=Wanted(scenes=lambda scene: scene.moves and not scene.synthetic),
)
def torn(shot: Shot, random: np.random.Generator) -> None:
    """Cut pictures in two; labelled where the parts of a cut move by enough to be seen."""
    stretches = spots(shot, random, (0.5, 2.0), apart_s=2.5)
    shot.signal.append(_tearing(shot, random, stretches))


SEEN_CODES = 1.0  # mean difference, noise left out, of the upper part to the whole picture's


def _tearing(shot: Shot, random: np.random.Generator, stretches: list[tuple[int, int]]) -> Layer:
    starts, ends = {a for a, _ in stretches}, {b for _, b in stretches}

    def layer(pictures: Pictures) -> Pictures:
        last: Picture | None = None
        row, seen, start = 0, 0, 0
        for n, picture in enumerate(pictures):
            if n in ends and seen:
                shot.label("torn pictures", start, n, seen)
            if n in starts:
                start, seen = n, 0
                row = int(random.integers(shot.canvas.height // 6, shot.canvas.height // 3)) * 2
            if last is None or not any(a <= n < b for a, b in stretches):
                last = picture
                yield picture
                continue
            row = min(max(row + 2 * int(random.integers(-4, 5)), 40), shot.canvas.height - 40)
            seen += _apart(last, picture, row) > SEEN_CODES
            pairs = zip(last, picture, (row, row // 2, row // 2), strict=True)
            yield Picture(*(np.concatenate([a[:r], b[r:]]) for a, b, r in pairs))
            last = picture

    return layer


def _apart(one: Picture, two: Picture, row: int) -> float:
    """Return how far two pictures' rows around the tear are apart, noise averaged out."""
    rows = slice(max(0, row - 32), row)
    means = (p.y[rows].astype(np.float32)[:, ::1] for p in (one, two))
    a, b = (m[:, : m.shape[1] // 8 * 8].reshape(len(m), -1, 8).mean(axis=(0, 2)) for m in means)
    return float(np.abs(a - b).mean())
