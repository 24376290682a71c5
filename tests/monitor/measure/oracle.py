"""Loudness the slow, obvious way, in float64: every window cut out and summed, every gate a list.

Shares no code with the kernels but the standard's own 48 kHz filter tables.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt

Samples = NDArray[np.float64]

# BS.1770-5 Annex 1, Tables 1 and 2.
SHELF = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241]
HIGH_PASS = [1.0, -2.0, 1.0, 1.0, -1.99004745483398]
TABLES = np.array([[*SHELF, 0.73248077421585], [*HIGH_PASS, 0.99007225036621]])


def loudness(energy: float) -> float:
    return float(-0.691 + 10 * np.log10(energy)) if energy > 0 else -np.inf


def window_energies(samples: Samples, seconds: float, step_s: float) -> list[float]:
    """Energies of one 48 kHz channel's windows, the first one ending when it is full."""
    weighted = sosfilt(TABLES, samples)
    length, step = round(seconds * 48000), round(step_s * 48000)
    starts = range(0, len(weighted) - length + 1, step)
    return [float(np.mean(weighted[start : start + length] ** 2)) for start in starts]


def integrated(samples: Samples) -> float:
    blocks = window_energies(samples, 0.4, 0.1)
    loud = [z for z in blocks if loudness(z) > -70]
    relative = loudness(float(np.mean(loud))) - 10
    return loudness(float(np.mean([z for z in loud if loudness(z) > relative])))


def loudness_range(samples: Samples) -> float:
    loud = [z for z in window_energies(samples, 3.0, 0.1) if loudness(z) > -70]
    relative = loudness(float(np.mean(loud))) - 20
    levels = sorted(loudness(z) for z in loud if loudness(z) > relative)
    low, high = (levels[int((len(levels) - 1) * share + 0.5)] for share in (0.10, 0.95))
    return high - low


def momentary_max(samples: Samples) -> float:
    return loudness(max(window_energies(samples, 0.4, 0.01)))


def short_term_max(samples: Samples) -> float:
    return loudness(max(window_energies(samples, 3.0, 0.01)))
