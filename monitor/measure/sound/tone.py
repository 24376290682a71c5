"""Line-up tone: frequency, level and distortion of a steady tone, twice a second.

A quarter of a second is fitted with one sine and an offset by least squares (the three-parameter
fit of IEEE Std 1057); what is left over is distortion and noise. The frequency comes from the phase
that the tone gains between the two halves. Only channels whose samples obey a sine's recurrence are
fitted, so that a channel without a tone costs next to nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.decibels import amplitude_db, power_db
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound.stretches import Stretches
from monitor.metrics import Value, declare

PERIOD_S: Final = 0.5  # a tone that begins at any time is known within 0.75 s
STRETCH_S: Final = 0.25  # 250 periods of 1 kHz; twelve of 50 Hz
GATE_LAG_S: Final = 1 / 7000  # a seventh of 1 kHz's period: far from where all signals look alike
GATE_SAMPLES: Final = 2048
GATE_REST: Final = 0.25  # share of what no sine explains; looser than THDN_LIMIT_DB
LOWEST_HZ: Final = 40.0  # ten periods a stretch
HIGHEST_SHARE: Final = 0.46  # of the sample rate: above, converters' filters bend the level
THDN_LIMIT_DB: Final = -10.0  # a tone less than 10 dB over all else is not a line-up tone
LEVEL_LIMIT_DBFS: Final = -90.0  # below, it is a converter's idle tone
ROWS: Final = 4  # fitted at once: their float64 waves stay in the second-level cache
STEADY_DB: Final = 0.5  # between the halves: a note that dies away is no line-up tone

TONE_HZ = declare(
    "tone_hz", "Hz", "channels", "last", "Frequency of a steady tone; unknown without one."
)
TONE_LEVEL = declare(
    "tone_level_dbfs", "dBFS", "channels", "last", "Level of that tone; a full-scale sine is 0."
)
TONE_THDN = declare(
    "tone_thdn_db", "dB", "channels", "last", "THD+N: all but tone and offset, against the whole."
)

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Sines fitted to channels: frequency, peak amplitude, and mean square of the rest."""

    hz: Doubles
    amplitude: Doubles
    rest: Doubles
    steady: NDArray[np.bool_]

    def thdn(self) -> Doubles:
        """Return the share of the rest in the whole without offset, as power (AES17's THD+N)."""
        whole = self.rest + self.amplitude**2 / 2
        return np.divide(self.rest, whole, out=np.ones_like(whole), where=whole > 0.0)


def may_be_sine(samples: Samples, lag: int) -> NDArray[np.bool_]:
    """Say of each row whether x[n+lag] + x[n-lag] = 2·cos(ω·lag)·x[n] holds but for a rest."""
    x = samples - samples.mean(axis=1, keepdims=True)
    middle, sides = x[:, lag:-lag], x[:, 2 * lag :] + x[:, : -2 * lag]
    energy = np.einsum("cn,cn->c", middle, middle)
    known = np.maximum(energy, np.finfo(np.float32).tiny)
    factor = np.einsum("cn,cn->c", middle, sides) / known
    rest = sides - factor[:, None] * middle
    # White noise of power p leaves p·(2 + factor²).
    share = np.einsum("cn,cn->c", rest, rest) / (known * (2 + factor**2))
    found: NDArray[np.bool_] = (energy > 0.0) & (share < GATE_REST)
    return found


def coarse_hz(samples: Samples, rate: int) -> Doubles:
    """Return each row's strongest frequency to 1/20 of a bin: a parabola through the log peak."""
    size = 1 << (samples.shape[1].bit_length() - 2)
    spectrum = np.abs(np.fft.rfft(samples[:, :size] * np.hanning(size).astype(np.float32)))
    lowest = max(1, math.ceil(LOWEST_HZ * size / rate) - 1)
    peak = lowest + spectrum[:, lowest:-1].argmax(axis=1)
    rows = np.arange(len(peak))
    left, top, right = (
        np.log(np.maximum(spectrum[rows, peak + step], 1e-30)) for step in (-1, 0, 1)
    )
    bend = left - 2 * top + right
    offset = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend < 0.0)
    return np.asarray((peak + offset) * rate / size)


def turning(radians: Doubles, size: int) -> NDArray[np.complex128]:
    """Return exp(-jω·n) for n centred on 0, a row for each ω; a product of two short ones."""
    step = math.isqrt(size - 1) + 1
    at = -1j * radians[:, None]
    outer = np.exp(at * (np.arange(0, size, step) - (size - 1) / 2))
    inner = np.exp(at * np.arange(step))
    product: NDArray[np.complex128] = outer[:, :, None] * inner[:, None, :]
    return product.reshape(len(radians), -1)[:, :size]


