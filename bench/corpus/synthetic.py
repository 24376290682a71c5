"""Speech-like and music-like recordings made by seed: for tests, and where there is no network.

Not a substitute for voices: a pulse train through three wandering formants, broken into syllables
and words, with bursts of high-passed noise for consonants. No result of ``docs/accuracy.md`` comes
from it.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from bench.corpus.material import Kind, Material, Recording, Samples

RATE = 16000
VOICES = 4
EACH = 12


def _resonance(samples: Samples, centre_hz: float, width_hz: float) -> Samples:
    """Pass one formant: a window in the spectrum, which is enough for a test signal."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    gain = 1 / (1 + ((hz - centre_hz) / width_hz) ** 2)
    return np.asarray(np.fft.irfft(spectrum * gain, len(samples)), np.float32)


def utterance(generator: np.random.Generator, pitch_hz: float, seconds: float) -> Samples:
    """Return one speech-like phrase at 16 kHz, peak 0.5."""
    frames = round(seconds * RATE)
    wander = np.interp(np.arange(frames), np.linspace(0, frames, 6), generator.normal(1, 0.08, 6))
    phase = np.cumsum(pitch_hz * wander / RATE)
    pulses = (np.diff(np.floor(phase), prepend=0) > 0).astype(np.float32)
    breath = generator.standard_normal(frames).astype(np.float32)
    voiced = sum(
        (_resonance(pulses, centre, width) * np.float32(level))
        for centre, width, level in ((600, 120, 1.0), (1500, 180, 0.5), (2500, 250, 0.25))
    )
    syllables = np.clip(np.sin(np.cumsum(generator.uniform(2, 7, frames)) * np.pi / RATE), 0, 1)
    consonants = _resonance(breath, 5500, 1200) * (syllables < 0.1) * np.float32(0.05)
    mixed = voiced * syllables.astype(np.float32) + consonants
    mixed *= np.minimum(1, np.minimum(np.arange(frames), np.arange(frames)[::-1]) / 400)
    return np.asarray(0.5 * mixed / np.abs(mixed).max(), np.float32)


def _tune(generator: np.random.Generator, seconds: float) -> Samples:
    """Return a few seconds of plucked notes at 16 kHz, peak 0.5."""
    time_s = np.arange(round(seconds * RATE)) / RATE
    out = np.zeros(len(time_s))
    for start_s in np.arange(0, seconds, 0.25):
        since_s = np.maximum(time_s - start_s, 0)
        note_hz = 220 * 2 ** (generator.integers(0, 24) / 12)
        out += np.sin(2 * np.pi * note_hz * since_s) * np.exp(-6 * since_s) * (time_s >= start_s)
    return np.asarray(0.5 * out / np.abs(out).max(), np.float32)


def _recording(name: str, kind: Kind, voice: str, samples: Samples) -> Recording:
    codes: NDArray[np.int16] = np.rint(samples * 32767).astype(np.int16)
    return Recording(name=name, kind=kind, voice=voice, rate=RATE, samples=codes)


@cache
def material() -> Material:
    """Return a small set of made-up recordings, the same every time."""
    generator = np.random.default_rng(20)
    found = []
    for voice in range(VOICES):
        for index in range(EACH):
            samples = utterance(generator, 100 + 30 * voice, 1 + index % 3)
            name = f"synthetic/voice{voice}/{index}"
            found.append(_recording(name, "speech", f"synthetic {voice}", samples))
    for index in range(4):
        samples = _tune(generator, 6.0)
        found.append(_recording(f"synthetic/tune/{index}", "music", "synthetic", samples))
    return Material(recordings=tuple(found), synthetic=True)
