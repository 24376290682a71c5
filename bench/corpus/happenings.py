"""What is played and done in a take, as dry tracks: dialogue, the slate, props, music.

Levels are relative to a voice at one metre, whose active parts have RMS 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.corpus.material import RATE, Half, Material, Recording, Samples, at_48_khz

SLATE_S = 10.0  # announcement, clap and shout; DESIGN's grace after the roll
FRAME = RATE // 50
ACTIVE_DB = -25.0  # a 20 ms frame this far under the loudest one is a pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Something that happens from sample ``start`` to ``end`` (exclusive)."""

    kind: str
    start: int
    end: int
    channels: tuple[int, ...] = ()
    speaker: int | None = None


def active_rms(samples: Samples) -> float:
    """Return the RMS of the frames that hold speech."""
    whole = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    energies = np.mean(whole**2, axis=1)
    loud = energies[energies > energies.max() * 10 ** (ACTIVE_DB / 10)]
    return float(np.sqrt(loud.mean())) if len(loud) else 1.0


def spoken(generator: np.random.Generator, recording: Recording, pitch: float) -> Samples:
    """Return a recording at 48 kHz, active RMS 1, shifted in pitch and tempo by ``pitch``."""
    samples = at_48_khz(recording, folded=bool(generator.random() < 0.8))
    if pitch != 1.0:
        at = np.arange(0, len(samples) - 1, pitch)
        samples = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    return samples / np.float32(max(active_rms(samples), 1e-6))


def _add(track: Samples, at: int, samples: Samples, gain: float = 1.0) -> int:
    """Add samples to a track from ``at`` on, as far as it reaches; return where they end."""
    end = min(len(track), at + len(samples))
    if end > at:
        track[at:end] += np.float32(gain) * samples[: end - at]
    return max(end, at)


@dataclass(slots=True, kw_only=True)
class Dialogue:
    """Every speaker's dry track, when who speaks, and the names of the recordings used."""

    tracks: list[Samples]
    spans: list[Span]
    used: set[str]


def dialogue(
    generator: np.random.Generator, material: Material, half: Half, frames: int, speakers: int
) -> Dialogue:
    """Return a conversation that begins after the slate: turns, pauses, now and then an overlap."""
    voices = material.voices(half)
    names = sorted(voices, key=lambda name: -len(voices[name]))[:5]
    cast = [names[i] for i in generator.integers(0, len(names), speakers)]
    pitches = [float(generator.choice([0.92, 1.0, 1.0, 1.07])) for _ in cast]
    made = Dialogue(tracks=[np.zeros(frames, np.float32) for _ in cast], spans=[], used=set[str]())
    at = round(SLATE_S * RATE)
    while at < frames:
        who = int(generator.integers(speakers))
        for _ in range(int(generator.integers(1, 4))):
            if at >= frames:
                break
            recording = voices[cast[who]][generator.integers(len(voices[cast[who]]))]
            gain = 10 ** (generator.normal(0, 3) / 20)
            end = _add(made.tracks[who], at, spoken(generator, recording, pitches[who]), gain)
            made.used.add(recording.name)
            made.spans.append(Span(kind="speech", start=at, end=end, speaker=who))
            at = end + round(generator.uniform(0.05, 0.3) * RATE)
        pause_s = float(generator.lognormal(-0.3, 0.8)) - 0.25  # below zero: an overlap
        at = max(at + round(min(pause_s, 6.0) * RATE), 0)
    return made


def clap(generator: np.random.Generator) -> Samples:
    """Return the sticks of a slate: 1 ms to the top, broad-band, gone in 30 to 80 ms."""
    frames = round(0.15 * RATE)
    time_s = np.arange(frames) / RATE
    body = np.sin(2 * np.pi * generator.uniform(900, 1600) * time_s)
    noise = generator.standard_normal(frames)
    envelope = np.minimum(time_s / 0.001, 1) * np.exp(-time_s / generator.uniform(0.006, 0.015))
    return np.asarray(envelope * (noise + body), np.float32)


