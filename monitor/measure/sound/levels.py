"""Sample peak, RMS over 300 ms and DC offset: the plain levels of every channel."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.sound.decibels import amplitude_db, power_db
from monitor.measure.sound.energies import Cells, Recent
from monitor.measure.sound.hops import Samples
from monitor.metrics import Value, declare

RMS_CELLS: Final = 30  # 300 ms: the integration time of a VU meter (IEC 60268-17)
DC_CELLS: Final = 300  # 3 s: speech and handling average out, a converter's offset stays

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


def magnitude_peaks(samples: Samples, borders: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return max |x| of every piece of (channels, frames), shape (channels, pieces).

    ``borders`` are the frames at which pieces begin, rising; the first is 0.
    """
    high = np.maximum.reduceat(samples, borders, axis=1)
    low = np.minimum.reduceat(samples, borders, axis=1)
    peaks: NDArray[np.float32] = np.maximum(high, -low)
    return peaks


class Levels:
    """The plain levels, fed with the peaks of hops and the energies and means of cells."""

    def __init__(self, channels: int) -> None:
        self._unknown: list[float | int | None] = [None] * channels
        self._peak = np.zeros(channels)
        self._peak_max = np.zeros(channels)
        self._integrating = True
        self._energies = Recent(RMS_CELLS, channels)
        self._means = Recent(DC_CELLS, channels)

    def feed_peaks(self, peak: NDArray[np.float32]) -> None:
        """Take a hop's largest magnitudes."""
        np.maximum(self._peak, peak, out=self._peak)
        if self._integrating:
            np.maximum(self._peak_max, peak, out=self._peak_max)

    def feed_energies(self, energies: Cells) -> None:
        """Take the mean squares of finished cells."""
        self._energies.add(energies)

    def offsets(self) -> Value:
        """Return the mean of the last 3 s; unknown before the first cell."""
        means = self._means.rows
        return (means.sum(axis=0) / len(means)).tolist() if len(means) else self._unknown

    def feed_means(self, means: Cells) -> None:
        """Take the means of finished cells."""
        self._means.add(means)

    def integrate(self, *, on: bool) -> None:
        """Pause or continue the maxima since reset."""
        self._integrating = on

    def reset(self) -> None:
        """Restart the maxima."""
        self._peak_max[:] = 0.0

    def drain(self) -> Mapping[str, Value]:
        """Return the levels; RMS is unknown for the first 300 ms, the offset for 10 ms."""
        energies = self._energies.rows
        values: dict[str, Value] = {
            SAMPLE_PEAK.key: amplitude_db(self._peak.tolist()),
            SAMPLE_PEAK_MAX.key: amplitude_db(self._peak_max.tolist()),
            RMS.key: power_db((energies.sum(axis=0) / RMS_CELLS).tolist())
            if len(energies) == RMS_CELLS
            else self._unknown,
            DC_OFFSET.key: self.offsets(),
        }
        self._peak[:] = 0.0
        return values
