"""The body of a worker: items and commands in, lines out, on the process's main thread."""

import base64
import os
import time
from collections import deque
from dataclasses import dataclass, field

import capture.sources  # noqa: F401  fills the registry
from capture.source import KINDS, Ended, Frame, Item, Source, StreamInfo
from config.settings import SourceSettings
from monitor import clocks, lines
from monitor.measure.described import describe
from monitor.measure.look import Look
from monitor.measure.picture.still import still_jpeg
from monitor.measure.pipeline import Pipeline
from monitor.worker.climbing import Climbing
from monitor.worker.handover import HandOver, Outcome
from monitor.worker.outbox import Outbox
from monitor.worker.reader import Reader

READINGS_HZ = 25
HEARTBEAT_NS = 250_000_000
CLOCK_NS = 1_000_000_000
READING_NS = 1_000_000_000 // READINGS_HZ
STILL_RING = 24  # two a second for 10 s and some: what an on-delay may still ask for
STALLED_SHARE = 0.6  # of the stall time without an item: said before it is a loss
LATE_NS = 30_000_000  # woken later than this, the process was kept from running
CATCH_UP_NS = 50_000_000  # and its reader may take as long to read what came meanwhile
LAST_WORDS_LIMIT_S = 1.0  # to be written, twice; a service that stops kills before that
CLOSE_LIMIT_S = 0.5  # a device that has gone never closes

EXIT_ASKED = 0
EXIT_ENDED = 3
EXIT_LOST = 4
EXIT_NOT_OPENED = 5


@dataclass(slots=True)
class _Flow:
    """Readings the other side can take. Until it says so the first time, the pipe itself decides.

    So a worker run by hand flows as fast as its pipe is read, 25 times a second at most.
    """

    told: bool = False
    credit: int = 0
    merged: int = 0

    def grant(self, readings: int) -> None:
        self.told = True
        self.credit = min(self.credit + readings, lines.READINGS_IN_FLIGHT)

    def open(self) -> bool:
        return self.credit > 0 or not self.told

    def spend(self) -> None:
        self.credit -= 1


@dataclass(slots=True)
class _Times:
    """When each regular line is due next, monotonic ns."""

    heartbeat: int = 0
    clock: int = 0
    reading: int = 0


@dataclass(slots=True)
class _Said:
    """What was last said of the source, so that changes are told from heartbeats."""

    state: lines.SourceState = "starting"
    why: str | None = None
    seq: int = 0
    coarser: int = 0
    stills: dict[int, deque[lines.Still]] = field(default_factory=dict)


