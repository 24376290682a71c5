"""True peak of tones up to 0.45 of the sample rate at any phase: how far off each meter is."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bench.accuracy import meters
from bench.accuracy.meters import Samples

RATE = 48000
FREQUENCIES = np.round(np.arange(0.01, 0.4501, 0.005), 4)  # of the sample rate
PHASES = 24
FRAMES = 6000
FADE = 2000  # so that a tone's ends are no peaks of their own

# Recommendation ITU-R BS.1770-5, Annex 2: the 48-tap, four-phase interpolating filter; the third
# and fourth phase are the second and first one backwards.
ITU_PHASE_0 = (
    0.0017089843750, 0.0109863281250, -0.0196533203125, 0.0332031250000, -0.0594482421875,
    0.1373291015625, 0.9721679687500, -0.1022949218750, 0.0476074218750, -0.0266113281250,
    0.0148925781250, -0.0083007812500,
)  # fmt: skip
ITU_PHASE_1 = (
    -0.0291748046875, 0.0292968750000, -0.0517578125000, 0.0891113281250, -0.1665039062500,
    0.4650878906250, 0.7797851562500, -0.2003173828125, 0.1015625000000, -0.0582275390625,
    0.0330810546875, -0.0189208984375,
)  # fmt: skip


def tones(frequency: float) -> Samples:
    """Return unit tones at all phases as channels, (frames, PHASES), faded in and out."""
    n = np.arange(FRAMES)
    gain = np.clip(np.minimum(n, FRAMES - n) / FADE, 0, 1)
    phases = np.arange(PHASES) * np.pi / PHASES
    return np.asarray(
        gain[:, None] * np.sin(2 * np.pi * frequency * n[:, None] + phases), np.float32
    )


def itu_table(samples: Samples) -> list[float]:
    """Return the peaks in dBTP that the recommendation's own filter gives."""
    banks = [ITU_PHASE_0, ITU_PHASE_1, ITU_PHASE_1[::-1], ITU_PHASE_0[::-1]]
    columns = samples.T.astype(np.float64)
    peaks = [
        max(float(np.abs(np.convolve(column, bank)).max()) for bank in banks) for column in columns
    ]
    return [20 * float(np.log10(peak)) for peak in peaks]


def ffmpeg(samples: Samples) -> list[float]:
    """Return FFmpeg's peaks; it takes eight channels at a time."""
    parts = [np.ascontiguousarray(samples[:, at : at + 8]) for at in range(0, PHASES, 8)]
    silent_end = np.zeros((RATE // 5, 8), np.float32)  # its last 100 ms frame must be full
    return [
        peak
        for part in parts
        for peak in meters.ffmpeg(np.concatenate([part, silent_end]), RATE, "7.1").true_peaks_dbtp
    ]


def takewatch(samples: Samples) -> list[float]:
    """Return the pipeline's peaks."""
    return list(meters.takewatch(samples, RATE, None).true_peaks_dbtp)


def libebur128(samples: Samples) -> list[float]:
    """Return libebur128's peaks."""
    return list(meters.libebur128(samples, RATE, None).true_peaks_dbtp)


METERS: dict[str, Callable[[Samples], list[float]]] = {
    "Takewatch": takewatch,
    "libebur128": libebur128,
    "FFmpeg": ffmpeg,
    "ITU-R BS.1770 table": itu_table,
}


def errors_db(meter: str, frequency: float) -> tuple[float, float]:
    """Return a meter's lowest and highest error over all phases of a unit tone."""
    shown = METERS[meter](tones(frequency))
    return min(shown), max(shown)


def curve(meter: str, every: int = 1) -> NDArray[np.float64]:
    """Return rows of frequency, lowest and highest error in dB."""
    return np.array([[f, *errors_db(meter, float(f))] for f in FREQUENCIES[::every]])
