"""How two channels of a pair are alike: averaged cross-spectra, and what lags say of them.

Sign: the generalised cross-correlation (Knapp and Carter, 1976) with phase transform and weights
by coherence. Where both hear one thing, however late, it has peaks of that thing's sign: of a
microphone wired the wrong way round they are negative. Its skewness, the mean of its cube over all
lags of 10 ms either way at unit RMS, takes them all in: direct sound and early reflections. Sound
that has nothing in common gives 0, with a deviation of 0.1.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.hops import Samples

LOW_HZ: Final = 100.0  # below is rumble, which is alike everywhere
HIGH_HZ: Final = 4500.0  # above, reverberation is all there is: it made the evidence worse
REACH_S: Final = 0.010  # 3.4 m: microphones farther apart are no pair
LAG_S: Final = 1 / 12_000  # between lags: more than two to the highest frequency's period
NEAR_S: Final = 1 / 3000  # a copy is late by a few samples; 16 of 48 kHz spoil 0.07 % of a frame
ENOUGH: Final = 12  # frames in an average: 0.7 s of speech, 1 s of steady sound
BIAS: Final = 1.5  # of a coherence over n frames of unlike sound: about 1 / n; a little more is cut
BANDS_HZ: Final = (100.0, 400.0, 1600.0, 4500.0)
BAND_SHARE: Final = 1e-3  # of the power; a band that holds less is the converters' noise

TINY: Final = 1e-30  # what is divided by is never less

Products = NDArray[np.complex128]
Powers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What an average says. ``skewness``: see above. ``peak_s``: how much later the second is.

    ``coherence``: how much of what is heard is common and at that lag, 0 to 1. ``lag_s``: the lag
    within a third of a millisecond at which both are most alike, the same way up. There
    ``residual`` is the share of the power in which they differ at best gain, ``least`` the
    correlation of the band in which it is least. ``gain``: the second over the first. ``lines``:
    how many bins carry the sound; a tone's are two.
    """

    skewness: float
    peak_s: float
    coherence: float
    residual: float
    least: float
    lag_s: float
    gain: float
    lines: float


def _turns(hz: Powers, lags_s: Powers) -> NDArray[np.float32]:
    """Return what turns the parts of a spectrum into a correlation: shape (2 · bins, lags)."""
    turns = 2 * np.pi * np.outer(hz, lags_s)
    return np.concatenate([np.cos(turns), -np.sin(turns)]).astype(np.float32)


def _parts(spectrum: Products) -> NDArray[np.float32]:
    """Return real and imaginary parts one after the other."""
    return np.concatenate([spectrum.real, spectrum.imag]).astype(np.float32)


class Comparer:
    """The tables to compare frames of one length at one rate with."""

    def __init__(self, length: int, sample_rate_hz: int) -> None:
        hz = np.arange(length // 2 + 1) * sample_rate_hz / length
        top = min(HIGH_HZ, 0.45 * sample_rate_hz)
        self._bins = slice(int(np.searchsorted(hz, LOW_HZ)), int(np.searchsorted(hz, top)))
        self.hz = hz[self._bins]
        self._window = np.hanning(length).astype(np.float32)
        count = round(REACH_S / LAG_S)
        self._lags_s: Powers = np.arange(-count, count + 1, dtype=np.float64) * LAG_S
        self._lags = _turns(self.hz, self._lags_s)
        near = round(NEAR_S * sample_rate_hz)
        self._near_s: Powers = np.arange(-near, near + 1, dtype=np.float64) / sample_rate_hz
        self._near = _turns(self.hz, self._near_s)
        self._bands = [(self.hz >= low) & (self.hz < high) for low, high in pairwise(BANDS_HZ)]

    def products(self, frames: Samples) -> Products:
        """Return what averages are made of, each frame as weighty as any other.

        ``frames``, (frames, 2, length), must carry sound. The result has shape (frames, 3, bins):
        cross-spectra and the two power spectra, over the geometric mean of their powers.
        """
        bins = np.fft.rfft(frames * self._window)[..., self._bins]
        first, second = bins[:, 0], bins[:, 1]
        found = np.stack([second * first.conj(), first * first.conj(), second * second.conj()], 1)
        powers = found[:, 1:].real.sum(axis=2, dtype=np.float64)
        scales = np.sqrt(powers[:, 0] * powers[:, 1])
        return np.asarray(found / np.maximum(scales, TINY)[:, None, None], np.complex128)

    def compare(self, average: "Average") -> Likeness:
        """Return what an average says."""
        cross, first, second = average.sums[0], average.sums[1].real, average.sums[2].real
        size = np.abs(cross)
        coherence = size**2 / np.maximum(first * second, TINY)
        bias = BIAS / average.count
        weights = np.clip((coherence - bias) / (1 - bias), 0.0, 1.0)
        phases = weights * cross / np.maximum(size, TINY)
        lags = _parts(phases) @ self._lags
        root = float(np.sqrt(np.mean(lags**2)))
        peak = int(np.argmax(np.abs(lags)))
        best = int(np.argmax(_parts(cross) @ self._near))
        turned = (cross * np.exp(2j * np.pi * self.hz * self._near_s[best])).real
        alike = max(0.0, float(turned.sum()) / float(np.sqrt(first.sum() * second.sum())))
        return Likeness(
            skewness=float(np.mean((lags / root) ** 3)) if root else 0.0,
            peak_s=float(self._lags_s[peak]),
            coherence=float(np.abs(lags[peak]) / len(self.hz)),
            least=self._least(turned, first, second),
            residual=max(0.0, 1.0 - alike**2),
            lag_s=float(self._near_s[best]),
            gain=float(np.sqrt(second.sum() / first.sum())),
            lines=float(first.sum() ** 2 / np.sum(first**2)),
        )

    def _least(self, turned: Powers, first: Powers, second: Powers) -> float:
        """Return the correlation of the band in which it is least, of those that hold power."""
        found = [
            float(turned[band].sum() / np.sqrt(first[band].sum() * second[band].sum()))
            for band in self._bands
            if first[band].sum() > BAND_SHARE * first.sum()
        ]
        return min(found, default=0.0)


class Average:
    """Sums over frames of one pair: cross-spectrum and the two power spectra, (3, bins)."""

    def __init__(self, bins: int) -> None:
        self.sums: Products = np.zeros((3, bins), np.complex128)
        self.count = 0

    def clear(self) -> None:
        """Begin anew."""
        self.sums[:] = 0.0
        self.count = 0

    def add(self, products: Products) -> bool:
        """Add a frame's products, (3, bins); return whether there are enough."""
        self.sums += products
        self.count += 1
        return self.count >= ENOUGH
