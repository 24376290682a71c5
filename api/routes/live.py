"""The live WebSocket."""

from typing import Annotated

from fastapi import APIRouter, Query, WebSocket

from api.identity import Identity
from api.routes.needs import service_of
from api.security import IDENTITY

router = APIRouter()
SEQ_LIMIT = 2**53  # what a page's numbers hold exactly


@router.websocket("/live")
async def live(
    socket: WebSocket, since: Annotated[int | None, Query(ge=0, le=SEQ_LIMIT)] = None
) -> None:
    """Hello, snapshot, what was missed, and then everything as it happens."""
    identity = socket.scope.get(IDENTITY)
    if not isinstance(identity, Identity):
        await socket.close(1008)
        return
    service = service_of(socket)
    await socket.accept()
    await service.live.serve(socket, identity, lambda: service.session.greet(identity, since))
