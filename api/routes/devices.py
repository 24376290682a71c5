"""Paired devices: the link, its exchange for a session, list and revoke."""

from typing import Literal

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict

from api.identity import Role
from api.messages import PairRequest
from api.pairing import INVITATION_S, SESSION_S, PairingRefused, TooManyTries
from api.routes.needs import Operator, TheService
from api.security import COOKIE
from monitor import clocks

router = APIRouter(tags=["devices"])


class PairedDevice(BaseModel):
    """One paired device."""

    id: str
    name: str
    department: str
    role: Role
    paired_utc_ns: int


class InvitationRequest(BaseModel):
    """Body of ``POST /api/invitations``."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["view", "log", "operate"] = "log"


class Invitation(BaseModel):
    """The links that admit one device, once, one a network address; the best first."""

    links: list[str]
    role: Role
    expires_utc_ns: int


@router.post("/invitations", status_code=201)
async def invite(service: TheService, who: Operator, ask: InvitationRequest) -> Invitation:
    """Make a link that admits one device within five minutes."""
    if not service.network:
        raise HTTPException(
            409, "the page is open to this computer only: start takewatch with --host 0.0.0.0"
        )
    token = service.devices.invite(ask.role, clocks.mono_ns())
    return Invitation(
        links=[f"{address}/#pair={token}" for address in service.network],
        role=ask.role,
        expires_utc_ns=clocks.utc_ns() + INVITATION_S * 1_000_000_000,
    )


@router.post("/devices", status_code=201)
async def pair(service: TheService, request: Request, ask: PairRequest) -> Response:
    """Exchange a link's token for a session of this device, kept in a cookie."""
    peer = request.client.host if request.client else ""
    try:
        device, cookie = service.devices.exchange(
            ask.token,
            ask.name,
            ask.department,
            peer=peer,
            t_ns=clocks.mono_ns(),
            utc_ns=clocks.utc_ns(),
        )
    except TooManyTries as error:
        raise HTTPException(429, str(error)) from error
    except PairingRefused as error:
        raise HTTPException(403, str(error)) from error
    shown = PairedDevice.model_validate(device, from_attributes=True)
    response = Response(shown.model_dump_json(), 201, media_type="application/json")
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=SESSION_S,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.get("/devices")
async def devices(service: TheService, who: Operator) -> list[PairedDevice]:
    """Return the paired devices, oldest first."""
    known = service.devices.list()
    return [PairedDevice.model_validate(device, from_attributes=True) for device in known]


@router.delete("/devices/{device}", status_code=204)
async def revoke(service: TheService, who: Operator, device: str) -> None:
    """Send a device away; its open pages are closed."""
    try:
        service.devices.revoke(device)
    except KeyError as error:
        raise HTTPException(404, "no such device is paired") from error
