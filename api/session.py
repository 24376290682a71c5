"""One session: settings, journal, line log, supervisor and hub, started and swapped as one."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal
from uuid import uuid4

from api.disk import Filling, free_bytes
from api.identity import Identity
from api.live import Live
from api.messages import (
    METERS_HZ,
    REPLAY_LIMIT,
    Glance,
    Hello,
    Layout,
    RecordMessage,
    SessionView,
    Snapshot,
    View,
)
from api.meters import Meters
from api.resuming import resume
from api.specs import spec_view
from api.version import takewatch_version
from api.views import Since, source_views, steady
from config.settings import Settings
from config.spec import Spec
from monitor import clocks
from monitor.hub import ourselves
from monitor.hub.hub import Hub
from monitor.hub.watching import Watching
from monitor.journal.journal import Journal
from monitor.line_log import LineLog
from monitor.lines import OutLine
from monitor.records import Record, Take
from monitor.rules.model import Alert
from monitor.rules.table import detector_limits, rules_for
from monitor.supervisor import Supervisor
from monitor.takes.shooting_day import shooting_day, zone

log = logging.getLogger(__name__)

TICK_S = 0.1
CLOCK_S = 1.0
STORAGE_S = 10.0
VIEW_S = 0.05  # several changes of one moment go out together
METERS_AGAIN_S = 0.25
TAKES_SHOWN = 50
TRACES_SHOWN = 100  # alerts; more than a page lists, 60 kB
ALIVE_S = 1.0  # a loop that has not ticked for this long beats no more: pages say NOT MONITORED
STILLS = "stills"
STILLS_KEPT = 5000  # 48 KiB each: 240 MB

Mode = Literal["first_run", "practice", "monitoring"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a session is made from."""

    mode: Mode
    settings: Settings
    spec_name: str
    spec: Spec
    folder: Path


