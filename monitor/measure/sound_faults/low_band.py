"""What lives below 500 Hz: hum and rumble, which share one decimated stream."""

from collections.abc import Mapping

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.decimation import Decimation
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.hum import Hum
from monitor.measure.sound_faults.rumble import Rumble
from monitor.metrics import Value


@listen("low_band", detectors=("hum", "rumble"))
class LowBand:
    """Hum and rumble of every channel."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._decimation = Decimation(channels, sample_rate_hz)
        rate_hz, factor = self._decimation.rate_hz, self._decimation.factor
        self._hum = Hum(channels=channels, rate_hz=rate_hz, factor=factor)
        self._rumble = Rumble(channels=channels, rate_hz=rate_hz, factor=factor)

    def hear(self, hop: Hop) -> None:
        """Feed the detectors."""
        tick, values = self._decimation.feed(hop)
        if not hop.follows:
            self._hum.restart()
            self._rumble.restart()
        if values.shape[1]:
            self._hum.feed(tick, values)
            self._rumble.feed(tick, values)

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: there are only episodes."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        steps = self._hum.steps + self._rumble.steps
        self._hum.steps, self._rumble.steps = [], []
        return steps

    def reset(self) -> None:
        """Do nothing: nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes."""
        self._hum.finish()
        self._rumble.finish()
