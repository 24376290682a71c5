"""Rooms: impulse responses by first images and a decaying tail, and fast convolution with them.

A shoebox room: the direct path and the six first-order images (Allen and Berkley, 1979, "Image
method for efficiently simulating small-room acoustics"), each weakened by what Eyring's equation
says the walls absorb at this T60 and by what they scatter; then exponentially decaying noise. All
reflections together have the energy that follows from the critical distance 0.057·sqrt(V/T60)
(Kuttruff, Room Acoustics, section 5.5): noise is what the images leave of it. Between microphones
that hang apart, noise is as coherent as in a diffuse field (Cook et al., 1955).
Synthetic: real rooms have modes, and real microphones directions and colour.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

from bench.corpus.material import RATE, Samples

SPEED_OF_SOUND_M_S = 343.0
LENGTH = 20000  # samples of a response: 0.42 s, -60 dB at the shortest reverberation, -40 at most
BLOCK = 65536  # FFT length of the overlap-save convolution
HOP = BLOCK - LENGTH + 1
NEAREST_M = 0.15  # a lavalier on its wearer's chest
FROM_WALL_M = 0.1
DECAY = 6.91  # of an amplitude in one reverberation time: -60 dB
XY_COHERENCE = 0.75  # of a diffuse field in two cardioids that hang as one and look 90° apart

Point = NDArray[np.float64]
Spectrum = NDArray[np.complex64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A shoebox: its size in metres, reverberation time and how much its walls scatter.

    ``scattered``: the share of the reflected energy that does not leave as from a mirror.
    """

    size_m: Point
    reverberation_s: float
    scattered: float

    @property
    def critical_distance_m(self) -> float:
        """Return where direct and reverberant sound are equal."""
        return float(0.057 * np.sqrt(np.prod(self.size_m) / self.reverberation_s))

    @property
    def absorbed(self) -> float:
        """Return the share of energy a wall absorbs, by Eyring: T60 = 0.161·V / (-S·ln(1 - a))."""
        x, y, z = self.size_m
        walls_m2 = 2 * (x * y + y * z + z * x)
        return float(-np.expm1(-0.161 * x * y * z / (walls_m2 * self.reverberation_s)))

    @property
    def mirrored(self) -> float:
        """Return the amplitude of a wall's mirror image."""
        return float(np.sqrt((1 - self.absorbed) * (1 - self.scattered)))

    def inside(self, point: Point) -> Point:
        """Return the point, moved off the walls where it is nearer than a microphone hangs."""
        return np.asarray(np.clip(point, FROM_WALL_M, self.size_m - FROM_WALL_M), np.float64)


def room(generator: np.random.Generator) -> Room:
    """Draw a room: from a car-sized set to a hall, T60 0.15 to 0.9 s."""
    size_m = generator.uniform([3, 3, 2.3], [12, 16, 5])
    return Room(
        size_m=size_m,
        reverberation_s=float(generator.uniform(0.15, 0.9)),
        scattered=float(generator.uniform(0.1, 0.6)),  # ISO 17497-1: bare walls to furnished sets
    )


def paths(place: Room, source: Point, microphone: Point) -> tuple[Point, Point]:
    """Return the direct path's and the six first reflections' lengths in metres and gains."""
    images = [source]
    for axis in range(3):
        for wall in (0.0, place.size_m[axis]):
            image = source.copy()
            image[axis] = 2 * wall - image[axis]
            images.append(image)
    lengths_m = np.maximum(np.linalg.norm(np.array(images) - microphone, axis=1), NEAREST_M)
    gains = np.where(np.arange(7) == 0, 1.0, place.mirrored) / lengths_m
    return lengths_m, gains


