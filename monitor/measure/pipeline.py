"""Compose the registered measurements of a source's streams, and turn what they find into lines.

Pure: items in, lines out, no clock. The worker and ``takewatch check`` both drive it::

    pipeline.feed(item)                  # every item of the source, in order
    pipeline.events()                    # at once after each feed: events and gaps
    pipeline.readings(t_arrival_ns)      # as often as wanted: draining late is coalescing

Audio kernels work on whatever waits since the last drain, at most ``hops.HOP_LIMIT_S``: draining
every 20–100 ms is quick; after every tiny block is correct but slower.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import monitor.measure  # noqa: F401  fills the registry
from capture.source import (
    Block,
    Changed,
    Ended,
    Frame,
    Item,
    Lost,
    Packet,
    StreamInfo,
    Thinned,
)
from monitor.lines import Event, Gap, Reading
from monitor.measure.described import changes
from monitor.measure.look import PLAIN, Look
from monitor.measure.measurement import (
    MEASUREMENTS,
    Detection,
    InPieces,
    Integrates,
    Measurement,
    Piece,
    Setup,
    StepPhase,
    Trace,
    Traced,
)
from monitor.measure.sound.layout import default_programme
from monitor.metrics import Value

Pairs = Sequence[tuple[int, int]]
TRACED_WHOLE_S = 4.0  # of 5 s: half a second before and after belongs to the picture


@dataclass(slots=True, kw_only=True)
class _Stream:
    """One stream's measurements and how far its media time has come (``end`` is exclusive)."""

    info: StreamInfo
    epoch: int
    programme: tuple[int, ...] | None
    measurements: list[Measurement]
    in_pieces: Sequence[InPieces]
    traced: Traced | None
    start: int | None = None
    end: int | None = None
    fresh: bool = False

    def advance(self, start: int, end: int) -> None:
        if self.start is None:
            self.start = start
        self.end = end if self.end is None else max(self.end, end)


def _span(item: Block | Packet | Frame | Lost | Thinned) -> tuple[int, int] | None:
    """Return the item's first tick and the one after its last, or None where it has no stamp."""
    if isinstance(item, Block):
        return item.start, item.start + len(item.samples)
    if isinstance(item, Packet):
        stamp = item.pts if item.pts is not None else item.dts
        return None if stamp is None else (stamp, stamp + (item.duration or 0))
    if isinstance(item, Frame) and item.pts is not None:
        return item.pts, item.pts
    return None


def _trace_of(stream: _Stream, step: Detection) -> Trace | None:
    """Return the level trace a step carries: that an episode began, and that a short one is over.

    Of a long one the first stands: it shows how it began, and the last seconds would not.
    """
    if stream.traced is None or not step.channels or step.phase == "update":
        return None
    rate = stream.info.sample_rate_hz or 0
    if step.end is not None and step.end - step.start > TRACED_WHOLE_S * rate:
        return None
    trace = stream.traced.trace(step.channels, step.start, step.end)
    return trace if trace.levels else None


def _integrate(measurements: Sequence[Measurement], *, on: bool) -> None:
    for measurement in measurements:
        if isinstance(measurement, Integrates):
            measurement.integrate(on=on)


