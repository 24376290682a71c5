"""The service: which session runs, who is paired, and what inputs were found."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from api.find_inputs import find
from api.live import Live
from api.pairing import Devices
from api.session import Mode, Plan, Session
from capture.source import Found
from config.loading import load_spec
from config.settings import NAME_LIMIT, Production, Settings, SourceSettings
from monitor import clocks

CHOSEN = "inputs.json"
PRACTICE_FOLDER = "practice"
PRACTICE_PRODUCTION = Production(name="The Long Field")  # no shoot of that name: it is practice
PRACTICE_SOURCES = (
    SourceSettings.model_validate(
        {
            "id": "sound-cart",
            "kind": "synthetic",
            "name": "Sound cart",
            "department": "sound",
            "scene": "sound",
            "programme": [1, 2],
        }
    ),
    SourceSettings.model_validate(
        {
            "id": "cam-a",
            "kind": "synthetic",
            "name": "A camera",
            "department": "camera",
            "scene": "camera_a",
        }
    ),
    SourceSettings.model_validate(
        {
            "id": "cam-b",
            "kind": "synthetic",
            "name": "B camera",
            "department": "camera",
            "scene": "camera_b",
        }
    ),
)


class Busy(Exception):
    """The session cannot be changed now; the message says why."""


class Service:
    """One service process. ``settings`` is the file's, or None without one."""

    def __init__(
        self, settings: Settings | None, folder: Path, *, relative_to: Path | None = None
    ) -> None:
        self.configured = settings is not None
        self.settings = settings or Settings()
        self.folder, self._relative_to = folder, relative_to
        self.live = Live()
        self.devices = Devices(folder, self.live.close_device)
        self.inputs: list[Found] = []
        self.network: list[str] = []
        """Addresses of the page on the set's network, when it is open to it."""
        self._session: Session | None = None
        self._switching = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def session(self) -> Session:
        """The session that runs."""
        assert self._session is not None, "the service has not started"
        return self._session

    # -- life -----------------------------------------------------------------------------------

    async def start(self, *, practice: bool = False) -> None:
        """Begin: the configured or once chosen inputs, practice, or a look at what is there."""
        chosen = self.settings.source or self._remembered()
        if practice:
            plan = self._practice()
        elif self.configured or chosen:
            plan = self._monitoring(chosen)
        else:
            plan = self._first_run()
        await self._begin(plan)
        self._tasks = [asyncio.create_task(self.live.heartbeat(clocks.utc_ns, self._alive))]
        if plan.mode == "first_run":
            self._tasks.append(asyncio.create_task(self._look()))

    async def stop(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.live.restart()
        if self._session is not None:
            await self._session.stop()

    def _alive(self) -> bool:
        return self._session is not None and self._session.alive()

    async def _look(self) -> None:
        """Look for inputs; where there is none, practise at once."""
        if not await self.find() and self.session.plan.mode == "first_run":
            await self._switch(self._practice())

    async def find(self) -> list[Found]:
        """Look for inputs now and remember them, so that an index means one input."""
        self.inputs = await find()
        return self.inputs

    # -- sessions -------------------------------------------------------------------------------

    def _plan(self, mode: Mode, sources: Sequence[SourceSettings], folder: Path) -> Plan:
        settings = self.settings.model_copy(update={"source": list(sources)})
        spec = load_spec(settings.spec, self._relative_to)
        return Plan(mode=mode, settings=settings, spec_name=settings.spec, spec=spec, folder=folder)

    def _practice(self) -> Plan:
        plan = self._plan("practice", PRACTICE_SOURCES, self.folder / PRACTICE_FOLDER)
        if self.configured:
            return plan
        settings = plan.settings.model_copy(update={"production": PRACTICE_PRODUCTION})
        return replace(plan, settings=settings)

    def _monitoring(self, sources: Sequence[SourceSettings]) -> Plan:
        return self._plan("monitoring", sources, self.folder)

    def _first_run(self) -> Plan:
        return self._plan("first_run", (), self.folder)

    async def _begin(self, plan: Plan) -> None:
        session = Session(plan, self.live)
        await session.start()
        self._session = session

    async def _switch(self, plan: Plan) -> None:
        """Swap the session as one; the pages connect again to the new one."""
        async with self._switching:
            old = self.session
            if old.hub.book.rolling_groups() and old.plan.mode == "monitoring":
                raise Busy("a take is rolling: cut it first")
            await old.stop()
            self.live.restart()
            await self._begin(plan)

    async def practise(self) -> None:
        """Start the practice feeds."""
        await self._switch(self._practice())

    async def watch(self, inputs: Sequence[int]) -> None:
        """Watch inputs that were found, also after a restart. Raises ``IndexError``."""
        chosen = sources_of([self.inputs[index] for index in inputs])
        await self._switch(self._monitoring(chosen))
        self._remember(chosen)

    async def watch_configured(self) -> None:
        """Back to the configured inputs; without any, to the choice."""
        if self.settings.source:
            await self._switch(self._monitoring(self.settings.source))
            return
        self._remember([])
        await self._switch(self._first_run())

    def _remembered(self) -> list[SourceSettings]:
        try:
            rows = json.loads((self.folder / CHOSEN).read_text())
            return [SourceSettings.model_validate(row) for row in rows]
        except (OSError, ValueError):
            return []

    def _remember(self, chosen: Sequence[SourceSettings]) -> None:
        """Keep the choice: a restart in mid-take must watch on without anybody's tap."""
        fresh = self.folder / f"{CHOSEN}.new"
        fresh.write_text(json.dumps([source.model_dump(mode="json") for source in chosen]))
        fresh.replace(self.folder / CHOSEN)


def sources_of(inputs: Sequence[Found]) -> list[SourceSettings]:
    """Return settings for inputs that were found, each with an id of its own."""
    sources: list[SourceSettings] = []
    for one in inputs:
        slug = re.sub(r"[^a-z0-9]+", "-", one.name.lower()).strip("-")[:24] or one.kind
        taken = {source.id for source in sources}
        numbered = (f"{slug}-{number}" for number in range(2, len(inputs) + 2))
        unique = slug if slug not in taken else next(i for i in numbered if i not in taken)
        sources.append(
            SourceSettings.model_validate(
                {**one.options, "id": unique, "kind": one.kind, "name": one.name[:NAME_LIMIT]}
            )
        )
    return sources
