"""Mains hum that a recording has of its own: told by its whole length, and taken out.

Music recorded from an instrument's amplifier or over a long cable hums, and so do some prompts.
Played in a take it is hum, and a detector that tells it would be blamed. It is told here without
any detector: by one frequency within 0.1 % of 50 or 60 Hz that stands out in the mean over all of
the recording, as no note does. What is taken out is 0.3 Hz wide at each harmonic, so that the rest
stays.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

MAINS_HZ: Final = (50.0, 60.0)
LOW_RATE_HZ: Final = 1000  # at which the fundamental is looked for
PIECE_S: Final = 10.0  # of one spectrum: resolves 0.2 Hz
SHORTEST_S: Final = 5.0
FINER: Final = 8  # steps of a spectrum within its resolution
GRID_SHARE: Final = 0.001  # what a grid keeps nearly always
NEAR_HZ: Final = 1.5  # what a line is measured against
STANDS_OUT_DB: Final = 12.0  # over the median; tuning half: 28 and 14 with hum, 10 at most without
HARMONICS: Final = 12
HALF_WIDTH_HZ: Final = 0.15


def fundamental_of(samples: Samples, rate: int) -> float | None:
    """Return the frequency in Hz of the hum that a recording has from end to end, or None."""
    from scipy.signal import resample_poly

    factor = rate // LOW_RATE_HZ
    low = resample_poly(samples, 1, factor)
    piece = min(len(low), round(PIECE_S * rate / factor))
    if piece < SHORTEST_S * rate / factor:
        return None
    hz = np.asarray(np.fft.rfftfreq(FINER * piece, factor / rate), np.float64)
    pieces = low[: len(low) // piece * piece].reshape(-1, piece) * np.hanning(piece)
    power = np.abs(np.fft.rfft(pieces, FINER * piece)) ** 2 + 1e-20
    over_db, at_hz = max(_line(power, hz, mains) for mains in MAINS_HZ)
    return at_hz if over_db >= STANDS_OUT_DB else None


def _line(power: NDArray[np.float64], hz: NDArray[np.float64], mains: float) -> tuple[float, float]:
    """Return how far a grid's frequency stands out, dB, in the mean of spectra, and which one."""
    near = np.abs(hz - mains) <= NEAR_HZ
    around = power[:, near]
    over_db = 10 * np.log10(around / np.median(around, axis=1, keepdims=True)).mean(axis=0)
    over_db[np.abs(hz[near] - mains) > GRID_SHARE * mains] = -np.inf
    best = int(over_db.argmax())
    return float(over_db[best]), float(hz[near][best])


def without_hum(samples: Samples, rate: int, fundamental_hz: float) -> Samples:
    """Return a recording without the harmonics of a fundamental."""
    from scipy.fft import irfft, next_fast_len, rfft

    length = next_fast_len(len(samples) + rate, real=True)  # the end does not leak into the start
    spectrum = rfft(samples, length)
    for order in range(1, HARMONICS + 1):
        middle_hz, step_hz = order * fundamental_hz, rate / length
        first = math.ceil((middle_hz - HALF_WIDTH_HZ) / step_hz)
        spectrum[first : math.floor((middle_hz + HALF_WIDTH_HZ) / step_hz) + 1] = 0
    return np.asarray(irfft(spectrum, length)[: len(samples)], np.float32)