class Pipeline:
    """All measurements of one source session.

    ``limits`` are detector limits by name; ``programme`` the channels of the mix, from 0, or None
    for all of a mono, stereo, 5.1 or 7.1 layout; ``pairs`` channels declared as belonging together,
    from 0, or what says so of a stream; ``baseline`` what the line-up learned, by metric; ``look``
    where pictures clip and what in them is none; ``epoch`` is
    added to the source's own count of epochs, so that a source opened again never repeats one;
    ``only`` names the measurements, listeners and viewers to be made, where others are made
    elsewhere.
    """

    def __init__(
        self,
        source: str,
        streams: Sequence[StreamInfo],
        *,
        limits: Mapping[str, object] | None = None,
        programme: Sequence[int] | None = None,
        pairs: Pairs | Callable[[StreamInfo], Pairs] = (),
        baseline: Mapping[str, Value] | None = None,
        look: Look = PLAIN,
        live: bool = True,
        epoch: int = 0,
        only: Collection[str] | None = None,
    ) -> None:
        self._source = source
        self._limits = dict(limits or {})
        self._pairs = pairs
        self._baseline: dict[str, Value] = dict(baseline or {})
        self._wanted = None if programme is None else tuple(programme)
        self._look = look
        self._live = live
        self._only = None if only is None else frozenset(only)
        self._integrating = True
        self._base = self._epoch = epoch
        self._seq = 0
        self._out: list[Event | Gap] = []
        self._thinned: dict[int, Thinned] = {}
        self._streams = {info.index: self._open(info) for info in streams}

    @property
    def streams(self) -> tuple[StreamInfo, ...]:
        """The streams of this epoch."""
        return tuple(stream.info for stream in self._streams.values())

    @property
    def epoch(self) -> int:
        """The epoch that lines of new items carry."""
        return self._epoch

    @property
    def thinned(self) -> tuple[Thinned, ...]:
        """How much of each stream's pictures is decoded, where it ever changed."""
        return tuple(self._thinned.values())

    def thin(self, thinned: Sequence[Thinned]) -> None:
        """Begin with so much decoded: what was told before these measurements were made."""
        for item in thinned:
            self._route(item)

    @property
    def programme(self) -> tuple[int, ...] | None:
        """The channels of the first audio stream that has a mix, or None."""
        found = (stream.programme for stream in self._streams.values())
        return next((channels for channels in found if channels is not None), None)

    def programme_of(self, stream: int) -> tuple[int, ...] | None:
        """Return the mix's channels of one stream, or None when it carries no mix."""
        return self._streams[stream].programme

    def _open(self, info: StreamInfo) -> _Stream:
        programme = self._programme(info)
        setup = Setup(
            stream=info,
            limits=self._limits,
            programme=programme,
            pairs=self._pairs_of(info),
            baseline=MappingProxyType(self._baseline),
            look=self._look,
            live=self._live,
            only=self._only,
        )
        kinds = [k for k in MEASUREMENTS.values() if k.suits(info) and setup.wants(k.name)]
        measurements = [kind.make(setup) for kind in kinds]
        traced = next((m for m in measurements if isinstance(m, Traced)), None)
        in_pieces = [] if self._live else [m for m in measurements if isinstance(m, InPieces)]
        _integrate(measurements, on=self._integrating)
        return _Stream(
            info=info,
            epoch=self._epoch,
            programme=programme,
            measurements=measurements,
            in_pieces=in_pieces,
            traced=traced,
        )

    def _pairs_of(self, info: StreamInfo) -> tuple[tuple[int, int], ...]:
        pairs = self._pairs(info) if callable(self._pairs) else self._pairs
        return tuple(pair for pair in pairs if max(pair) < (info.channels or 0))

    def learn(self, baseline: Mapping[str, Value]) -> None:
        """Replace what the line-up learned; measurements go on."""
        self._baseline.clear()
        self._baseline.update(baseline)

    def _programme(self, info: StreamInfo) -> tuple[int, ...] | None:
        if info.kind != "audio" or not info.channels:
            return None
        if self._wanted is None:
            return default_programme(info.channels, info.layout)
        inside = bool(self._wanted) and max(self._wanted) < info.channels
        return self._wanted if inside else None

    def feed(self, item: Item) -> None:
        """Take the source's next item. Items of streams nobody described are ignored."""
        if isinstance(item, Changed):
            self._change(item)
        elif isinstance(item, Ended):
            self._end(item)
        else:
            self._route(item)

    def _route(self, item: Block | Packet | Frame | Lost | Thinned) -> None:
        stream = self._streams.get(item.stream)
        if isinstance(item, Thinned):
            self._thinned[item.stream] = item
        if isinstance(item, Lost):
            self._gap(item, stream)
        if stream is None:
            return
        span = _span(item)
        # Sound's media time is that of its samples; packets run ahead of their decoding.
        ahead = stream.info.kind == "audio" and isinstance(item, Packet)
        if span is not None and not ahead:
            stream.advance(*span)
        stream.fresh = True
        for measurement in stream.measurements:
            measurement.feed(item)
        for measurement in stream.measurements:  # when all have heard it: traces reach to here
            self._collect(stream, measurement, item.t_arrival_ns)

    def _collect(self, stream: _Stream, measurement: Measurement, t_arrival_ns: int) -> None:
        for detection in measurement.events():
            self._out.append(self._event(stream, detection, t_arrival_ns))

    def _event(self, stream: _Stream, step: Detection, t_arrival_ns: int) -> Event:
        trace = _trace_of(stream, step)
        return Event(
            source=self._source,
            id=f"{self._source}-{stream.epoch}-{stream.info.index}-{step.key}",
            phase=step.phase,
            detector=step.detector,
            stream=stream.info.index,
            epoch=stream.epoch,
            channels=list(step.channels),
            start=step.start,
            end=step.end,
            time_base=str(stream.info.time_base),
            worst=step.worst,
            worst_tick=step.worst_tick,
            unit=step.unit,
            count=step.count,
            count_1s=step.count_1s,
            detail=step.detail,
            place=None if step.place is None else list(step.place),
            trace=None if trace is None else list(trace.levels),
            trace_start=None if trace is None else trace.start,
            t_arrival_ns=t_arrival_ns,
        )

    def _gap(self, lost: Lost, stream: _Stream | None) -> None:
        self._out.append(
            Gap(
                source=self._source,
                stream=lost.stream,
                epoch=self._epoch,
                start=lost.start,
                time_base="1" if stream is None else str(stream.info.time_base),
                amount=lost.amount,
                unit=lost.unit,
                reason=lost.reason,
                t_arrival_ns=lost.t_arrival_ns,
            )
        )

    def _finish(self, t_arrival_ns: int) -> None:
        for stream in self._streams.values():
            for measurement in stream.measurements:
                measurement.finish()
                self._collect(stream, measurement, t_arrival_ns)
            stream.fresh = stream.end is not None

    def _end(self, ended: Ended) -> None:
        self._finish(ended.t_arrival_ns)
        if ended.short_by_s <= 0 or not self._streams:
            return
        stream = next(iter(self._streams.values()))
        lost = Lost(
            stream=stream.info.index,
            epoch=self._epoch,
            start=stream.end,
            amount=ended.short_by_s,
            unit="s",
            reason=f"file ends {ended.short_by_s:.3g} s early",
            t_arrival_ns=ended.t_arrival_ns,
        )
        self._gap(lost, stream)

    def _change(self, changed: Changed) -> None:
        """Begin a new epoch. The change itself is reported where the old media time ended."""
        self._finish(changed.t_arrival_ns)
        new = {info.index: info for info in changed.streams}
        for index, stream in self._streams.items():
            detail = changes(stream.info, new[index]) if index in new else "the stream is gone"
            if detail:
                self._format_changed(stream, detail, changed.t_arrival_ns)
        self._epoch = max(self._epoch + 1, self._base + changed.epoch)
        self._streams = {info.index: self._open(info) for info in changed.streams}
        self.thin(tuple(self._thinned.values()))

    def _format_changed(self, stream: _Stream, detail: str, t_arrival_ns: int) -> None:
        tick = stream.end or 0
        steps: tuple[tuple[StepPhase, int | None], ...] = (("open", None), ("close", tick))
        for phase, end in steps:
            step = Detection(
                detector="format_changed",
                key="format_changed",
                phase=phase,
                start=tick,
                end=end,
                detail=detail,
            )
            self._out.append(self._event(stream, step, t_arrival_ns))

    def readings(self, t_arrival_ns: int) -> list[Reading]:
        """Return the readings of each stream that has something new since the last call.

        That is one; of a recorded file pieces of it come first, with the metrics they resolve.
        """
        fresh = [stream for stream in self._streams.values() if stream.fresh]
        return [line for stream in fresh for line in self._drained(stream, t_arrival_ns)]

    def _drained(self, stream: _Stream, t_arrival_ns: int) -> list[Reading]:
        values: dict[str, Value] = {}
        for measurement in stream.measurements:
            values.update(measurement.drain())
            self._collect(stream, measurement, t_arrival_ns)
        pieces = [piece for resolved in stream.in_pieces for piece in resolved.pieces()]
        pieces.append(Piece(start=stream.start or 0, end=stream.end or 0, values=values))
        stream.start, stream.fresh = stream.end, False
        return [self._reading(stream, piece, t_arrival_ns) for piece in pieces]

    def _reading(self, stream: _Stream, piece: Piece, t_arrival_ns: int) -> Reading:
        self._seq += 1
        # Values are our own and need no second look: that costs as much as a meter.
        return Reading.model_construct(
            source=self._source,
            seq=self._seq - 1,
            stream=stream.info.index,
            epoch=stream.epoch,
            start=piece.start,
            end=piece.end,
            t_arrival_ns=t_arrival_ns,
            values=dict(piece.values),
        )

    def events(self) -> list[Event | Gap]:
        """Return events and gaps since the last call, in order."""
        out, self._out = self._out, []
        return out

    def reset(self) -> dict[int, int]:
        """Restart integrated values; return each stream's tick at which that took effect."""
        for stream in self._streams.values():
            for measurement in stream.measurements:
                measurement.reset()
        return self._ticks()

    def integrate(self, *, on: bool) -> dict[int, int]:
        """Pause or continue integrated values; return each stream's tick at which that took effect.

        It holds for streams of later epochs too, until it is said again.
        """
        self._integrating = on
        for stream in self._streams.values():
            _integrate(stream.measurements, on=on)
        return self._ticks()

    def _ticks(self) -> dict[int, int]:
        return {index: stream.end or 0 for index, stream in self._streams.items()}
