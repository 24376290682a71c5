"""Real recordings to build takes from, fetched by the package manager and never committed.

``apt-get download`` puts Debian packages into a cache folder, ``dpkg-deb -x`` unpacks them there
(nothing is installed, no root needed), PyAV decodes each file once. Every recording belongs to one
of two halves by a hash of its name, so that nothing is tuned on what is reported.

What is real: the voices and the music. What is not: rooms, microphones, wind (see ``takes``).
Most speech was sampled at 16 kHz; ``at_48_khz`` says what is done about the empty octave.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.corpus import own_hum

RATE = 48000
Half = Literal["tune", "held_out"]
HALVES: tuple[Half, ...] = ("tune", "held_out")
Kind = Literal["speech", "music"]
Samples = NDArray[np.float32]

TAPS_A_PHASE = 20
SHORTEST_S = 0.4  # a shorter prompt is a beep or a breath
FULL_SCALE_TOP = 0.985  # a source file that reaches this may be clipped itself: not clean material


class MaterialMissing(Exception):
    """The recordings are not here and could not be fetched; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One Debian package of recordings and what is known of it."""

    name: str
    kind: Kind
    suffixes: tuple[str, ...]
    folder: str
    voice: str
    licence: str
    skip: tuple[str, ...] = ()


def _prompts(language: str, voice: str, licence: str) -> Package:
    return Package(
        name=f"asterisk-core-sounds-{language}-g722",
        kind="speech",
        suffixes=(".g722",),
        folder="usr/share/asterisk/sounds",
        voice=voice,
        licence=licence,
        skip=("silence/", "beep", "tone", "fpm-", "1000hz", "milliwatt", "confbridge-join"),
    )


PACKAGES: tuple[Package, ...] = (
    _prompts("en", "Allison Smith, US English, 16 kHz", "CC BY-SA 3.0"),
    _prompts("fr", "June Wallack, Canadian French, 16 kHz", "CC BY-SA 3.0"),
    _prompts("es", "Mexican Spanish, 16 kHz", "CC BY-SA 3.0"),
    _prompts("it", "Italian, 16 kHz", "CC BY-SA 3.0"),
    _prompts("ru", "Maxim Topal, Russian, 16 kHz", "CC BY 3.0"),
    Package(
        name="alsa-utils",
        kind="speech",
        suffixes=(".wav",),
        folder="usr/share/sounds/alsa",
        voice="US English, 48 kHz",
        licence="GPL-2+",
        skip=("Noise",),
    ),
    Package(
        name="sonic-pi-samples",
        kind="music",
        suffixes=(".flac",),
        folder="usr/share",
        voice="loops, drums and ambiences, 44.1 kHz",
        licence="CC0 mostly",
        skip=("vinyl_", "glitch_", "elec_", "bd_", "bass_", "misc_", "mehackit_"),
    ),
    Package(
        name="asterisk-moh-opsound-g722",
        kind="music",
        suffixes=(".g722",),
        folder="usr/share/asterisk/moh",
        voice="five pieces of music, 16 kHz",
        licence="CC BY-SA 3.0",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One source file, decoded to mono int16 at its own rate."""

    name: str
    kind: Kind
    voice: str
    rate: int
    samples: NDArray[np.int16]
    hum_hz: float | None = None
    """Of the mains hum it had of its own, which was taken out."""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All recordings there are."""

    recordings: tuple[Recording, ...]
    synthetic: bool = False

    def of(self, half: Half, kind: Kind) -> list[Recording]:
        """Return one half's recordings of a kind, in a fixed order."""
        return [r for r in self.recordings if r.kind == kind and half_of(r.name) == half]

    def voices(self, half: Half) -> dict[str, list[Recording]]:
        """Return one half's speech by voice."""
        found: dict[str, list[Recording]] = {}
        for recording in self.of(half, "speech"):
            found.setdefault(recording.voice, []).append(recording)
        return found

    def minutes(self, half: Half, kind: Kind) -> float:
        """Return how much distinct material one half holds."""
        return sum(recording.seconds for recording in self.of(half, kind)) / 60


def half_of(name: str) -> Half:
    """Return the half a source file belongs to, by a hash of its name alone."""
    return HALVES[hashlib.sha256(name.encode()).digest()[0] & 1]


def cache_folder() -> Path:
    """Return where packages and decoded recordings are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "takewatch" / "corpus"


@cache
def load() -> Material:
    """Return all recordings, fetching and decoding what is not in the cache yet.

    Raises ``MaterialMissing`` where there is no apt, no network or no package list.
    """
    found = [_without_own_hum(one) for package in PACKAGES for one in _recordings(package)]
    return Material(recordings=tuple(found))


def _recordings(package: Package) -> list[Recording]:
    """Return one package's recordings from the cache, decoding them first where need be."""
    kept = cache_folder() / f"{package.name}.npy"
    index = kept.with_suffix(".json")
    if not index.exists():
        _decode_all(package, kept, index)
    samples = np.load(kept, mmap_mode="r")
    return [
        Recording(
            name=entry["name"],
            kind=package.kind,
            voice=package.voice,
            rate=entry["rate"],
            samples=samples[entry["start"] : entry["end"]],
        )
        for entry in json.loads(index.read_text())
    ]


