"""Clicks of a bad contact and crackle of a radio link, on one microphone."""

import numpy as np

from bench.corpus.faults.fault import QUIETEST, Label, fault, spots
from bench.corpus.material import RATE, Samples
from bench.corpus.takes import Take

LOCAL = RATE // 100  # samples either side whose RMS a click is measured against
OVER_DB = (12.0, 26.0)


def _grain(generator: np.random.Generator) -> Samples:
    """Return one click of peak 1: a jump of a few samples, some with a short ring after."""
    if generator.random() < 0.5:
        width = int(generator.integers(1, 4))
        return np.where(np.arange(width) % 2, -1.0, 1.0).astype(np.float32)
    time = np.arange(48)
    ring = np.exp(-time / generator.uniform(2, 12)) * np.cos(time * generator.uniform(0.5, 2.5))
    return np.asarray(ring, np.float32)


def _add(samples: Samples, at: int, grain: Samples, generator: np.random.Generator) -> None:
    local = samples[max(0, at - LOCAL) : at + LOCAL]
    rms = max(float(np.sqrt(np.mean(local**2))), QUIETEST)
    level = rms * 10 ** (generator.uniform(*OVER_DB) / 20) * generator.choice([-1, 1])
    samples[at : at + len(grain)] += np.float32(level) * grain[: len(samples) - at]


@fault(
    "clicks",
    says="crackle: 4 to 40 clicks within 0.05 to 0.6 s, each 12 to 26 dB over the local RMS",
    detectors=["clicks"],
    recall=0.90,
    false_per_h=5.0,
    within_s=2.0,
    from_end=True,
)
def crackle(take: Take, generator: np.random.Generator) -> list[Label]:
    """Add bursts of clicks; the label runs from the first to the last."""
    labels = []
    for spot in spots(take, generator, (0.05, 0.6), apart_s=6.0):
        samples = take.get(spot.channel, spot.start - LOCAL, spot.end + LOCAL + 48)
        times = np.sort(
            generator.integers(LOCAL, len(samples) - LOCAL - 48, generator.integers(4, 41))
        )
        for at in times:
            _add(samples, int(at), _grain(generator), generator)
        take.put(spot.channel, spot.start - LOCAL, samples)
        origin = spot.start - LOCAL
        labels.append(
            Label(
                fault="clicks",
                start=origin + int(times[0]),
                end=origin + int(times[-1]) + 48,
                channels=(spot.channel,),
                amount=len(times),
            )
        )
    return labels


@fault(
    "single click",
    says="one click, 12 to 26 dB over the local RMS; reported, no aim: not alert-grade alone",
    detectors=["clicks"],
    within_s=2.0,
    from_end=True,
)
def single(take: Take, generator: np.random.Generator) -> list[Label]:
    """Add one click here and there."""
    labels = []
    for spot in spots(take, generator, (0.001, 0.001), apart_s=6.0):
        samples = take.get(spot.channel, spot.start - LOCAL, spot.start + LOCAL + 48)
        _add(samples, LOCAL, _grain(generator), generator)
        take.put(spot.channel, spot.start - LOCAL, samples)
        end = spot.start + 48
        labels.append(
            Label(fault="single click", start=spot.start, end=end, channels=(spot.channel,))
        )
    return labels
