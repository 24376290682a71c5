"""Wind and handling rumble. Synthetic: no free recording of either was found.

Wind: low-frequency noise falling about 1/f to 1/f² above a corner of some tens of hertz, in gusts,
after the measurements and the model of C. M. Nelke and P. Vary, "Measurement, analysis and
simulation of wind noise signals for mobile communication devices", IWAENC 2014. What a real
capsule does in a gust (overload, flutter of its membrane, the screen's own resonances) is not in
it, so recall on real wind will be lower than what is measured here.

Handling: bumps of 20 to 120 Hz over rubbing noise, the way a hand moves on a boom pole.
"""

import numpy as np

from bench.corpus import room_tone
from bench.corpus.faults.fault import Label, Spot, eased, fault, spots
from bench.corpus.material import RATE, Samples
from bench.corpus.takes import Take

EDGE_S = 0.2


def gusts(generator: np.random.Generator, frames: int) -> Samples:
    """Return a gust envelope, peak 1: log-normal, changing at 0.5 to 3 Hz."""
    knots = max(4, round(frames / RATE * generator.uniform(1, 4)))
    levels = np.exp(generator.normal(0, 0.7, knots))
    at = np.interp(np.arange(frames), np.linspace(0, frames, knots), levels)
    return np.asarray(at / at.max(), np.float32)


def wind_noise(generator: np.random.Generator, frames: int, level: float) -> Samples:
    """Return wind of that RMS."""
    corner_hz, slope = generator.uniform(30, 120), generator.uniform(1.0, 1.8)
    noise = room_tone.shaped_noise(
        generator, frames, lambda hz: 1 / (1 + (hz / corner_hz) ** 2) ** (slope / 2)
    )
    noise *= gusts(generator, frames)
    return np.asarray(noise * (level / np.sqrt(np.mean(noise**2))), np.float32)


def handling_noise(generator: np.random.Generator, frames: int, level: float) -> Samples:
    """Return handling of that RMS: bumps and rubbing."""
    out = np.zeros(frames, np.float32)
    at = 0
    while at < frames:
        length = min(round(generator.uniform(0.06, 0.25) * RATE), frames - at)
        time_s = np.arange(length) / RATE
        bump = np.sin(2 * np.pi * generator.uniform(20, 120) * time_s) * np.exp(-time_s / 0.05)
        out[at : at + length] += np.float32(generator.exponential(1.0)) * bump.astype(np.float32)
        at += round(generator.uniform(0.05, 0.35) * RATE)
    rub = room_tone.shaped_noise(generator, frames, lambda hz: 1 / (1 + (hz / 800) ** 2))
    out += np.float32(0.15) * rub * gusts(generator, frames)
    return np.asarray(out * (level / np.sqrt(np.mean(out**2))), np.float32)


def _label(name: str, spot: Spot, level_dbfs: float) -> Label:
    start, end, channels = spot.start, spot.end, (spot.channel,)
    return Label(fault=name, start=start, end=end, channels=channels, amount=level_dbfs)


@fault(
    "wind",
    says="3 to 10 s of wind at -38 to -18 dBFS RMS (synthetic)",
    detectors=["rumble", "wind"],
    recall=0.93,
    within_s=8.0,
)
def wind(take: Take, generator: np.random.Generator) -> list[Label]:
    """Blow over one microphone."""
    labels = []
    for spot in spots(take, generator, (3.0, 10.0), apart_s=10.0):
        level_dbfs = float(generator.uniform(-38, -18))
        samples = take.get(spot.channel, spot.start, spot.end)
        noise = wind_noise(generator, len(samples), 10 ** (level_dbfs / 20))
        take.put(spot.channel, spot.start, samples + noise * eased(len(noise), EDGE_S))
        labels.append(_label("wind", spot, level_dbfs))
    return labels


@fault(
    "handling",
    says="3 to 8 s of bumps and rubbing at -38 to -20 dBFS RMS (synthetic)",
    detectors=["rumble", "handling"],
    recall=0.93,
    within_s=8.0,
)
def handling(take: Take, generator: np.random.Generator) -> list[Label]:
    """Let a hand move on one microphone."""
    labels = []
    for spot in spots(take, generator, (3.0, 8.0), apart_s=10.0):
        level_dbfs = float(generator.uniform(-38, -20))
        samples = take.get(spot.channel, spot.start, spot.end)
        noise = handling_noise(generator, len(samples), 10 ** (level_dbfs / 20))
        take.put(spot.channel, spot.start, samples + noise * eased(len(noise), EDGE_S))
        labels.append(_label("handling", spot, level_dbfs))
    return labels
