"""Speech-like sound for the practice feeds: two voices, eight microphones, one room.

Everything is computed once, as a loop that repeats without a seam, so that playing it costs a
copy. The voices are pulses through formants (Peterson and Barney 1952, table II) in syllables
and phrases; nobody can be understood, but meters, loudness and detectors see dialogue.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NAMES = ("Mix L", "Mix R", "Boom", "Ana", "Joe", "Plant", "Amb L", "Amb R")
LOOP_S = 20
LONG_LOOP_CHANNELS = 8  # above this the loop is shorter, so that 32 channels stay under 60 MB
SHORT_LOOP_S = 8

VOWELS_HZ = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (300, 870, 2240),
    (530, 1840, 2480),
    (570, 840, 2410),
    (490, 1350, 1690),
)
BANDWIDTHS_HZ = (80.0, 110.0, 160.0)

Signal = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One speaker: pitch, and how much shorter than a grown man's the vocal tract is."""

    pitch_hz: float
    tract: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Microphone:
    """How one channel hears the room: gains in dB, the voices' delays, and its own noise."""

    ana_db: float
    joe_db: float
    ana_s: float = 0.0
    joe_s: float = 0.0
    reverb_db: float = -40.0
    noise_dbfs: float = -64.0


ANA = Voice(pitch_hz=205.0, tract=1.16)
JOE = Voice(pitch_hz=112.0, tract=1.0)
MICROPHONES = (
    Microphone(ana_db=-1.0, joe_db=-2.0, reverb_db=-30, noise_dbfs=-62),
    Microphone(ana_db=-2.0, joe_db=-1.0, reverb_db=-30, noise_dbfs=-62),
    Microphone(ana_db=-4, joe_db=-5, ana_s=0.0026, joe_s=0.0031, reverb_db=-25, noise_dbfs=-60),
    Microphone(ana_db=0, joe_db=-21, joe_s=0.0048, reverb_db=-30, noise_dbfs=-66),
    Microphone(ana_db=-22, joe_db=-0.5, ana_s=0.0048, reverb_db=-30, noise_dbfs=-65),
    Microphone(ana_db=-12, joe_db=-9, ana_s=0.0075, joe_s=0.0061, reverb_db=-22, noise_dbfs=-58),
    Microphone(ana_db=-22, joe_db=-25, ana_s=0.011, joe_s=0.013, reverb_db=-32, noise_dbfs=-48),
    Microphone(ana_db=-25, joe_db=-22, ana_s=0.013, joe_s=0.011, reverb_db=-32, noise_dbfs=-48),
)
VOICE_DBFS = -23.0  # while a syllable sounds, on the speaker's own microphone
PEAK_DBFS = -10.5  # under the −9 dBFS permitted maximum of EBU R 68


def channel_names(channels: int) -> tuple[str, ...]:
    """Return the names of the first ``channels``: the eight microphones, then plain isos."""
    return tuple(
        NAMES[index] if index < len(NAMES) else f"Iso {index + 1}" for index in range(channels)
    )


def _tract(frequencies_hz: Signal, vowel: int, tract: float) -> NDArray[np.complex64]:
    """Return the transfer function of lips, tract and glottis for one vowel."""
    f = np.maximum(frequencies_hz, 1.0)
    response = (1j * f / 500.0) / (1.0 + 1j * f / 260.0) ** 2
    for formant_hz, width_hz in zip(VOWELS_HZ[vowel], BANDWIDTHS_HZ, strict=True):
        centre = formant_hz * tract
        response = response * centre**2 / (centre**2 - f**2 + 1j * f * width_hz)
    return response.astype(np.complex64)