def _without_own_hum(recording: Recording) -> Recording:
    """Return a recording without its own mains hum; the shortest are not asked."""
    if recording.seconds < own_hum.SHORTEST_S:
        return recording
    samples = recording.samples.astype(np.float32)
    hum_hz = own_hum.fundamental_of(samples, recording.rate)
    if hum_hz is None:
        return recording
    cleaned = np.rint(own_hum.without_hum(samples, recording.rate, hum_hz)).clip(-32768, 32767)
    return replace(recording, samples=cleaned.astype(np.int16), hum_hz=hum_hz)


def _decode_all(package: Package, kept: Path, index: Path) -> None:
    unpacked = _unpacked(package)
    entries, parts, at = [], [], 0
    for path in sorted((unpacked / package.folder).rglob("*")):
        name = f"{package.name}/{path.relative_to(unpacked / package.folder)}"
        if path.suffix not in package.suffixes or any(word in name for word in package.skip):
            continue
        rate, samples = decode(path)
        if len(samples) < SHORTEST_S * rate or np.abs(samples).max() > FULL_SCALE_TOP:
            continue
        parts.append(np.rint(samples * 32767).astype(np.int16))
        entries.append({"name": name, "rate": rate, "start": at, "end": at + len(samples)})
        at += len(samples)
    if not parts:
        raise MaterialMissing(f"{package.name}: no usable recording in {unpacked}")
    partial = kept.with_suffix(f".{os.getpid()}.npy")
    np.save(partial, np.concatenate(parts))
    partial.rename(kept)
    written = index.with_suffix(f".{os.getpid()}.json")
    written.write_text(json.dumps(entries))
    written.rename(index)  # last: it says that the samples are whole
    shutil.rmtree(unpacked)


def _unpacked(package: Package) -> Path:
    """Download one package and unpack it beside the cache; return the folder."""
    folder = cache_folder() / f"{package.name}.{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MaterialMissing(
            f"the corpus is made from Debian packages such as {package.name}, and this system has "
            f"no apt-get and dpkg-deb to fetch them with; copy {cache_folder()} from one that has"
        )
    command = ["apt-get", "-qq", "download", package.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    archives = list(folder.glob("*.deb"))
    if done.returncode or not archives:
        said = done.stderr.strip().splitlines()[-1:] or ["nothing was downloaded"]
        raise MaterialMissing(
            f"could not download {package.name} ({said[0]}); it needs a network and package lists "
            "(apt-get update), once: later runs read the cache"
        )
    unpack = ["dpkg-deb", "-x", str(archives[0]), str(folder)]
    subprocess.run(unpack, check=True, capture_output=True)
    return folder


def decode(path: Path) -> tuple[int, Samples]:
    """Decode one file to mono float32; return its rate and samples."""
    import av

    raw = "g722" if path.suffix == ".g722" else None
    with av.open(str(path), format=raw) as container:
        stream = container.streams.audio[0]
        rate = stream.rate
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        parts = [
            out.to_ndarray()[0]
            for frame in container.decode(stream)
            for out in resampler.resample(frame)
        ]
    samples = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    return rate, samples.astype(np.float32)


@cache
def _interpolator(up: int, *, folded: bool) -> Samples:
    """Return the low-pass of an integer upsampling as phases, (up, taps a phase).

    ``folded`` lets the images above the old Nyquist frequency through, sinking from -14 to -50 dB:
    spectral folding (Makhoul and Berouti, 1979, "High-frequency regeneration in speech coding
    systems"), so that consonants reach up as they do in front of a microphone.
    """
    edge = 1 / up
    images_db = [-14, -42, -50] if folded else [-90, -90, -90]
    knots = [0, 0.94 * edge, 1.06 * edge, min(1.5 * edge, 0.99), 1.0]
    gains = [1.0, 1.0, *(10 ** (db / 20) for db in images_db)]
    length = TAPS_A_PHASE * up
    response = np.interp(np.linspace(0, 1, 513), knots, gains)
    centred = np.roll(np.fft.irfft(response), length // 2)[:length] * np.hamming(length)
    return np.asarray(up * centred.reshape(-1, up).T, np.float32)


def at_48_khz(recording: Recording, *, folded: bool = True) -> Samples:
    """Return a recording at 48 kHz; what was sampled at 16 kHz gets its upper band by folding."""
    samples = recording.samples.astype(np.float32) / np.float32(32768)
    if recording.rate == RATE:
        return samples
    up, over = divmod(RATE, recording.rate)
    if over:
        return _resampled(samples, recording.rate)
    phases = _interpolator(up, folded=folded)
    return np.stack([np.convolve(samples, phase) for phase in phases], axis=1).ravel()


def _resampled(samples: Samples, rate: int) -> Samples:
    """Return a whole file at 48 kHz by its spectrum, a second of silence after it."""
    padded = np.pad(samples, (0, rate))  # so that the end does not leak into the beginning
    frames = round(len(padded) * RATE / rate)
    spectrum = np.fft.rfft(padded)[: frames // 2 + 1]
    made = np.fft.irfft(spectrum, frames)[: round(len(samples) * RATE / rate)]
    return np.asarray(made * (RATE / rate), np.float32)


def describe(material: Material, halves: Sequence[Half] = HALVES) -> list[str]:
    """Return lines about how much distinct material stands behind each half."""
    return [
        f"{half}: {material.minutes(half, 'speech'):.1f} min of speech in "
        f"{len(material.of(half, 'speech'))} recordings by {len(material.voices(half))} voices, "
        f"{material.minutes(half, 'music'):.1f} min of music in "
        f"{len(material.of(half, 'music'))}, "
        f"{sum(one.hum_hz is not None for one in material.recordings if half_of(one.name) == half)}"
        " of all rid of their own hum"
        for half in halves
    ]
