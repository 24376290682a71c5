"""Integrated values: paused, continued and reset by hand."""

from fastapi import APIRouter, HTTPException

from api.messages import IntegrationRequest
from api.routes.needs import Logger, TheSession
from monitor import clocks
from monitor.hub import integrating

router = APIRouter(tags=["sources"])


@router.post("/integration", status_code=204)
async def integration(session: TheSession, who: Logger, ask: IntegrationRequest) -> None:
    """Pause, continue or reset a source's integrated values and maxima, all together."""
    t_ns = clocks.mono_ns()
    try:
        integrating.integrate(session.hub, ask.source, ask.do, t_ns, who.who)
    except KeyError as error:
        raise HTTPException(404, f"no source {ask.source}") from error
    except (integrating.NoSound, integrating.TakeRolls) as error:
        raise HTTPException(409, str(error)) from error
    session.control("integration", t_ns, **ask.model_dump())
