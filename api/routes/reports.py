"""The report of a shooting day, in every format there is."""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import Response
from pydantic import AfterValidator

from api.routes.needs import TheSession, Viewer
from api.session import Session
from api.version import takewatch_version
from monitor import clocks
from monitor.report import REPORTS
from monitor.report.day import day_document
from monitor.report.day_records import Header, SourceName

router = APIRouter(tags=["reports"])
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


def _real(day: str) -> str:
    return date.fromisoformat(day).isoformat()


Day = Annotated[str, Path(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_real)]


def _rendered(session: Session, day: str, form: str) -> str:
    production = session.plan.settings.production
    header = Header(
        production=production.name,
        unit=production.unit,
        day=day,
        spec=session.plan.spec_name,
        generated_utc_ns=clocks.utc_ns(),
        software=f"takewatch {takewatch_version()}",
        zone=session.zone or datetime.now(UTC).astimezone().tzinfo or UTC,
    )
    sources = {
        source.id: SourceName(
            name=source.settings.name, group=source.group, practice=source.practice
        )
        for source in session.hub.watching.values()
    }
    coarser = {source.id: source.coarser for source in session.hub.watching.values()}
    records = session.journal.reader.day_records(day)
    return REPORTS[form].render(day_document(records, header, sources=sources, coarser=coarser))


@router.get("/reports/{day}.{form}", response_class=Response)
async def report(
    session: TheSession,
    who: Viewer,
    day: Day,
    form: Annotated[str, Path(pattern=r"^[a-z]{1,8}$")],
) -> Response:
    """Return a day's report; practice is never in one."""
    if form not in REPORTS:
        raise HTTPException(404, f"no report format {form}; there is {', '.join(sorted(REPORTS))}")
    if session.plan.mode == "practice":
        raise HTTPException(409, "practice is never in a report")
    text = await asyncio.to_thread(_rendered, session, day, form)
    kind = REPORTS[form]
    headers = {"content-security-policy": PAGE_POLICY}
    if form != "html":
        headers["content-disposition"] = f'attachment; filename="takewatch-{day}.{kind.suffix}"'
    return Response(text, media_type=kind.media_type, headers=headers)