def _syllable(random: np.random.Generator, voice: Voice, rate_hz: int, pitch: float) -> Signal:
    """Return one syllable: maybe a consonant's hiss, then a vowel, fading both ways."""
    count = int(rate_hz * random.uniform(0.13, 0.27))
    t = np.arange(count, dtype=np.float32) / count
    f0 = voice.pitch_hz * pitch * (1.06 - 0.12 * t + 0.012 * np.sin(40 * t))
    phase = np.cumsum(f0) / rate_hz
    pulses = np.zeros(count, np.float32)
    pulses[1:] = np.diff(np.floor(phase)) * rate_hz / 2000
    pulses += random.standard_normal(count).astype(np.float32) * 0.12
    size = 1 << (2 * count - 1).bit_length()
    frequencies = np.fft.rfftfreq(size, 1 / rate_hz).astype(np.float32)
    spectrum = np.fft.rfft(pulses, size) * _tract(
        frequencies, int(random.integers(len(VOWELS_HZ))), voice.tract
    )
    spectrum *= np.exp(-1j * np.pi * (frequencies / 1800.0) ** 2 * 2.5)  # spreads the peaks
    sound = np.fft.irfft(spectrum, size)[:count].astype(np.float32)
    sound *= np.minimum(1, np.minimum(t / 0.18, (1 - t) / 0.4)) ** 1.5
    if random.random() < 0.45:
        sound[: count // 4] += _hiss(random, count // 4, float(np.std(sound)))
    return sound


def _hiss(random: np.random.Generator, count: int, level: float) -> Signal:
    """Return a consonant: noise, tilted upwards."""
    noise = random.standard_normal(count + 1)
    return (np.diff(noise) * np.hanning(count) * level * 0.55).astype(np.float32)


def _turns(random: np.random.Generator, loop_s: float) -> list[tuple[int, float, float]]:
    """Return who speaks when, as (voice, start, end) in seconds: taking turns, with pauses."""
    turns: list[tuple[int, float, float]] = []
    start_s, who = 0.4, 0
    while True:
        end_s = start_s + random.uniform(1.2, 2.8)
        if end_s > loop_s - 0.5:
            return turns
        turns.append((who, start_s, end_s))
        start_s = end_s + random.uniform(0.35, 0.9)
        who = 1 - who if random.random() < 0.8 else who


def _speak(random: np.random.Generator, rate_hz: int, loop_s: float) -> tuple[Signal, Signal]:
    """Return both voices, each at ``VOICE_DBFS`` while it sounds."""
    voices = np.zeros((2, int(rate_hz * loop_s)), np.float32)
    for who, start_s, end_s in _turns(random, loop_s):
        at_s = start_s
        while at_s < end_s - 0.27:
            pitch = 1.08 - 0.16 * (at_s - start_s) / (end_s - start_s) + random.uniform(-0.05, 0.05)
            sound = _syllable(random, (ANA, JOE)[who], rate_hz, pitch)
            sound *= random.uniform(0.65, 1.0) / max(float(np.std(sound)), 1e-9)
            at = int(at_s * rate_hz)
            voices[who, at : at + len(sound)] += sound
            at_s += len(sound) / rate_hz * random.uniform(0.82, 1.05)
    sounding = np.abs(voices) > 0.01
    for voice, mask in zip(voices, sounding, strict=True):
        voice *= 10 ** (VOICE_DBFS / 20) / np.sqrt(np.mean(voice[mask] ** 2))
    return voices[0], voices[1]


def _room_noise(random: np.random.Generator, count: int, rate_hz: int, dbfs: float) -> Signal:
    """Return pink-ish noise that is periodic in ``count``, so that its loop has no seam."""
    frequencies = np.fft.rfftfreq(count, 1 / rate_hz).astype(np.float32)
    shape = 1 / np.sqrt(np.maximum(frequencies, 40.0)) * (frequencies > 20)
    phases = random.uniform(0, 2 * np.pi, len(shape)).astype(np.float32)
    noise = np.fft.irfft(shape * np.exp(1j * phases), count).astype(np.float32)
    return np.asarray(noise * np.float32(10 ** (dbfs / 20) / np.std(noise)), np.float32)


def _reverb(random: np.random.Generator, sound: Signal, rate_hz: int) -> Signal:
    """Return the sound's echo in a furnished room: noise that decays by 60 dB in 0.35 s."""
    count = int(rate_hz * 0.35)
    decay = 10 ** (-3 * np.arange(count) / count)
    tail = random.standard_normal(count) * decay
    tail[: int(rate_hz * 0.008)] = 0
    spectrum = np.fft.rfft(sound) * np.fft.rfft(tail / np.sqrt(np.sum(tail**2)), len(sound))
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def _gain(db: float) -> np.float32:
    return np.float32(10 ** (db / 20))


def loop(channels: int, rate_hz: int, seed: int) -> NDArray[np.int32]:
    """Return the loop, (frames, channels) int32, 24 bits left-justified; the same for a seed."""
    random = np.random.default_rng(seed)
    loop_s = LOOP_S if channels <= LONG_LOOP_CHANNELS else SHORT_LOOP_S
    ana, joe = _speak(random, rate_hz, loop_s)
    echo = _reverb(random, ana + joe, rate_hz)
    ceiling = _gain(PEAK_DBFS)
    result = np.empty((len(ana), channels), np.int32)
    for index in range(channels):
        microphone = MICROPHONES[index % len(MICROPHONES)]
        heard = np.roll(ana, int(microphone.ana_s * rate_hz)) * _gain(microphone.ana_db)
        heard += np.roll(joe, int(microphone.joe_s * rate_hz)) * _gain(microphone.joe_db)
        heard += np.roll(echo, index * 97) * _gain(microphone.reverb_db + 12)
        heard += _room_noise(random, len(ana), rate_hz, microphone.noise_dbfs)
        heard = np.tanh(heard / ceiling) * ceiling
        result[:, index] = np.rint(heard * (2**23 - 1)).astype(np.int32) << 8
    return result
