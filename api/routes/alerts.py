"""Alerts: what stands, acknowledging, shelving."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query

from api.messages import ShelveRequest
from api.routes.needs import Logger, TheSession, Viewer
from monitor import clocks
from monitor.rules.model import Alert

router = APIRouter(tags=["alerts"])
MINUTES = {"5min": 5, "15min": 15, "60min": 60}


@router.get("/alerts")
async def alerts(session: TheSession, who: Viewer) -> list[Alert]:
    """Return the alerts that are active or latched."""
    return session.hub.standing()


@router.post("/alerts/{alert}/acknowledge")
async def acknowledge(
    session: TheSession, who: Logger, alert: Annotated[str, Path(max_length=64)]
) -> Alert:
    """Take note of an alert, in one's own name."""
    t_ns = clocks.mono_ns()
    try:
        known = session.hub.acknowledge(alert, who.who, t_ns)
    except KeyError as error:
        raise HTTPException(404, f"no alert {alert} stands") from error
    session.control("acknowledge", t_ns, alert=alert)
    return known


@router.post("/shelves", status_code=204)
async def shelve(session: TheSession, who: Logger, ask: ShelveRequest) -> None:
    """Shelve a rule at a source's channel, until the cut or for some minutes, with a reason."""
    t_ns = clocks.mono_ns()
    minutes = MINUTES.get(ask.until)
    until_ns = None if minutes is None else t_ns + minutes * 60_000_000_000
    if ask.source not in session.hub.watching and ask.source != "service":
        raise HTTPException(404, f"no source {ask.source}")
    try:
        session.hub.shelve(ask.rule, ask.source, ask.channel, until_ns, ask.reason, t_ns, who.who)
    except KeyError as error:
        raise HTTPException(404, f"no rule {ask.rule} is in force") from error
    place = {"rule": ask.rule, "source": ask.source, "channel": ask.channel}
    session.control("shelve", t_ns, until_ns=until_ns, **place)


@router.delete("/shelves/{rule}/{source}", status_code=204)
async def unshelve(
    session: TheSession,
    who: Logger,
    rule: Annotated[str, Path(max_length=64)],
    source: Annotated[str, Path(max_length=64)],
    channel: Annotated[int | None, Query(ge=0, le=255)] = None,
) -> None:
    """End a shelving."""
    t_ns = clocks.mono_ns()
    try:
        session.hub.unshelve(rule, source, channel, t_ns, who.who)
    except KeyError as error:
        raise HTTPException(404, "that is not shelved") from error
    session.control("unshelve", t_ns, rule=rule, source=source, channel=channel)
