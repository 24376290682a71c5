"""Channels marked as muted on purpose."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path

from api.messages import MuteRequest
from api.routes.needs import Logger, TheSession
from monitor import clocks
from monitor.hub import muting
from monitor.rules.kinds import Where

router = APIRouter(tags=["alerts"])
Number = Annotated[int, Path(ge=0, le=255)]


@router.post("/mutes", status_code=204)
async def mute(session: TheSession, who: Logger, ask: MuteRequest) -> None:
    """Mark a channel that is digitally silent as muted on purpose, until it speaks again."""
    t_ns = clocks.mono_ns()
    where = Where(source=ask.source, stream=ask.stream, channel=ask.channel)
    try:
        muting.mute(session.hub, where, t_ns, who.who)
    except KeyError as error:
        raise HTTPException(404, f"no channel {ask.channel + 1} of {ask.source}") from error
    except ValueError as error:
        raise HTTPException(409, f"{error}: only what is silent can be marked") from error
    session.control("mute", t_ns, **ask.model_dump())


@router.delete("/mutes/{source}/{stream}/{channel}", status_code=204)
async def unmute(
    session: TheSession,
    who: Logger,
    source: Annotated[str, Path(max_length=64)],
    stream: Number,
    channel: Number,
) -> None:
    """Take the mark back: the silence is told again."""
    t_ns = clocks.mono_ns()
    try:
        where = Where(source=source, stream=stream, channel=channel)
        muting.unmute(session.hub, where, t_ns, who.who)
    except KeyError as error:
        raise HTTPException(404, "that channel is not marked as muted") from error
    session.control("unmute", t_ns, source=source, stream=stream, channel=channel)
