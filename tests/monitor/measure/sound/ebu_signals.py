"""The signals of EBU Tech 3341 v4 and Tech 3342 v4, synthesised from their definitions.

Levels are peaks of a 1 kHz sine in both channels of a stereo pair, unless a case says otherwise.
Shared by the tests and by ``python -m bench.accuracy``, which gives them to other meters too.
"""

import numpy as np
from numpy.typing import NDArray

from tests.monitor.measure.signals import Signal, sine

SILENCE = -200.0
RATES = (44100, 48000, 96000)
Steps = list[tuple[float, float]]


def tone(steps: Steps, rate: int) -> Signal:
    """A continuous 1 kHz sine whose level steps: (seconds, dBFS) each."""
    seconds = sum(length for length, _ in steps)
    level = np.concatenate([np.full(round(s * rate), 10 ** (db / 20)) for s, db in steps])
    carrier = sine(seconds + 1, 0.0, rate=rate)[: len(level)]
    return np.asarray((level * carrier).astype(np.float32))


def pair(signal: Signal) -> Signal:
    return np.stack([signal, signal], axis=1)


def side_by_side(signals: list[Signal]) -> Signal:
    """Signals as channels of one stream, the shorter ones ending in silence."""
    longest = max(len(signal) for signal in signals)
    return np.stack([np.pad(signal, (0, longest - len(signal))) for signal in signals], axis=1)


INTEGRATED: dict[str, tuple[Steps, float]] = {
    "1": ([(20, -23)], -23),
    "2": ([(20, -33)], -33),
    "3": ([(10, -36), (60, -23), (10, -36)], -23),
    "4": ([(10, -72), (10, -36), (60, -23), (10, -36), (10, -72)], -23),
    "5": ([(20, -26), (20.1, -20), (20, -26)], -23),
}
SHORT_TERM_CONSTANT: Steps = [(1.34, -20), (1.66, -30)] * 5  # case 9
MOMENTARY_CONSTANT: Steps = [(0.18, -20), (0.22, -30)] * 25  # case 12
SHORT_TERM_FILES: list[Steps] = [[(i * 0.15, SILENCE), (3, -23), (1, SILENCE)] for i in range(20)]
MOMENTARY_FILES: list[Steps] = [[(i * 0.02, SILENCE), (0.4, -23), (1, SILENCE)] for i in range(20)]
SHORT_TERM_LIVE: list[Steps] = [  # case 11: 6 s each
    [(i * 0.15, SILENCE), (3, -38.0 + i), (3 - i * 0.15, SILENCE)] for i in range(20)
]
MOMENTARY_LIVE: list[Steps] = [  # case 14: 0.8 s each
    [(i * 0.02, SILENCE), (0.4, -38.0 + i), (0.4 - i * 0.02, SILENCE)] for i in range(20)
]
LIVE_LEVELS = [-38 + i for i in range(20)]
RANGES: list[tuple[list[float], float]] = [  # Tech 3342, 20 s at each level: the range in LU
    ([-20, -30], 10),
    ([-20, -15], 5),
    ([-40, -20], 20),
    ([-50, -35, -20, -35, -50], 15),
]


def faded(signal: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    gain = np.ones(len(signal))
    gain[:frames] = np.linspace(0, 1, frames, endpoint=False)
    gain[-frames:] = np.linspace(1, 0, frames, endpoint=False)
    return signal * gain


def steady(rate: int, divider: int, phase_deg: float, amplitude: float) -> Signal:
    """Cases 15-19: a sine of rate / divider with 10 ms fades."""
    n = np.arange(rate)
    wave = amplitude * np.sin(2 * np.pi * n / divider + np.radians(phase_deg))
    return faded(wave, rate // 100).astype(np.float32)


def oversampled_burst(rate: int) -> list[Signal]:
    """Cases 20-23: built at four times the rate, low-passed, decimated at offsets 0 to 3."""
    cut = 72480
    carrier = 0.5 * np.sin(2 * np.pi * np.arange(round(3.2 * 4 * rate)) / 24)
    one_period = np.sin(2 * np.pi * np.arange(16) / 16)
    parts = [carrier[: 4 * cut], one_period, carrier[: len(carrier) - 4 * cut - 16]]
    wave = faded(np.concatenate(parts) * 32767 / 32768, round(0.1 * 4 * rate))
    spectrum = np.fft.rfft(wave)
    position = np.arange(len(spectrum)) / len(spectrum) * 4  # 1 is half the final rate
    ramp = np.clip((position - 0.95) / 0.05, 0, 1)
    low = np.fft.irfft(spectrum * 0.5 * (1 + np.cos(np.pi * ramp)), len(wave))
    return [low[offset::4].astype(np.float32) for offset in range(4)]


def true_peak_signals(rate: int) -> list[tuple[Signal, float]]:
    """Cases 15 to 23 with the true peak each must show, in dBTP."""
    kinds = [(4, 0.0, 0.5), (4, 45.0, 0.5), (6, 60.0, 0.5), (8, 67.5, 0.5), (4, 45.0, 1.41)]
    signals = [steady(rate, *kind) for kind in kinds] + oversampled_burst(rate)
    return list(zip(signals, [-6.0] * 4 + [3.0] + [0.0] * 4, strict=True))
