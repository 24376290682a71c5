"""The line-up: the morning check of every source."""

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from api.messages import LearnRequest, PhaseRequest
from api.routes.needs import Logger, TheSession, Viewer
from api.session import Session
from config.spec import Phase
from monitor import clocks
from monitor.records import LineUpBody

router = APIRouter(tags=["line-up"])


class LineUp(BaseModel):
    """Whether the line-up is on, the phase that makes, and what this day's has learned."""

    line_up: bool
    phase: Phase
    learned: list[LineUpBody]


def _now(session: Session) -> LineUp:
    hub = session.hub
    learned = [one.body for one in hub.line_up.learned.values()]
    return LineUp(line_up=hub.line_up.on, phase=hub.phase, learned=learned)


@router.get("/line-up")
async def line_up(session: TheSession, who: Viewer) -> LineUp:
    """Say whether the line-up is on, and what this shooting day's has learned."""
    return _now(session)


@router.put("/line-up")
async def set_line_up(session: TheSession, who: Logger, ask: PhaseRequest) -> LineUp:
    """Start the line-up, or end it: what its channels show then is learned for the day."""
    t_ns = clocks.mono_ns()
    session.hub.set_line_up(ask.line_up, t_ns, who.who)
    session.control("line_up", t_ns, on=ask.line_up)
    return _now(session)


@router.post("/line-up/learn")
async def learn(session: TheSession, who: Logger, ask: LearnRequest) -> LineUp:
    """Learn what the channels show now; the line-up goes on."""
    t_ns = clocks.mono_ns()
    if not session.hub.line_up.on:
        raise HTTPException(409, "no line-up is on: start it first")
    if not session.hub.line_up.learn(session.hub, t_ns, who.who):
        raise HTTPException(409, "no source with sound is live")
    session.control("learn", t_ns)
    return _now(session)