class Measuring:
    """One source session: feeds the pipeline and says what it finds."""

    def __init__(self, opening: lines.Open, door: HandOver, outbox: Outbox, node: str) -> None:
        self._settings = SourceSettings.model_validate(opening.source)
        self._limits = dict(opening.limits)
        self._baseline = dict(opening.baseline)
        self._epoch = opening.epoch
        self._integrating = True
        self._door, self._out, self._node = door, outbox, node
        self._source = self._make()
        self.reader = Reader(self._source, door)
        self._pipeline: Pipeline | None = None
        self._flow, self._due, self._said = _Flow(), _Times(), _Said()
        self._waiting: deque[lines.Reading] = deque()
        self._fresh = False
        self._arrival_ns = 0
        self._closing = False
        self._late_ns = 0
        self.beat_ns = now = time.monotonic_ns()
        self._climbing = Climbing(self._source, now)

    @property
    def stall_s(self) -> float:
        """Silence longer than this is a stall, in seconds."""
        return self._source.stall_s

    @property
    def open_limit_s(self) -> float:
        """Opening takes longer than this only where it hangs, in seconds."""
        return self._source.open_limit_s

    @property
    def source_id(self) -> str:
        """The source's id."""
        return self._settings.id

    def _make(self) -> Source:
        """Make the source of its kind. Raises ``ValueError`` on an unknown kind or option."""
        kind = KINDS.get(self._settings.kind)
        if kind is None:
            known = ", ".join(sorted(KINDS))
            raise ValueError(f"unknown source kind {self._settings.kind!r}; known are {known}")
        source = kind.make(kind.options.model_validate(self._settings.options))
        if self._settings.stall_s is not None:
            source.stall_s = self._settings.stall_s
        return source

    def run(self) -> int:
        """Work until the source or the input ends; return the exit status."""
        self.reader.start()
        while True:
            self.beat_ns = now = time.monotonic_ns()
            self._say_what_is_due(now)
            due = self._next_due(now)
            asked_ns = time.monotonic_ns()
            taken = self._door.take((due - now) / 1e9)
            self._climbing.waited(asked_ns, time.monotonic_ns())
            self._note_lateness(due)
            if taken.opened is not None:
                self._begin(taken.opened)
            for command in taken.commands:
                self._obey(command)
            for item in taken.items:
                self._feed(item)
            self._climbing.look(now)
            if self._closing or taken.end_of_input or self._out.broken:
                return self._finish(Outcome("ended", "closed"), EXIT_ASKED)
            if taken.outcome is not None:
                return self._over(taken.outcome)

    # what comes in

    def _begin(self, streams: tuple[StreamInfo, ...]) -> None:
        self._pipeline = self._new_pipeline(streams, self._epoch)
        self._climbing.opened(streams, time.monotonic_ns())
        self._hello()
        self._state("live", None)

    def _new_pipeline(self, streams: tuple[StreamInfo, ...], epoch: int) -> Pipeline:
        programme, look = self._settings.programme, self._settings.look
        pipeline = Pipeline(
            self.source_id,
            streams,
            limits=self._limits,
            programme=None if programme is None else [channel - 1 for channel in programme],
            pairs=[(left - 1, right - 1) for left, right in self._settings.pairs],
            baseline=self._baseline,
            look=Look.of_percent(look.clip_percent, look.crush_percent, look.masks),
            epoch=epoch,
        )
        pipeline.integrate(on=self._integrating)
        return pipeline

    def _feed(self, item: Item) -> None:
        if self._pipeline is None:
            return
        epoch = self._pipeline.epoch
        self._climbing.take(item, time.monotonic_ns())
        self._pipeline.feed(item)
        self._arrival_ns = item.t_arrival_ns
        self._fresh = True
        if self._pipeline.epoch != epoch:
            self._hello()
        self._say_events()
        if isinstance(item, Frame):
            self._still(item)
        if isinstance(item, Ended):
            self._drain()

    def _obey(self, command: lines.InLine) -> None:
        match command:
            case lines.Credit():
                self._flow.grant(command.readings)
            case lines.Reset():
                self._reset(command.take)
            case lines.Integrate():
                self._integrate(on=command.on)
            case lines.Keep():
                self._keep(command)
            case lines.Limits():
                self._limits = dict(command.limits)
                self._restart()
            case lines.Baseline():
                self._baseline = dict(command.baseline)
                if self._pipeline is not None:
                    self._pipeline.learn(self._baseline)
            case lines.Close():
                self._closing = True
            case lines.Open():
                pass  # one process watches one source: a second open is answered by nothing

    def _restart(self) -> None:
        """Begin a new epoch with the limits of now: open episodes close, integrals restart."""
        old = self._pipeline
        if old is None:
            return
        old.feed(Ended(reason="limits changed", t_arrival_ns=self._arrival_ns))
        self._say_events()
        self._drain()
        self._pipeline = self._new_pipeline(old.streams, old.epoch + 1)
        self._pipeline.thin(old.thinned)
        self._hello()

    def _reset(self, take: str | None) -> None:
        pipeline = self._pipeline
        ticks = {} if pipeline is None else pipeline.reset()
        epoch = self._epoch if pipeline is None else pipeline.epoch
        self._out.put(
            lines.ResetDone(
                source=self.source_id,
                take=take,
                epoch=epoch,
                ticks=ticks,
                t_mono_ns=time.monotonic_ns(),
            )
        )

    def _integrate(self, *, on: bool) -> None:
        self._integrating = on
        pipeline = self._pipeline
        self._out.put(
            lines.IntegrateDone(
                source=self.source_id,
                on=on,
                epoch=self._epoch if pipeline is None else pipeline.epoch,
                ticks={} if pipeline is None else pipeline.integrate(on=on),
                t_mono_ns=time.monotonic_ns(),
            )
        )

    # what goes out

    def _hello(self) -> None:
        assert self._pipeline is not None
        names = self._settings.channel_names
        self._out.put(
            lines.Hello(
                node=self._node,
                boot_id=clocks.boot_id(),
                pid=os.getpid(),
                source=self.source_id,
                kind=self._settings.kind,
                practice=self._source.practice,
                epoch=self._pipeline.epoch,
                latency_s=self._source.latency_s,
                streams=[describe(info, names) for info in self._pipeline.streams],
            )
        )

    def _say_events(self) -> None:
        assert self._pipeline is not None
        for event in self._pipeline.events():
            self._out.put(event)

    def _say_what_is_due(self, now: int) -> None:
        if now >= self._due.reading:
            self._due.reading = max(self._due.reading + READING_NS, now)
            self._readings()
        if now >= self._due.clock:
            self._due.clock = now + CLOCK_NS
            mono, utc, error = clocks.pair()
            self._out.put(
                lines.Clock(source=self.source_id, t_mono_ns=mono, utc_ns=utc, error_ns=error)
            )
        self._look_for_a_stall(now)
        if now >= self._due.heartbeat:
            self._due.heartbeat = now + HEARTBEAT_NS
            self._out.put(self._state_line(), beat=True)

    def _next_due(self, now: int) -> int:
        due = min(self._due.heartbeat, self._due.clock)
        silent = self.reader.arrivals.due_ns(now)
        if silent is not None and self.reader.is_open:
            due = min(due, silent)
        if self._late_ns + CATCH_UP_NS >= now:
            due = min(due, self._late_ns + CATCH_UP_NS + 1)
        waiting = self._fresh or bool(self._waiting)
        return min(due, self._due.reading) if waiting else due

    def _readings(self) -> None:
        """Drain and send, or where nobody can take it let it merge with the next and count."""
        if not self._waiting and self._fresh:
            if not self._flow.open() or self._out.readings_waiting():
                self._flow.merged += 1
                self._said.coarser += 1
                return
            self._drain()
        while self._waiting and self._flow.open():
            self._out.put(self._waiting.popleft())
            self._flow.spend()

    def _drain(self) -> None:
        """Take the readings out of the pipeline, numbered on through the whole session."""
        assert self._pipeline is not None
        for reading in self._pipeline.readings(self._arrival_ns):
            update = {"seq": self._said.seq, "intervals": self._flow.merged + 1}
            self._waiting.append(reading.model_copy(update=update))
            self._said.seq += 1
        self._say_events()
        self._flow.merged, self._fresh = 0, False

    def _state_line(self) -> lines.State:
        return lines.State(
            source=self.source_id,
            state=self._said.state,
            why=self._said.why,
            t_mono_ns=time.monotonic_ns(),
            coarser=self._said.coarser,
            dropped=dict(self._out.dropped),
        )

    def _state(self, state: lines.SourceState, why: str | None) -> None:
        self._said.state, self._said.why = state, why
        self._out.put(self._state_line())

    def _note_lateness(self, due: int) -> None:
        """Note when this process woke late: then what has arrived may still wait to be read."""
        now = time.monotonic_ns()
        if now - due > LATE_NS:
            self._late_ns = now

    def _look_for_a_stall(self, now: int) -> None:
        if not self.reader.is_open or self._pipeline is None:
            return
        why = self.reader.arrivals.silence(now)
        quiet_s = (now - self.reader.item_ns) / 1e9
        if why is None and quiet_s > STALLED_SHARE * self.stall_s:
            why = "connected, but nothing arrives"
        if why is None and self._said.state == "stalled":
            self._state("live", None)
        elif why not in (None, self._said.why) and now - self._late_ns > CATCH_UP_NS:
            self._state("stalled", why)

    def _still(self, frame: Frame) -> None:
        jpeg = still_jpeg(frame)
        if jpeg is None:
            return
        assert self._pipeline is not None
        still = lines.Still(
            source=self.source_id,
            stream=frame.stream,
            epoch=self._pipeline.epoch,
            tick=frame.pts,
            jpeg_base64=base64.b64encode(jpeg).decode(),
            t_arrival_ns=frame.t_arrival_ns,
        )
        self._said.stills.setdefault(frame.stream, deque(maxlen=STILL_RING)).append(still)
        self._out.put(still)

    def _keep(self, wanted: lines.Keep) -> None:
        """Send the still nearest to a tick again, for the journal to keep."""
        ring = [
            still for still in self._said.stills.get(wanted.stream, ()) if still.tick is not None
        ]
        if ring:
            nearest = min(ring, key=lambda still: abs((still.tick or 0) - wanted.tick))
            self._out.put(nearest, kept=True)

    # the end

    def _over(self, outcome: Outcome) -> int:
        if outcome.state == "ended":
            return self._finish(outcome, EXIT_ENDED)
        status = EXIT_NOT_OPENED if outcome.state == "failed" else EXIT_LOST
        return self._finish(Outcome("lost", outcome.why), status)

    def _finish(self, outcome: Outcome, status: int) -> int:
        """Say the last of the source, then close it; the process ends whether it closes or not."""
        if self._pipeline is not None and self._fresh:
            self._drain()
        self._send_rest()
        self._out.flush(
            LAST_WORDS_LIMIT_S
        )  # states go first otherwise, and this one is the last word
        self._state("ended" if outcome.state == "ended" else "lost", outcome.why)
        self._out.flush(LAST_WORDS_LIMIT_S)
        self.reader.stop(CLOSE_LIMIT_S)
        return status

    def _send_rest(self) -> None:
        """Send what the end left over, credit or not: at most a reading a stream."""
        while self._waiting:
            self._out.put(self._waiting.popleft())
