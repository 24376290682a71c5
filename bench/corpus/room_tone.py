"""Noise that is there all the time: room tone of several kinds, and every microphone's own.

Synthetic: spectra of the usual kinds, Gaussian, with slow changes of level; rain has drops. Each
bed is as long as the take, so that nothing in it repeats.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len

from bench.corpus.material import RATE, Samples

Magnitudes = NDArray[np.float64]


def _pink(hz: Magnitudes) -> Magnitudes:
    return np.asarray(1 / np.sqrt(hz))


def _ventilation(hz: Magnitudes) -> Magnitudes:
    """Air handling: steep above 250 Hz, as an NC curve's slope."""
    return np.asarray(1 / np.sqrt(hz) / (1 + (hz / 250) ** 1.2))


def _traffic(hz: Magnitudes) -> Magnitudes:
    """Traffic through a window: a hump at 70 Hz and tyre noise to 1 kHz."""
    return np.asarray(1 / (1 + (hz / 70) ** 2) + 0.03 / (1 + (hz / 1000) ** 4))


def _rain(hz: Magnitudes) -> Magnitudes:
    """Rain on a roof: rising to 3 kHz, falling above."""
    return np.asarray((hz / 3000) / (1 + (hz / 3000) ** 2))


KINDS: dict[str, Callable[[Magnitudes], Magnitudes]] = {
    "pink": _pink,
    "ventilation": _ventilation,
    "traffic": _traffic,
    "rain": _rain,
}
# Induction motors turn a little under the mains' synchronous speeds: near 50/60 Hz, never on it.
MOTOR_HZ = ((24.2, 48.4, 193.6), (28.9, 57.8, 231.2), (47.6, 95.2, 380.8), (29.4, 58.8))
DROPS_A_S = 12.0


def shaped_noise(
    generator: np.random.Generator, frames: int, shape: Callable[[Magnitudes], Magnitudes]
) -> Samples:
    """Return Gaussian noise of that spectrum, unit RMS, (frames,)."""
    length = next_fast_len(frames, real=True)
    hz = np.maximum(np.arange(length // 2 + 1) * RATE / length, 15.0)
    magnitude = shape(hz).astype(np.float32)
    bins = generator.standard_normal((2, len(hz)), np.float32)
    spectrum = (bins[0] + 1j * bins[1]) * magnitude
    noise = irfft(spectrum, length)[:frames]
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), np.float32)


def white(generator: np.random.Generator, frames: int) -> Samples:
    """Return white Gaussian noise, unit RMS."""
    return generator.standard_normal(frames, np.float32)


def add_drops(generator: np.random.Generator, bed: Samples) -> None:
    """Add rain drops of random strength, each a click of a few milliseconds, to a unit bed."""
    grain = np.exp(-np.arange(200) / 25) * np.sin(2 * np.pi * np.arange(200) * 3500 / RATE)
    count = generator.poisson(DROPS_A_S * len(bed) / RATE)
    for at in generator.integers(0, len(bed) - len(grain), count):
        bed[at : at + len(grain)] += grain * np.float32(generator.exponential(1.5))


def add_motor(generator: np.random.Generator, bed: Samples) -> None:
    """Add a motor's tones to a unit bed: near the mains' frequency and never on it."""
    lines = MOTOR_HZ[generator.integers(len(MOTOR_HZ))]
    time_s = np.arange(len(bed)) / RATE
    slip = 1 + 0.002 * np.sin(2 * np.pi * 0.11 * time_s + generator.uniform(0, 6))
    for order, hz in enumerate(lines):
        phase = 2 * np.pi * hz * np.cumsum(slip) / RATE + generator.uniform(0, 6)
        bed += np.float32(0.5 / (1 + order)) * np.sin(phase).astype(np.float32)


def levels_over_time(generator: np.random.Generator, kind: str, frames: int) -> Samples:
    """Return the bed's gain over time: cars pass, air conditioning switches, doors close."""
    if kind == "traffic":
        knots = max(4, round(frames / RATE / 4))
        steps_db = generator.normal(0, 4, knots)
        gain_db = np.interp(np.arange(frames), np.linspace(0, frames, knots), steps_db)
    elif generator.random() < 0.3:
        at = generator.uniform(0.3, 0.8) * frames
        ramp = generator.uniform(0.05, 0.5) * RATE
        step_db = generator.choice([-1, 1]) * generator.uniform(4, 12)
        gain_db = np.interp(np.arange(frames), [at, at + ramp], [0, step_db])
    else:
        return np.ones(frames, np.float32)
    return np.asarray(10 ** (gain_db / 20), np.float32)


def bed(generator: np.random.Generator, kind: str, frames: int) -> Samples:
    """Return one bed of room tone of a kind, about unit RMS."""
    noise = shaped_noise(generator, frames, KINDS[kind])
    if kind == "rain":
        add_drops(generator, noise)
    if kind == "ventilation":
        add_motor(generator, noise)
    return noise * levels_over_time(generator, kind, frames)