def slate(
    generator: np.random.Generator, material: Material, half: Half, frames: int
) -> tuple[Samples, list[Span], set[str]]:
    """Return the slate's track: announcement, clap, a shout, all in the first 10 s."""
    track = np.zeros(frames, np.float32)
    lines = material.of(half, "speech")
    first, second = (lines[i] for i in generator.integers(0, len(lines), 2))
    limit = round(SLATE_S * RATE)
    start = round(generator.uniform(0.4, 1.5) * RATE)
    spoken_end = _add(track, start, spoken(generator, first, 1.0)[: 3 * RATE])
    at = spoken_end + round(generator.uniform(0.2, 1.0) * RATE)
    _add(track, at, clap(generator), 10 ** (generator.uniform(18, 30) / 20))
    shout = round(generator.uniform(6.5, 7.5) * RATE)
    gain = 10 ** (generator.uniform(8, 16) / 20)
    _add(track, shout, spoken(generator, second, 1.05)[: limit - shout], gain)
    spans = [Span(kind="slate", start=0, end=min(limit, frames))]
    return track, spans, {first.name, second.name}


def _thud(generator: np.random.Generator, low_hz: float, decay_s: float, edge: float) -> Samples:
    """Return a blow: a falling low tone under a burst of noise whose weight is ``edge``."""
    frames = round(8 * decay_s * RATE)
    time_s = np.arange(frames) / RATE
    tone = np.sin(2 * np.pi * low_hz * time_s * (1 - 0.2 * time_s))
    crack = generator.standard_normal(frames) * np.exp(-time_s / 0.004)
    onset = np.minimum(time_s / 0.0008, 1)
    return np.asarray(onset * (tone * np.exp(-time_s / decay_s) + edge * crack), np.float32)


def props(generator: np.random.Generator, frames: int) -> tuple[Samples, list[Span]]:
    """Return what is done on set: footsteps, doors, things put down."""
    track = np.zeros(frames, np.float32)
    spans = []
    first = round(SLATE_S * RATE)
    if generator.random() < 0.5:  # somebody walks
        at = int(generator.uniform(first, max(frames, first + 1)))
        loud = 10 ** (generator.uniform(-16, 2) / 20)
        for _ in range(int(generator.integers(4, 16))):
            end = _add(track, at, _thud(generator, generator.uniform(70, 140), 0.02, 0.3), loud)
            spans.append(Span(kind="step", start=at, end=end))
            at += round(generator.normal(0.52, 0.03) * RATE)
    for kind, chance, low_hz, decay_s, level_db in (
        ("door", 0.4, 60, 0.12, (6, 18)),
        ("put down", 0.7, 300, 0.01, (0, 12)),
        ("put down", 0.7, 900, 0.005, (0, 10)),
    ):
        if generator.random() < chance and frames > first:
            at = int(generator.uniform(first, frames))
            blow = _thud(generator, low_hz * generator.uniform(0.8, 1.2), decay_s, 0.5)
            end = _add(track, at, blow, 10 ** (generator.uniform(*level_db) / 20))
            spans.append(Span(kind=kind, start=at, end=end))
    return track, spans


def music(
    generator: np.random.Generator, pieces: Sequence[Recording], frames: int
) -> tuple[Samples, set[str]]:
    """Return music played on set from the slate's end on, one piece over and over."""
    track = np.zeros(frames, np.float32)
    piece = pieces[int(generator.integers(len(pieces)))]
    whole = at_48_khz(piece)
    if len(whole) > frames:
        start = int(generator.integers(len(whole) - frames + 1))
        whole = whole[start : start + frames]
    whole = whole / np.float32(max(active_rms(whole), 1e-6))
    at, gain = round(SLATE_S * RATE), 10 ** (generator.uniform(-16, -4) / 20)
    while at < frames:
        at = _add(track, at, whole, gain)
    return track, {piece.name}
