"""The web application: routes, errors as JSON, and the page's static files."""

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

import api
from api.answers import Said
from api.routes import (
    alerts,
    devices,
    health,
    integration,
    line_up,
    live,
    mutes,
    prometheus,
    reports,
    session,
    sources,
    takes,
)
from api.service import Service
from api.version import takewatch_version

PAGE = Path(api.__file__).parent.parent / "dashboard" / "dist"
NOT_BUILT = (
    "Takewatch runs, but its page is not built: run `make dashboard` in the checkout, or install"
    " the wheel, which contains it. The API is at /api, described by /api/openapi.json.\n"
)
ROUTERS = (
    health,
    sources,
    alerts,
    mutes,
    takes,
    integration,
    line_up,
    devices,
    session,
    reports,
    live,
)
ASSET_AGE_S = 365 * 24 * 3600  # built files carry a hash in their name


def create_app(service: Service, page: Path = PAGE) -> FastAPI:
    """Return the application of a service. Guards are put around it, one a listener."""
    app = FastAPI(
        title="Takewatch",
        description="Watches every take: sources, alerts, takes and reports.",
        version=takewatch_version(),
        openapi_url="/api/openapi.json",
        docs_url=None,  # it would load scripts from the internet
        redoc_url=None,
    )
    app.state.service = service
    app.state.page = page
    for module in ROUTERS:
        app.include_router(module.router, prefix="/api")
    app.include_router(prometheus.router)
    app.add_exception_handler(HTTPException, _error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_api_route("/api/{rest:path}", _no_route, include_in_schema=False)
    app.add_api_route("/{path:path}", _page, include_in_schema=False)
    return app


async def _error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return Said({"error": str(error.detail)}, error.status_code, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """Say which keys are wrong, never repeating what was sent."""
    assert isinstance(error, RequestValidationError)
    faults = [
        f"{'.'.join(str(part)[:64] for part in fault['loc'][:8])}: {fault['msg']}"
        for fault in error.errors()[:16]
    ]
    return Said({"error": "; ".join(faults)}, 422)


async def _no_route() -> Response:
    raise HTTPException(404, "no such route: see /api/openapi.json")


async def _page(request: Request, path: str) -> Response:
    """Serve a file of the page; ``/`` is its index, everything else must exist."""
    page: Path = request.app.state.page
    root = page.resolve()
    index = root / "index.html"
    if not index.is_file():
        return PlainTextResponse(NOT_BUILT, 503 if path else 200)
    try:
        file = (root / path).resolve() if path else index
        known = file.is_relative_to(root) and file.is_file()
    except (OSError, ValueError):
        known = False
    if not known:
        raise HTTPException(404, "no such page")
    hashed = path.startswith("assets/")
    cache = f"public, max-age={ASSET_AGE_S}, immutable" if hashed else "no-cache"
    return FileResponse(file, headers={"cache-control": cache})
