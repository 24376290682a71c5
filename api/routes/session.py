"""The session: inputs that were found, what is watched, practice."""

from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from api.messages import SessionRequest, SessionView, SpecView
from api.redact import redacted
from api.routes.needs import Operator, TheService, TheSession, Viewer
from api.service import Busy
from api.specs import spec_view
from config.loading import load_spec, preset_names

router = APIRouter(tags=["session"])


class Input(BaseModel):
    """One input found on this machine; ``index`` is what ``POST /api/session`` takes."""

    index: int
    kind: str
    name: str
    detail: str


@router.get("/inputs")
async def inputs(service: TheService, who: Operator, again: bool = False) -> list[Input]:
    """Return the inputs found on this machine; nothing is opened by looking."""
    if again or not service.inputs:
        await service.find()
    return [
        Input(index=index, kind=one.kind, name=one.name, detail=one.detail)
        for index, one in enumerate(service.inputs)
    ]


@router.get("/session")
async def session(session: TheSession, who: Viewer) -> SessionView:
    """Return what this service is doing, and who asks."""
    return session.session_view(who)


@router.post("/session")
async def start(service: TheService, who: Operator, ask: SessionRequest) -> SessionView:
    """Start practice feeds, watch chosen inputs, or with neither go back to what is configured."""
    try:
        if ask.practice:
            await service.practise()
        elif ask.inputs:
            await service.watch(ask.inputs)
        else:
            await service.watch_configured()
    except Busy as error:
        raise HTTPException(409, str(error)) from error
    except IndexError as error:
        found = len(service.inputs)
        raise HTTPException(404, f"there are {found} inputs, counted from 0") from error
    return service.session.session_view(who)


@router.get("/settings")
async def settings(session: TheSession, who: Viewer) -> dict[str, Any]:
    """Return the settings in force; passwords in addresses are left out."""
    return redacted(session.plan.settings.model_dump(mode="json"))


@router.get("/specs")
async def specs(session: TheSession, who: Viewer) -> list[SpecView]:
    """Return the spec in force first, then the presets."""
    presets = [name for name in preset_names() if name != session.plan.spec_name]
    return [session.spec_view, *(spec_view(name, load_spec(name)) for name in presets)]
