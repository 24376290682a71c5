"""Measure the items of a recorded file step by step: what was found in each, in media time.

Metrics are drained at fixed steps of media time, so that results never depend on the machine's
speed, nor on how measurements are divided over processes.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from capture.source import Block, Changed, Ended, Frame, Item, Packet, SourceLost, StreamInfo
from capture.sources.media_file import MediaFile
from monitor.check.joining import JoinedBlocks
from monitor.check.pairs import pairs_of
from monitor.lines import Event, Gap, Reading
from monitor.measure.pipeline import Pipeline

STEP_NS = 100_000_000
"""Media time between two drains with pictures: the rules' delays are 0.25 s and more."""
SOUND_STEP_NS = 1_000_000_000
"""The same of sound alone, and what is joined of sound beside pictures: a third of the cost; its
readings' pieces and its events are finer."""
PCM_STEP_NS = 4_000_000_000
"""The same of PCM alone, two thirds of that: all that has a limit is in pieces or for ever."""
READ_TIMEOUT_S = 5.0  # of one read of a local file; the source itself gives up at its stall time
STAMPED_ELSEWHERE_NS = 1_000_000_000
"""A first time-stamp beyond this is a transport stream's own clock, not this file's time."""
NS = 1_000_000_000
FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A line, and the media time it tells of, in nanoseconds from the file's start."""

    line: Event | Gap | Reading
    start_ns: int
    at_ns: int
    """When it was known: a reading at its end, an event at the newest it tells."""
    whole: bool = False
    """A reading of all that was drained, not of a piece of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The streams of an epoch; the first is there before any step."""

    epoch: int
    streams: tuple[StreamInfo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What was found in a step of media time, in no order."""

    found: list[Found]
    begun: Begun | None
    """An epoch that began before this step."""
    length_ns: int
    """From the file's start to the end of the last sample or picture so far."""
    low_ns: int
    """How far the stream has come that is behind the others."""
    ended: bool


class Measuring:
    """A file being measured. ``only``: names of the measurements and listeners, None for all."""

    def __init__(
        self,
        streams: Sequence[StreamInfo],
        limits: dict[str, object],
        only: Collection[str] | None = None,
    ) -> None:
        self.origin_ns: int | None = None
        self.positions_ns: dict[int, int] = {}
        self._kinds: dict[int, str] = {}
        self._ns: dict[int, Fraction] = {}
        self._packet_ns: dict[int, int] = {}
        self._step_ns = self._due_ns = STEP_NS
        self._joined = JoinedBlocks()
        self._found: list[Found] = []
        self._pipeline = Pipeline(
            FILE, streams, limits=limits, pairs=pairs_of, live=False, only=only
        )
        self._begun: Begun | None = None
        self.begun = self._begin(streams)

    @property
    def measured_anything(self) -> bool:
        """Whether a sample or a picture came."""
        return bool(self.positions_ns) or self._joined.holds

    @property
    def length_ns(self) -> int:
        """Media time from the file's start to the end of its last sample or picture."""
        return max(self.positions_ns.values(), default=0)

    def place_ns(self, stream: int, ticks: int) -> int:
        """Return ticks of a stream as nanoseconds from the file's start."""
        return max(0, round(ticks * self._ns[stream]) - (self.origin_ns or 0))

    def programme_of(self, stream: int) -> tuple[int, ...] | None:
        """Return the mix's channels of one stream, or None when it carries no mix."""
        return self._pipeline.programme_of(stream)

    def steps(self, source: MediaFile, progress: Callable[[float], None]) -> Iterator[Step]:
        """Measure every item of a source; a file that stops being readable is a short one."""
        ended = False
        while not ended:
            try:
                item = source.read(READ_TIMEOUT_S)
            except SourceLost as error:
                if not self.measured_anything:
                    raise
                item = self._broken_off(str(error))
            if item is None:
                continue
            for one in self._joined.put(item):
                ended = isinstance(one, Ended)
                if isinstance(one, Changed):
                    self._drain()
                    yield self._step(ended=False)
                if self._take(one):
                    yield self._step(ended=ended)
                    progress(source.progress)

    def _take(self, item: Item) -> bool:
        """Measure the next item; say whether a step of media time is full."""
        self._advance(item)
        self._pipeline.feed(item)
        if isinstance(item, Changed):
            self._begun = self._begin(item.streams)
        self._note(self._pipeline.events())
        if isinstance(item, Ended):
            self._drain()
            return True
        if self.length_ns < self._due_ns:
            return False
        self._due_ns = self.length_ns - self.length_ns % self._step_ns + self._step_ns
        self._drain()
        return True

    def _step(self, *, ended: bool) -> Step:
        found, self._found = self._found, []
        begun, self._begun = self._begun, None
        return Step(
            found=found,
            begun=begun,
            length_ns=self.length_ns,
            low_ns=min(self.positions_ns.values(), default=0),
            ended=ended,
        )

    def _broken_off(self, why: str) -> Ended:
        """Return the end of a file that cannot be read on."""
        for block in self._joined.flush():
            self._take(block)
        declared_s = [info.declared_duration_s or 0.0 for info in self._pipeline.streams]
        missing_s = max([*declared_s, 0.0]) - self.length_ns / NS
        return Ended(reason=why, t_arrival_ns=self.length_ns, short_by_s=max(missing_s, 0.001))

    def _begin(self, streams: Sequence[StreamInfo]) -> Begun:
        for info in streams:
            self._ns[info.index] = info.time_base * NS
            self._kinds[info.index] = info.kind
        has_pictures = any(info.kind == "video" for info in streams)
        is_pcm = all((info.codec or "").startswith("pcm_") for info in streams)
        sound_step_ns = PCM_STEP_NS if is_pcm else SOUND_STEP_NS
        self._step_ns = STEP_NS if has_pictures else sound_step_ns
        joined_ns = SOUND_STEP_NS if has_pictures else sound_step_ns
        self._joined.limits = {
            info.index: (info.sample_rate_hz or 0) * joined_ns // NS for info in streams
        }
        return Begun(epoch=self._pipeline.epoch, streams=tuple(streams))

    def _advance(self, item: Item) -> None:
        if isinstance(item, Packet) and item.stream in self._ns:
            self._packet_ns[item.stream] = round((item.duration or 0) * self._ns[item.stream])
        if isinstance(item, Block):
            start, end = item.start, item.start + len(item.samples)
        elif isinstance(item, Packet | Frame) and item.pts is not None:
            start = end = item.pts
        else:
            return
        scale = self._ns.get(item.stream)
        if scale is None:
            return
        if self.origin_ns is None:
            first_ns = round(start * scale)
            self.origin_ns = first_ns if abs(first_ns) > STAMPED_ELSEWHERE_NS else 0
        if not isinstance(item, Packet):
            end_ns = self.place_ns(item.stream, end)
            if isinstance(item, Frame):
                end_ns += self._packet_ns.get(item.stream, 0)
            self.positions_ns[item.stream] = max(self.positions_ns.get(item.stream, 0), end_ns)

    def _drain(self) -> None:
        readings = self._pipeline.readings(self.length_ns)
        self._note(self._pipeline.events())
        last = {line.stream: line for line in readings}
        for line in readings:
            start_ns = self.place_ns(line.stream, line.start)
            whole = line is last[line.stream]
            self._found.append(
                Found(line=line, start_ns=start_ns, at_ns=self._at_ns(line), whole=whole)
            )

    def _note(self, lines: Sequence[Event | Gap]) -> None:
        for line in lines:
            at_ns = self._at_ns(line)
            told = self._in_seconds(line) if isinstance(line, Gap) else line
            self._found.append(Found(line=told, start_ns=at_ns, at_ns=at_ns))

    def _at_ns(self, line: Event | Gap | Reading) -> int:
        here_ns = self.positions_ns.get(line.stream, 0)
        if isinstance(line, Reading):
            return self.place_ns(line.stream, line.end)
        if isinstance(line, Gap) or self._kinds.get(line.stream) != "audio":
            return here_ns
        ticks = max(line.start, line.end or line.start, line.worst_tick or line.start)
        return min(here_ns, self.place_ns(line.stream, ticks))

    def _in_seconds(self, gap: Gap) -> Gap:
        """Return a gap in seconds, whatever was counted: gaps of a file must add up."""
        lost_s = gap.amount
        if gap.unit == "samples":
            lost_s *= float(self._ns[gap.stream]) / NS
        elif gap.unit in ("packets", "frames"):
            lost_s *= self._packet_ns.get(gap.stream, 0) / NS
        return gap.model_copy(update={"amount": lost_s, "unit": "s"})
