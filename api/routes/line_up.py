"""The line-up: the morning check of every source."""

from fastapi import APIRouter
from pydantic import BaseModel

from api import clocks
from api.messages import PhaseRequest
from api.routes.needs import Logger, TheSession, Viewer
from config.spec import Phase

router = APIRouter(tags=["line-up"])


class LineUp(BaseModel):
    """Whether the line-up is on, and the phase that makes."""

    line_up: bool
    phase: Phase


@router.get("/line-up")
async def line_up(session: TheSession, who: Viewer) -> LineUp:
    """Say whether the line-up is on."""
    return LineUp(line_up=session.hub.line_up, phase=session.hub.phase)


@router.put("/line-up")
async def set_line_up(session: TheSession, who: Logger, ask: PhaseRequest) -> LineUp:
    """Start or end the line-up."""
    t_ns = clocks.mono_ns()
    session.hub.set_line_up(ask.line_up, t_ns, who.who)
    session.control("line_up", t_ns, on=ask.line_up)
    return LineUp(line_up=session.hub.line_up, phase=session.hub.phase)