class Session:
    """Everything that watches. Owned by one event loop."""

    def __init__(self, plan: Plan, live: Live) -> None:
        self.plan, self.live = plan, live
        production = plan.settings.production
        self.zone = zone(production.time_zone)
        self.boot_id = clocks.boot_id()
        self.journal = Journal(
            plan.folder,
            production=production.name,
            unit=production.unit,
            boot_id=self.boot_id,
            on_writable=self._on_writable,
        )
        self.line_log = LineLog(plan.folder, round(plan.settings.storage.line_log_gib * 2**30))
        sources = plan.settings.source
        self.hub = Hub(
            sources,
            rules_for(plan.spec, "feed"),
            production=production.name,
            unit=production.unit,
            boot_id=self.boot_id,
            day=self.day_of,
            new_id=_new_id,
        )
        limits = detector_limits(plan.spec, "feed")
        self.supervisor = Supervisor(
            sources, self._deliver, limits={settings.id: limits for settings in sources}
        )
        self.meters = Meters()
        self._since = Since()
        self._recording = True
        self._stopping = False
        self._ticked_s = 0.0
        self._view_due: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._filling = Filling()
        self.spec_view = spec_view(plan.spec_name, plan.spec)

    # -- life -----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the journal, continue where it ended, and start the workers.

        Raises ``JournalBusy`` and ``JournalNewer``.
        """
        self._loop = asyncio.get_running_loop()
        self._clock()
        for source in self.hub.watching.values():
            source.since_ns = clocks.mono_ns()
        self.journal.start()
        self.live.last_seq = self.journal.last_seq
        production, t_ns = self.plan.settings.production, clocks.mono_ns()
        resume(self.hub, self.journal.reader, production, self.day(), t_ns)
        for text in self.journal.notices:
            self.hub.notice(text, clocks.mono_ns(), warning=True)
        self.apply()
        self.line_log.start()
        await self.supervisor.start()
        for name, baseline in self.hub.line_up.baselines().items():
            self.supervisor.send(name, baseline)
        self._ticked_s = self._loop.time()
        loops = (self._tick_loop, self._meters_loop, self._clock_loop, self._storage_loop)
        self._tasks = [asyncio.create_task(loop()) for loop in loops]

    async def stop(self) -> None:
        """Stop the workers, write what waits, close."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.supervisor.stop()
        self.tick()
        if self._view_due is not None:
            self._view_due.cancel()
        self._loop = None
        await asyncio.gather(
            asyncio.to_thread(self.line_log.close), asyncio.to_thread(self.journal.close)
        )

    def alive(self) -> bool:
        """Say whether the loop that judges has run of late."""
        return self._loop is not None and self._loop.time() - self._ticked_s < ALIVE_S

    # -- days -----------------------------------------------------------------------------------

    def day_of(self, utc_ns: int) -> str:
        """Return the shooting day of a moment."""
        return shooting_day(utc_ns, self.plan.settings.production.day_starts, self.zone)

    def day(self) -> str:
        """Return the shooting day it is now."""
        return self.day_of(clocks.utc_ns())

    # -- doing ----------------------------------------------------------------------------------

    def _deliver(self, line: OutLine, t_arrival_ns: int) -> None:
        self.line_log.line(line, t_arrival_ns)
        self.hub.line(line, t_arrival_ns)
        self.apply()
        if line.line in ("hello", "state", "still"):
            self._show()

    def apply(self) -> None:
        """Carry out what the hub asks for."""
        effects = self.hub.drain()
        for entry in effects.entries:
            utc_ns = self.hub.wall.utc(entry.t_ns)
            record = self.journal.append(
                entry.body,
                t_ns=entry.t_ns,
                utc_ns=utc_ns,
                day=self.day_of(utc_ns),
                who=entry.who,
                on_durable=self._on_durable,
            )
            self.live.record(record)
        for source, line in effects.sends if not self._stopping else ():
            self.supervisor.send(source, line)
        for alert, jpeg in effects.stills:
            asyncio.get_running_loop().run_in_executor(
                None, _keep_still, self.plan.folder / STILLS, alert, jpeg
            )
        if effects.entries:
            self._checkpoint()
            self._show()

    def _checkpoint(self) -> None:
        t_ns = clocks.mono_ns()
        utc_ns = self.hub.wall.utc(t_ns)
        kept = {
            "engine": self.hub.engine.state(),
            "next_take": self.hub.book.next_take.model_dump_json(),
        }
        for key, value in kept.items():
            self.journal.checkpoint(key, value, t_ns=t_ns, utc_ns=utc_ns)

    def _soon(self, call: Callable[[], None]) -> None:
        """Run on the loop from the journal's thread; after the end nobody listens any more."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call)

    def _on_durable(self, seq: int) -> None:
        self._soon(partial(self.live.durable, seq))

    def _on_writable(self, writable: bool, why: str) -> None:
        self._soon(partial(self._recording_changed, writable, why))

    def _recording_changed(self, writable: bool, why: str) -> None:
        if writable == self._recording:
            return
        self._recording = writable
        text = "recording again" if writable else f"NOT RECORDED: {why}"
        self.hub.notice(text, clocks.mono_ns(), warning=not writable)
        self.apply()
        self._show()

    def control(self, what: str, t_ns: int, **fields: object) -> None:
        """Write what a person did into the line log, and carry it out."""
        self.line_log.control(what, t_ns, **fields)
        self.apply()
        self._show()

    # -- loops ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """Let time pass once."""
        self.journal.rollup(self.hub.tick(clocks.mono_ns()))
        self.apply()

    async def _tick_loop(self) -> None:
        loop, failing = asyncio.get_running_loop(), False
        while True:
            try:
                self.tick()
                self._ticked_s = loop.time()
                failing = False
            except Exception:  # judging goes on; pages say NOT MONITORED meanwhile
                if not failing:
                    log.exception("service: a moment could not be judged")
                failing = True
            await asyncio.sleep(TICK_S)

    async def _meters_loop(self) -> None:
        loop = asyncio.get_running_loop()
        sent, sent_s = -1, 0.0
        while True:
            await asyncio.sleep(1 / METERS_HZ)
            count = sum(source.readings for source in self.hub.watching.values())
            if count == sent and loop.time() - sent_s < METERS_AGAIN_S:
                continue
            sent, sent_s = count, loop.time()
            sources = list(self.hub.watching.values())
            if self.meters.follow(sources):
                self.live.layout(Layout(layout=self.meters.layout, meters=self.meters.slots))
            if self.live.clients:
                self.live.meters(self.meters.snapshot(sources, self._age_s(sources)))

    def _age_s(self, sources: list[Watching]) -> float:
        seen = [s.last_seen_ns for s in sources if s.state == "live" and s.last_seen_ns is not None]
        return (clocks.mono_ns() - min(seen)) / 1e9 if seen else 0.0

    def _clock(self) -> None:
        self.hub.clock(*clocks.pair())

    async def _clock_loop(self) -> None:
        while True:
            self._clock()
            self._checkpoint()
            await asyncio.sleep(CLOCK_S)

    async def _storage_loop(self) -> None:
        while True:
            free = await asyncio.to_thread(free_bytes, self.plan.folder)
            t_ns = clocks.mono_ns()
            if free is not None:
                ourselves.storage(self.hub, self._filling.minutes_left(free, t_ns), free, t_ns)
                self.apply()
            await asyncio.sleep(STORAGE_S)

    # -- showing --------------------------------------------------------------------------------

    def _show(self) -> None:
        """Send the view soon; several changes of one moment go out together."""
        if self._view_due is None and self._loop is not None:
            self._view_due = self._loop.call_later(VIEW_S, self._send_view)

    def _send_view(self) -> None:
        self._view_due = None
        sources, glances = source_views(self.hub), self.glances()
        phase, slate = self.hub.phase, self.hub.book.next_take
        told = [steady(source) for source in sources]
        self.live.view(
            (self.recording, self.day(), phase, told, glances, slate),
            lambda identity: View(
                session=self.session_view(identity),
                phase=phase,
                sources=sources,
                glance=glances,
                next_take=slate,
            ).model_dump_json(),
        )

    def glances(self) -> list[Glance]:
        """Return every department's word."""
        return self._since.glances(self.hub.glances(), clocks.utc_ns())

    @property
    def recording(self) -> bool:
        """Whether the journal can be written."""
        return self.journal.writable

    def session_view(self, identity: Identity) -> SessionView:
        """Return what this service is doing, and who asks."""
        production = self.plan.settings.production
        return SessionView(
            mode=self.plan.mode,
            production=production.name,
            unit=production.unit,
            day=self.day(),
            recording=self.recording,
            role=identity.role,
            who=identity.who,
        )

    def snapshot(self, identity: Identity) -> Snapshot:
        """Return everything a page needs to draw itself from nothing."""
        takes = self.takes()[-TAKES_SHOWN:]
        return Snapshot(
            seq=self.live.last_seq,
            session=self.session_view(identity),
            spec=self.spec_view,
            phase=self.hub.phase,
            sources=source_views(self.hub),
            glance=self.glances(),
            alerts=_with_newest_traces(self.hub.told({take.id for take in takes})),
            takes=takes,
            next_take=self.hub.book.next_take,
            clock_offset_ns=self.hub.wall.offset_ns,
        )

    def takes(self) -> list[Take]:
        """Return the takes of today, and any that still rolls, in order."""
        today = self.day()
        return [take for take in self.hub.book.takes if take.day == today or take.rolling]

    def hello(self, missed: int) -> Hello:
        """Return the first message of a connection."""
        return Hello(
            version=takewatch_version(),
            journal_id=self.journal.journal_id,
            server_utc_ns=clocks.utc_ns(),
            missed=missed,
            meters=self.meters.slots,
            layout=self.meters.layout,
        )

    async def greet(self, identity: Identity, since: int | None) -> AsyncIterator[str]:
        """Return hello, snapshot and what was missed; the cut is made before the first await."""
        up_to = self.live.last_seq
        unconfirmed = [r for r in self.live.outflow.unconfirmed() if since is None or r.seq > since]
        snapshot = self.snapshot(identity).model_dump_json()
        missed, replayed = 0, list[Record]()
        if since is not None and since < up_to:
            count = await asyncio.to_thread(self._count, since, up_to)
            if count > REPLAY_LIMIT:
                missed = count
            else:
                replayed = await asyncio.to_thread(self._records, since, up_to)
        hello = self.hello(missed).model_dump_json()
        return _greeting(hello, snapshot, replayed, [] if since is None else unconfirmed)

    def _count(self, since: int, up_to: int) -> int:
        try:
            return self.journal.reader.count(since, up_to)
        except sqlite3.Error:
            return 0

    def _records(self, since: int, up_to: int) -> list[Record]:
        try:
            return self.journal.reader.records(since, REPLAY_LIMIT, up_to)
        except sqlite3.Error:
            return []


async def _greeting(
    hello: str, snapshot: str, replayed: list[Record], unconfirmed: list[Record]
) -> AsyncIterator[str]:
    yield hello
    yield snapshot
    known = {record.seq for record in replayed}
    for record in replayed:
        yield RecordMessage(record=record).model_dump_json()
    for record in unconfirmed:
        if record.seq not in known:
            yield RecordMessage(record=record).model_dump_json()


def _with_newest_traces(alerts: list[Alert]) -> list[Alert]:
    """Leave out the level traces of all but the newest: a bad day's would be a megabyte."""
    old = {alert.id for alert in alerts[:-TRACES_SHOWN]}
    return [
        alert.model_copy(update={"trace": None}) if alert.id in old else alert for alert in alerts
    ]


def _new_id() -> str:
    return uuid4().hex[:16]


def _keep_still(folder: Path, alert: str, jpeg: bytes) -> None:
    """Keep the picture of an alert; a full disk costs the picture only."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in folder.iterdir()) < STILLS_KEPT:
            (folder / f"{alert}.jpg").write_bytes(jpeg)
    except OSError:
        return
