"""A service inside the test's own loop, without sources: for routes, not for watching."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp

from api.app import create_app
from api.identity import Identity
from api.security import COOKIE, Guard
from api.service import Service
from config.settings import Settings

HOST = "tablet.test"
ROLES = {
    role: Identity(role=role, who=role, device=f"device of {role}")
    for role in ("view", "log", "operate")
}


@asynccontextmanager
async def a_service(
    folder: Path, settings: Settings | None = None
) -> AsyncIterator[tuple[Service, FastAPI]]:
    service = Service(settings or Settings(), folder)
    await service.start()
    try:
        yield service, create_app(service, folder / "page")
    finally:
        await service.stop()


def network(app: ASGIApp) -> Guard:
    """The application as the set's network sees it; a cookie is a role's name."""
    return Guard(app, identify=ROLES.get, allowed_hosts=[HOST])


def client(app: ASGIApp, role: str | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=f"http://{HOST}",
        cookies={COOKIE: role} if role else {},
    )
