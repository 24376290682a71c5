"""What lives below 500 Hz: hum and rumble, which share one decimated stream."""

from collections.abc import Mapping

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.decimation import Decimation
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.hum import Hum
from monitor.metrics import Value


@listen("low_band", detectors=("hum",))
class LowBand:
    """Hum of every channel."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._decimation = Decimation(channels, sample_rate_hz)
        rate_hz, factor = self._decimation.rate_hz, self._decimation.factor
        self._hum = Hum(channels, rate_hz, factor)

    def hear(self, hop: Hop) -> None:
        """Feed the detectors."""
        tick, values = self._decimation.feed(hop)
        if not hop.follows:
            self._hum.restart()
        if values.shape[1]:
            self._hum.feed(tick, values)

    def drain(self) -> Mapping[str, Value]:
        """Return nothing: there are only episodes."""
        return {}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        steps, self._hum.steps = self._hum.steps, []
        return steps

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes."""
        self._hum.finish()
