"""What routes ask for: the service, the session, who asks, and a role."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, HTTPException
from starlette.requests import HTTPConnection

from api.identity import Identity, Role
from api.security import IDENTITY
from api.service import Service
from api.session import Session


def service_of(connection: HTTPConnection) -> Service:
    """Return the service."""
    service = connection.app.state.service
    assert isinstance(service, Service)
    return service


def session_of(connection: HTTPConnection) -> Session:
    """Return the session that runs."""
    return service_of(connection).session


def identity_of(connection: HTTPConnection) -> Identity:
    """Return who asks; 401 without a guard or a session."""
    identity = connection.scope.get(IDENTITY)
    if not isinstance(identity, Identity):
        raise HTTPException(401, "this device is not paired: ask for a link (takewatch pair)")
    return identity


def needs(role: Role) -> Callable[[HTTPConnection], Identity]:
    """Return a dependency that admits a role and those above it."""

    def check(connection: HTTPConnection) -> Identity:
        identity = identity_of(connection)
        if not identity.may(role):
            raise HTTPException(403, f"this needs the role {role}, this device has {identity.role}")
        return identity

    return check


TheService = Annotated[Service, Depends(service_of)]
TheSession = Annotated[Session, Depends(session_of)]
Viewer = Annotated[Identity, Depends(needs("view"))]
Logger = Annotated[Identity, Depends(needs("log"))]
Operator = Annotated[Identity, Depends(needs("operate"))]
