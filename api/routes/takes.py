"""Takes: roll, cut, edit, and the course of a take's readings."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query
from pydantic import BaseModel

from api.messages import CutRequest, RollRequest, TakeEdit
from api.routes.needs import Logger, TheSession, Viewer
from api.session import Session
from monitor import clocks
from monitor.metrics import Value
from monitor.records import Rollup, Take
from monitor.takes.book import TakeError

router = APIRouter(tags=["takes"])
METRICS_LIMIT = 32
COLUMNS_LIMIT = 256
SECONDS_LIMIT = 4 * 3600  # longer than any take; bounds one answer
TakeId = Annotated[str, Path(max_length=64)]


class Column(BaseModel):
    """One metric of one stream over a take: a value a second, unknown is null."""

    source: str
    stream: int
    metric: str
    utc_s: list[int]
    values: list[Value]


class Series(BaseModel):
    """The course of a take, from the one-second roll-ups."""

    take: str
    start_utc_ns: int
    end_utc_ns: int
    columns: list[Column]


@router.get("/takes")
async def takes(session: TheSession, who: Viewer) -> list[Take]:
    """Return the takes of this shooting day, the newest last."""
    return session.takes()


@router.post("/takes", status_code=201)
async def roll(session: TheSession, who: Logger, ask: RollRequest) -> Take:
    """Roll, all groups or some, now or up to 60 s ago."""
    t_ns = clocks.mono_ns()
    try:
        take = session.hub.roll(t_ns, who.who, **ask.model_dump())
    except TakeError as error:
        raise HTTPException(409, str(error)) from error
    session.control("roll", t_ns, **ask.model_dump())
    return take


@router.post("/takes/current/cut")
async def cut(session: TheSession, who: Logger, ask: CutRequest) -> Take:
    """Cut, all groups that roll or some."""
    t_ns = clocks.mono_ns()
    try:
        take = session.hub.cut(t_ns, who.who, ask.groups)
    except TakeError as error:
        raise HTTPException(409, str(error)) from error
    session.control("cut", t_ns, **ask.model_dump())
    return take


@router.get("/takes/{take}")
async def one(session: TheSession, who: Viewer, take: TakeId) -> Take:
    """Return one take; ``next`` is the slate of the next roll."""
    return _known(session, take)


@router.patch("/takes/{take}")
async def edit(session: TheSession, who: Logger, take: TakeId, ask: TakeEdit) -> Take:
    """Edit a take, or with ``next`` the slate of the next roll."""
    t_ns = clocks.mono_ns()
    _known(session, take)
    fields = ask.model_dump(exclude_none=True)
    try:
        edited = session.hub.edit(take, fields, t_ns, who.who)
    except TakeError as error:
        raise HTTPException(409, str(error)) from error
    session.control("edit", t_ns, take=take, roll_back_s=ask.roll_back_s)
    return edited


def _known(session: Session, take: str) -> Take:
    if take == "next":
        return session.hub.book.next_take
    for known in session.hub.book.takes:
        if known.id == take:
            return known
    raise HTTPException(404, f"no take {take}")


@router.get("/takes/{take}/series")
async def series(
    session: TheSession,
    who: Viewer,
    take: TakeId,
    metric: Annotated[list[str], Query(max_length=METRICS_LIMIT)],
    source: Annotated[str | None, Query(max_length=64)] = None,
) -> Series:
    """Return metrics second by second over a take, of one source or all."""
    known = _known(session, take)
    if not known.parts:
        raise HTTPException(404, f"take {take} has not rolled")
    start_ns = min(part.roll_utc_ns for part in known.parts)
    ends = [part.cut_utc_ns for part in known.parts]
    end_ns = max(end if end is not None else clocks.utc_ns() for end in ends)
    end_ns = min(end_ns, start_ns + SECONDS_LIMIT * 1_000_000_000)
    sources = [source] if source else list(session.hub.watching)
    span = (start_ns // 1_000_000_000, end_ns // 1_000_000_000 + 1)
    columns: list[Column] = []
    for name in sources:
        rows = await asyncio.to_thread(session.journal.reader.rollups, name, *span)
        columns += _columns(name, rows, metric)
    return Series(
        take=known.id,
        start_utc_ns=start_ns,
        end_utc_ns=end_ns,
        columns=columns[:COLUMNS_LIMIT],
    )


def _columns(source: str, rows: list[Rollup], metrics: list[str]) -> list[Column]:
    columns: list[Column] = []
    for stream in sorted({row.stream for row in rows}):
        mine = [row for row in rows if row.stream == stream]
        columns += [
            Column(
                source=source,
                stream=stream,
                metric=metric,
                utc_s=[row.utc_s for row in mine],
                values=[row.values.get(metric) for row in mine],
            )
            for metric in metrics
            if any(metric in row.values for row in mine)
        ]
    return columns
