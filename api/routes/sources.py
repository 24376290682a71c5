"""The sources, and the newest still of each."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import Response

from api.messages import SourceView
from api.routes.needs import TheSession, Viewer
from api.session import STILLS
from api.views import source_views

router = APIRouter(tags=["sources"])
JPEG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": {}}}}


@router.get("/sources")
async def sources(session: TheSession, who: Viewer) -> list[SourceView]:
    """Return every source as it is now."""
    return source_views(session.hub)


@router.get("/stills/{still}", response_class=Response, responses=JPEG)
async def still(
    session: TheSession,
    who: Viewer,
    still: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
) -> Response:
    """Return the newest still of ``{source}-{stream}``, or the one kept for an alert's id."""
    source, _, stream = still.rpartition("-")
    watching = session.hub.watching.get(source)
    if watching is not None and stream.isdecimal() and int(stream) in watching.stills:
        return Response(watching.stills[int(stream)], media_type="image/jpeg")
    kept = session.plan.folder / STILLS / f"{still}.jpg"
    if not kept.is_file():
        raise HTTPException(404, f"no still of {still}")
    return Response(kept.read_bytes(), media_type="image/jpeg")