def kernel_sum(radians: Doubles, size: int) -> Doubles:
    """Return the sum of cos(ω·n) over n centred on 0."""
    return np.asarray(np.sin(radians * size / 2) / np.sin(radians / 2))


def fit_sines(samples: Samples, rate: int) -> Fit:
    """Fit one sine and an offset to each row, (channels, frames)."""
    x = samples.astype(np.float64)
    x -= x.mean(axis=1, keepdims=True)
    size, half = x.shape[1], x.shape[1] // 2
    coarse = coarse_hz(samples, rate)
    window = np.hanning(half)
    turned = x * turning(2 * np.pi * coarse / rate, size)
    first, second = turned[:, :half] @ window, turned[:, -half:] @ window
    gained = np.angle(second * first.conj())
    hz = coarse + gained * rate / (2 * np.pi * (size - half))
    ratio = np.abs(second) / np.maximum(np.abs(first), 1e-30)
    near = 10 ** (STEADY_DB / 20)
    steady = (ratio < near) & (ratio > 1 / near)
    amplitude, rest = fit_known(x, np.clip(2 * np.pi * hz / rate, 1e-4, 3.1))
    return Fit(hz=hz, amplitude=amplitude, rest=rest, steady=steady)


def fit_known(x: Doubles, radians: Doubles) -> tuple[Doubles, Doubles]:
    """Return amplitude and mean square of the rest of rows of known frequency, by least squares."""
    size = x.shape[1]
    wave = turning(radians, size)
    along, across = wave.real, wave.imag
    one, two = kernel_sum(radians, size), kernel_sum(2 * radians, size)
    by_sum, by_cos = x.sum(axis=1), np.einsum("cn,cn->c", x, along)
    cosine = (by_cos - by_sum * one / size) / ((size + two) / 2 - one**2 / size)
    sine = np.einsum("cn,cn->c", x, across) / ((size - two) / 2)
    offset = (by_sum - cosine * one) / size
    rest = x - cosine[:, None] * along - sine[:, None] * across - offset[:, None]
    return np.hypot(cosine, sine), np.einsum("cn,cn->c", rest, rest) / size


@listen("tone")
class Tone:
    """The steady tone of every channel, if it carries one."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._rate = sample_rate_hz
        self._lag = max(1, round(GATE_LAG_S * sample_rate_hz))
        length, period = round(STRETCH_S * sample_rate_hz), round(PERIOD_S * sample_rate_hz)
        self._stretches = Stretches(channels, length, period)
        self._channels = channels
        self._values = self._unknown()

    def _unknown(self) -> dict[str, list[float | int | None]]:
        return {m.key: [None] * self._channels for m in (TONE_HZ, TONE_LEVEL, TONE_THDN)}

    def hear(self, hop: Hop) -> None:
        """Measure the stretches the hop finished."""
        for samples in self._stretches.feed(hop):
            self._measure(samples)

    def _measure(self, samples: Samples) -> None:
        self._values = self._unknown()
        found = np.flatnonzero(may_be_sine(samples[:, :GATE_SAMPLES], self._lag))
        for at in range(0, len(found), ROWS):
            self._fit(samples, found[at : at + ROWS])

    def _fit(self, samples: Samples, found: NDArray[np.intp]) -> None:
        fit = fit_sines(samples[found], self._rate)
        thdn = fit.thdn()
        known = fit.steady & (fit.hz >= LOWEST_HZ) & (fit.hz <= HIGHEST_SHARE * self._rate)
        known &= (thdn <= 10 ** (THDN_LIMIT_DB / 10)) & (
            fit.amplitude >= 10 ** (LEVEL_LIMIT_DBFS / 20)
        )
        levels, distortions = amplitude_db(fit.amplitude.tolist()), power_db(thdn.tolist())
        for row in np.flatnonzero(known).tolist():
            at = int(found[row])
            self._values[TONE_HZ.key][at] = float(fit.hz[row])
            self._values[TONE_LEVEL.key][at] = levels[row]
            self._values[TONE_THDN.key][at] = distortions[row]

    def drain(self) -> Mapping[str, Value]:
        """Return what the last stretch held."""
        return {key: list(values) for key, values in self._values.items()}

    def events(self) -> list[Detection]:
        """Return nothing: a tone is no fault."""
        return []

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Let the last whole stretch stand."""
