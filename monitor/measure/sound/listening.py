"""Feed the listeners of an audio stream: samples are converted once and cut into hops they share.

A hop is worked on when it is drained, when it is full, and at once before a hole. Its values wait
until then, so events of listeners come at most a hop late: live 40 ms, and 0.1 s where nobody takes
readings.
"""

from collections.abc import Mapping, Sequence

from capture.source import Block, Item
from monitor.measure.measurement import (
    Detection,
    InPieces,
    Integrates,
    Piece,
    Setup,
    Trace,
    is_audio,
    measure,
)
from monitor.measure.sound.energies import FINE_PER_S, Grid, sum_squares
from monitor.measure.sound.hops import HISTORY, Hops
from monitor.measure.sound.level_trace import LevelTrace
from monitor.measure.sound.listener import DETECTORS_HEARD, LISTENERS, Hop, Listener
from monitor.metrics import Value, declare

SAMPLES_TOTAL = declare(
    "audio_samples_total", "samples", "scalar", "last", "Samples a channel measured so far."
)


@measure("listening", is_audio, detectors=DETECTORS_HEARD)
class Listening:
    """All listeners of a stream, and the hops they share."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._rate = setup.stream.sample_rate_hz or 48000
        self._samples = 0
        self._integrating = True
        self._ears: _Ears | None = None

    def feed(self, item: Item) -> None:
        """Take a block. Listeners are told of a hole before it."""
        if not isinstance(item, Block) or not item.samples.size:
            return
        if self._ears is None:
            self._ears = _Ears(self._setup, item.samples.shape[1], self._rate)
            self._ears.integrate(on=self._integrating)
        self._ears.put(item)
        self._samples += len(item.samples)

    def drain(self) -> Mapping[str, Value]:
        """Work on what waits and return all values; of a file without those of its pieces."""
        if self._ears is None:
            return {}
        return {SAMPLES_TOTAL.key: self._samples, **self._ears.drain()}

    def pieces(self) -> list[Piece]:
        """Return what listeners resolve more finely than it is drained."""
        return [] if self._ears is None else self._ears.pieces()

    def trace(self, channels: Sequence[int], start: int, end: int | None) -> Trace:
        """Return the channels' levels around an episode, with what waits."""
        return (
            Trace(start=start, levels=())
            if self._ears is None
            else (self._ears.trace(channels, start, end))
        )

    def events(self) -> list[Detection]:
        """Return the steps of all listeners."""
        return [] if self._ears is None else self._ears.events()

    def reset(self) -> None:
        """Restart integrated values at the next sample."""
        if self._ears is not None:
            self._ears.reset()

    def integrate(self, *, on: bool) -> None:
        """Pause or continue integrated values at the next sample."""
        self._integrating = on
        if self._ears is not None:
            self._ears.integrate(on=on)

    def finish(self) -> None:
        """Work on what waits and finish every listener."""
        if self._ears is not None:
            self._ears.finish()


class _Ears:
    """The hops and listeners of a stream whose channel count is known."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._hops = Hops(channels, sample_rate_hz, live=setup.live)
        self._energies = Grid(channels, sample_rate_hz, sum_squares)
        self._trace = LevelTrace(channels, sample_rate_hz)
        self._fine = Grid(channels, sample_rate_hz, sum_squares, FINE_PER_S)
        self._listeners: list[Listener] = [
            kind.make(setup, channels, sample_rate_hz)
            for kind in LISTENERS.values()
            if setup.wants(kind.name)
        ]
        self._tick: int | None = None
        """Of the next sample, when nothing is lost."""
        self._follows = False

    def put(self, block: Block) -> None:
        samples, tick = block.samples, block.start
        if tick != self._tick:
            self.work()
            self._fine.restart()
            self._follows = False
        while len(samples):
            taken = self._hops.put(samples)
            samples, tick = samples[taken:], tick + taken
            self._tick = tick
            if self._hops.waiting == self._hops.frames_limit:
                self.work()

    def work(self) -> None:
        """Let every listener hear the hop that waits."""
        frames = self._hops.waiting
        if not frames or self._tick is None:
            return
        with_history = self._hops.take()
        samples = with_history[:, HISTORY:]
        start = self._tick - frames
        fine_start = start - self._fine.waiting
        peaks = self._trace.peaks(samples, start)
        self._trace.add(peaks, start)
        hop = Hop(
            with_history=with_history,
            start=start,
            follows=self._follows,
            peaks=peaks.max(axis=1),
            energies=self._energies.feed(samples),
            fine=self._fine.feed(samples),
            fine_start=fine_start,
        )
        for listener in self._listeners:
            listener.hear(hop)
        self._follows = True
        self._hops.done()

    def trace(self, channels: Sequence[int], start: int, end: int | None) -> Trace:
        """Look at the hop that waits without working on it: its end is the meters' business."""
        if self._hops.waiting and self._tick is not None:
            waiting = self._hops.take()[:, HISTORY:]
            tick = self._tick - self._hops.waiting
            self._trace.add(self._trace.peaks(waiting, tick), tick)
        return self._trace.cut(channels, start, end)

    def drain(self) -> Mapping[str, Value]:
        self.work()
        return {key: value for one in self._listeners for key, value in one.drain().items()}

    def pieces(self) -> list[Piece]:
        resolved = (one for one in self._listeners if isinstance(one, InPieces))
        return [piece for one in resolved for piece in one.pieces()]

    def events(self) -> list[Detection]:
        return [step for one in self._listeners for step in one.events()]

    def reset(self) -> None:
        self.work()
        for listener in self._listeners:
            listener.reset()

    def integrate(self, *, on: bool) -> None:
        self.work()
        for listener in self._listeners:
            if isinstance(listener, Integrates):
                listener.integrate(on=on)

    def finish(self) -> None:
        self.work()
        for listener in self._listeners:
            listener.finish()
