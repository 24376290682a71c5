"""Whether the service lives, and what it does."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.routes.needs import TheService, TheSession, Viewer
from api.session import Mode
from api.version import takewatch_version

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """How the monitor is. ``recording`` false: the journal cannot be written."""

    status: Literal["ok", "stalled"]
    version: str
    mode: Mode
    recording: bool
    journal_waiting: int
    line_log_fault: str | None
    sources: int
    sources_live: int
    clients: int
    clock_error_ns: int | None


@router.get("/health")
async def health(service: TheService, session: TheSession, who: Viewer) -> Health:
    """Say how the monitor itself is."""
    sources = list(session.hub.watching.values())
    return Health(
        status="ok" if session.alive() else "stalled",
        version=takewatch_version(),
        mode=session.plan.mode,
        recording=session.recording,
        journal_waiting=session.journal.waiting,
        line_log_fault=session.line_log.fault,
        sources=len(sources),
        sources_live=sum(source.state == "live" for source in sources),
        clients=len(service.live.clients),
        clock_error_ns=session.hub.wall.error_ns,
    )
