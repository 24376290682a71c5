"""Sample peak and RMS over 300 ms: the plain levels of every channel."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.decibels import amplitude_db, power_db
from monitor.measure.energies import Energies, Recent
from monitor.measure.hops import Samples
from monitor.metrics import Value, declare

RMS_CELLS: Final = 30  # 300 ms: the integration time of a VU meter (IEC 60268-17)

SAMPLE_PEAK = declare(
    "sample_peak_dbfs", "dBFS", "channels", "max", "Largest sample magnitude in the interval."
)
SAMPLE_PEAK_MAX = declare(
    "sample_peak_max_dbfs", "dBFS", "channels", "max", "Largest sample magnitude since reset."
)
RMS = declare(
    "rms_dbfs", "dBFS", "channels", "last", "RMS over 300 ms; a full-scale sine is -3.01 dBFS."
)
DC_OFFSET = declare("dc_offset", "", "channels", "last", "Mean over the last 3 s; full scale is 1.")


def magnitude_peak(samples: Samples) -> NDArray[np.float32]:
    """Return max |x| of every channel, for (frames, channels).

    A reduction over rows of a few channels is short inner loops; folding 32 frames into one wide
    row first makes them long ones.
    """
    frames, channels = samples.shape
    wide = frames - frames % 32
    low = high = np.zeros(channels, np.float32)
    if wide:
        rows = samples[:wide].reshape(wide // 32, 32 * channels)
        high = rows.max(axis=0).reshape(32, channels).max(axis=0)
        low = rows.min(axis=0).reshape(32, channels).min(axis=0)
    if wide < frames:
        high = np.maximum(high, samples[wide:].max(axis=0))
        low = np.minimum(low, samples[wide:].min(axis=0))
    return np.maximum(high, -low)


class Levels:
    """The plain levels, fed with hops and their energy cells."""

    def __init__(self, channels: int, sample_rate_hz: int) -> None:
        self._channels = channels
        self._peak = np.zeros(channels)
        self._peak_max = np.zeros(channels)
        self._energies = Recent(RMS_CELLS, channels)

    def feed(self, samples: Samples, energies: Energies) -> None:
        """Take a hop and the energy cells it finished."""
        peak = magnitude_peak(samples)
        np.maximum(self._peak, peak, out=self._peak)
        np.maximum(self._peak_max, peak, out=self._peak_max)
        self._energies.add(energies)

    def reset(self) -> None:
        """Restart the maxima."""
        self._peak_max[:] = 0.0

    def drain(self) -> Mapping[str, Value]:
        """Return the levels; RMS is unknown for the first 300 ms."""
        rows = self._energies.rows
        rms = rows.mean(axis=0).tolist() if len(rows) == RMS_CELLS else [0.0] * self._channels
        values: dict[str, Value] = {
            SAMPLE_PEAK.key: amplitude_db(self._peak.tolist()),
            SAMPLE_PEAK_MAX.key: amplitude_db(self._peak_max.tolist()),
            RMS.key: power_db(rms),
        }
        self._peak[:] = 0.0
        return values
