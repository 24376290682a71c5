"""Clipping: at full scale, below it, and below it with a low-pass after."""

import numpy as np

from bench.corpus.faults.fault import Label, Spot, eased, fault, spoken_windows, spots
from bench.corpus.material import RATE, Samples
from bench.corpus.takes import FULL_SCALE, Take

WINDOW_S = 3.0
RUN = 3  # samples at an end code: two can be the top of a sine
LOW_PASS_HZ = 16000.0
TAPS = 127


def _runs(flat: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Return the stretches where ``flat`` holds for RUN samples or more."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flat.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= RUN]


@fault(
    "clip at full scale",
    says="a shout 3 to 20 dB over full scale: runs of 3 samples or more at the end codes",
    detectors=["clipping"],
    not_words=["below full scale"],
    recall=1.0,
    false_per_h=0.0,
    within_s=0.1,
)
def clip_full_scale(take: Take, generator: np.random.Generator) -> list[Label]:
    """Raise a fifth of a second so far that the converter clips; label its first to last run."""
    labels = []
    for spot in spots(take, generator, (0.2, 0.2), apart_s=5.0):
        samples = take.get(spot.channel, spot.start, spot.end)
        over = 10 ** (generator.uniform(3, 20) / 20) / float(np.abs(samples).max())
        gain = 1 + np.float32(over - 1) * eased(len(samples), 0.05)
        take.put(spot.channel, spot.start, samples * gain)
        codes = take.samples[spot.start : spot.end, spot.channel] >> 8
        runs = _runs(codes == FULL_SCALE - 1) + _runs(codes == -FULL_SCALE)
        if not runs:  # nothing that counts as clipping: as if nobody had shouted
            take.put(spot.channel, spot.start, samples)
            continue
        first, last = min(a for a, _ in runs), max(b for _, b in runs)
        labels.append(
            Label(
                fault="clip at full scale",
                start=spot.start + first,
                end=spot.start + last,
                channels=(spot.channel,),
            )
        )
    return labels


def _clipped(
    take: Take, spot: Spot, share: float, generator: np.random.Generator
) -> tuple[Samples, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return a window clipped so that ``share`` of its samples are flat, and which those are."""
    samples = take.get(spot.channel, spot.start, spot.end)
    one_sided = generator.random() < 0.2
    magnitude = samples if one_sided else np.abs(samples)
    ceiling = np.float32(np.quantile(magnitude, 1 - share))
    low = -np.inf if one_sided else -ceiling
    return np.clip(samples, low, ceiling), magnitude >= ceiling


def _below(
    name: str, take: Take, generator: np.random.Generator, shares: tuple[float, float]
) -> list[Label]:
    """Clip windows of speech below full scale; the label runs from the first to the last flat."""
    labels = []
    for spot in spoken_windows(take, generator, WINDOW_S, apart_s=5.0):
        low, high = shares
        share = low * (high / low) ** generator.random()
        samples, flat = _clipped(take, spot, share, generator)
        if "low-pass" in name:
            dry = take.get(spot.channel, spot.start, spot.end)
            samples = dry + eased(len(dry), 0.005) * (_low_passed(samples) - dry)
        take.put(spot.channel, spot.start, samples)
        where = np.flatnonzero(flat)
        labels.append(
            Label(
                fault=name,
                start=spot.start + int(where[0]),
                end=spot.start + int(where[-1]) + 1,
                channels=(spot.channel,),
                amount=share,
            )
        )
    return labels


def _low_passed(samples: Samples) -> Samples:
    """Return samples through a linear-phase low-pass at 16 kHz, delay removed."""
    n = np.arange(TAPS) - TAPS // 2
    taps = np.sinc(2 * LOW_PASS_HZ / RATE * n) * np.kaiser(TAPS, 7.0)
    padded = np.pad(samples, TAPS // 2, mode="edge")
    return np.convolve(padded, taps / taps.sum(), mode="valid").astype(np.float32)


@fault(
    "clip below full scale",
    says="hard flat tops upstream (preamp, wireless), 0.05 % to 2 % of the samples in 3 s",
    detectors=["flat_tops"],
    also=["clipping"],
    words=["below full scale"],
    recall=0.99,
    false_per_h=0.1,
    within_s=1.0,
    from_end=True,
)
def clip_below(take: Take, generator: np.random.Generator) -> list[Label]:
    """Clip 3 s windows of speech at a lower ceiling."""
    return _below("clip below full scale", take, generator, (0.0005, 0.02))


@fault(
    "clip, then low-pass, 1 %",
    says="the same, 1 % to 3 % of the samples, through a 16 kHz low-pass",
    detectors=["rounded_tops"],
    also=["flat_tops", "clipping"],
    words=["below full scale"],
    recall=0.98,
    false_per_h=1.0,
    within_s=1.0,
    from_end=True,
)
def clip_low_pass(take: Take, generator: np.random.Generator) -> list[Label]:
    """Clip more, then take the corners off."""
    return _below("clip, then low-pass, 1 %", take, generator, (0.01, 0.03))


@fault(
    "clip, then low-pass, 0.3 %",
    says="the same, 0.3 % to 1 % of the samples, through a 16 kHz low-pass",
    detectors=["rounded_tops"],
    also=["flat_tops", "clipping"],
    words=["below full scale"],
    recall=0.85,
    false_per_h=1.0,
    within_s=1.0,
    from_end=True,
)
def clip_low_pass_less(take: Take, generator: np.random.Generator) -> list[Label]:
    """Clip less, then take the corners off."""
    return _below("clip, then low-pass, 0.3 %", take, generator, (0.003, 0.01))
