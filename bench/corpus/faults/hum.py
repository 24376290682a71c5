"""Mains hum: 50 or 60 Hz and harmonics, under dialogue."""

import numpy as np

from bench.corpus.faults.fault import FIRST_S, Label, eased, fault
from bench.corpus.material import RATE, Samples
from bench.corpus.takes import Take, codes

HARMONICS = 12
EDGE_S = 0.05
MAINS_OFF_HZ = 0.05  # a grid keeps its frequency within 0.1 % nearly always


def mains(generator: np.random.Generator, frames: int, level_dbfs: float) -> Samples:
    """Return hum whose strongest harmonic has that level (RMS): transformer or dimmer."""
    base = generator.choice([50.0, 60.0]) + generator.normal(0, MAINS_OFF_HZ)
    slope = generator.uniform(0.3, 1.5)
    weights = np.arange(1, HARMONICS + 1) ** -slope * generator.uniform(0.3, 1, HARMONICS)
    if generator.random() < 0.4:
        weights[::2] *= 0.2  # a rectifier's ripple: even harmonics, 100 and 120 Hz
    weights *= 10 ** (level_dbfs / 20) * np.sqrt(2) / weights.max()
    cycles = base / RATE * np.arange(frames)
    out = np.zeros(frames, np.float32)
    for order, weight in enumerate(weights, 1):
        phase = 2 * np.pi * ((cycles * order + generator.random()) % 1.0)
        out += np.float32(weight) * np.sin(phase.astype(np.float32))  # quicker than in float64
    return out


def _hum(name: str, take: Take, generator: np.random.Generator, level_dbfs: float) -> list[Label]:
    labels = []
    for channel in take.microphones[::2]:
        start = round(FIRST_S * RATE)
        samples = take.get(channel, start)
        hum = mains(generator, len(samples), level_dbfs) * eased(len(samples), EDGE_S)
        take.samples[start:, channel] = codes(samples + hum)
        end = len(take.samples)
        labels.append(
            Label(fault=name, start=start, end=end, channels=(channel,), amount=level_dbfs)
        )
    return labels


@fault(
    "hum at -60 dBFS",
    says="strongest harmonic of 50 or 60 Hz at -60 dBFS RMS under dialogue, found in 10 s",
    detectors=["hum"],
    recall=0.99,
    false_per_h=0.1,
    within_s=10.0,
)
def hum_60(take: Take, generator: np.random.Generator) -> list[Label]:
    """Add hum at -60 dBFS."""
    return _hum("hum at -60 dBFS", take, generator, -60.0)


@fault(
    "hum at -70 dBFS",
    says="the same at -70 dBFS, found in 30 s",
    detectors=["hum"],
    recall=0.95,
    false_per_h=0.1,
    within_s=30.0,
)
def hum_70(take: Take, generator: np.random.Generator) -> list[Label]:
    """Add hum at -70 dBFS."""
    return _hum("hum at -70 dBFS", take, generator, -70.0)