def late_energy(place: Room, lengths_m: Point, gains: Point) -> float:
    """Return the energy of all reflections but the first ones, the direct sound's at 1 m being 1.

    At least what the field's decay leaves after the last of those.
    """
    whole = 1 / place.critical_distance_m**2
    last_s = float(lengths_m.max()) / SPEED_OF_SOUND_M_S
    after = whole * float(np.exp(-2 * DECAY * last_s / place.reverberation_s))
    return max(whole - float(np.sum(gains[1:] ** 2)), after)


def diffuse(field: Samples, other: Samples, apart_m: float) -> Samples:
    """Return a diffuse field as it is heard ``apart_m`` from where it is ``field``.

    ``other`` is independent noise of the same spectrum and length. The coherence is
    sin(kd) / kd; at no distance that of two cardioids that look apart.
    """
    hz = np.fft.rfftfreq(len(field), 1 / RATE)
    shared = np.sinc(2 * hz * apart_m / SPEED_OF_SOUND_M_S) if apart_m else XY_COHERENCE
    spectrum = shared * rfft(field) + np.sqrt(1 - np.square(shared)) * rfft(other)
    return np.asarray(irfft(spectrum, len(field)), np.float32)


def response(
    place: Room, source: Point, microphone: Point, tail: Samples, *, gain: float = 1.0
) -> Samples:
    """Return a response of LENGTH samples; at 1 m the direct sound has gain 1.

    ``tail`` is white noise of LENGTH samples, the late field where the microphone hangs.
    """
    lengths_m, gains = paths(place, source, microphone)
    delays = np.rint(lengths_m / SPEED_OF_SOUND_M_S * RATE).astype(np.int64)
    out = np.zeros(LENGTH, np.float32)
    np.add.at(out, delays[delays < LENGTH], gains[delays < LENGTH])
    time_s = np.arange(LENGTH) / RATE
    decay = np.exp(-DECAY * time_s / place.reverberation_s)
    decay[: delays[0] + 200] = 0.0
    late = decay * tail
    energy = late_energy(place, lengths_m, gains)
    late *= np.sqrt(energy / max(float(np.sum(late**2)), 1e-12))
    return np.asarray(gain * (out + late), np.float32)


def colour(low_cut_hz: float, high_cut_hz: float) -> NDArray[np.float32]:
    """Return a microphone's magnitude over the bins of BLOCK: a low cut, a softer top."""
    hz = np.maximum(np.arange(BLOCK // 2 + 1) * RATE / BLOCK, 0.1)
    low = 1 / np.sqrt(1 + (low_cut_hz / hz) ** 4)
    high = 1 / np.sqrt(1 + (hz / high_cut_hz) ** 2)
    return np.asarray(low * high, np.float32)


class Sources:
    """Dry tracks of one take, transformed once, heard by any number of microphones."""

    def __init__(self, tracks: list[Samples]) -> None:
        self._frames = len(tracks[0])
        self._blocks = -(-self._frames // HOP)
        self._spectra = [self._transformed(track) for track in tracks]

    def _transformed(self, track: Samples) -> list[Spectrum | None]:
        padded = np.zeros(LENGTH - 1 + self._blocks * HOP, np.float32)
        padded[LENGTH - 1 : LENGTH - 1 + len(track)] = track
        windows = (padded[i * HOP : i * HOP + BLOCK] for i in range(self._blocks))
        return [rfft(window) if window.any() else None for window in windows]

    def heard(self, responses: list[Samples], shape: NDArray[np.float32]) -> Samples:
        """Return what a microphone hears: every track through its response, then its colour."""
        filters = [rfft(response, BLOCK) * shape for response in responses]
        out = np.zeros(self._blocks * HOP, np.float32)
        for index in range(self._blocks):
            sounding = [
                spectrum[index] * filtered
                for spectrum, filtered in zip(self._spectra, filters, strict=True)
                if spectrum[index] is not None
            ]
            if sounding:
                total = sum(sounding[1:], start=sounding[0])
                out[index * HOP : (index + 1) * HOP] = irfft(total, BLOCK)[LENGTH - 1 :]
        return out[: self._frames]
