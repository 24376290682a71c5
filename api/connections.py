"""One connection of a listener: how many there may be, and how long a request may take to come.

A connection that says nothing costs its owner nothing and us a file descriptor, and there are
1024: a stranger who opened that many took the whole service with him, loopback, workers and
journal (measured). So what is too many is closed as it comes, and what is too slow as it waits.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

CONNECTIONS_LIMIT = 400  # a listener's: fifty tablets' pages and what they fetch beside
PEER_CONNECTIONS_LIMIT = 100  # of one address: a crew behind one proxy
REQUEST_S = 10.0  # in which a request comes whole, head and body; a tablet needs milliseconds


class Connection(H11Protocol):
    """uvicorn's HTTP connection, bounded. Refused ones are cut off without an answer."""

    _looking: asyncio.TimerHandle | None = None
    _awaited: tuple[bool, RequestResponseCycle | None] = (False, None)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or cut it off when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_LIMIT or self._of_peer() > PEER_CONNECTIONS_LIMIT:
            transport.abort()
            return
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the watching with the connection."""
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(exc)

    def _of_peer(self) -> int:
        mine = self.client and self.client[0]
        peers = [getattr(one, "client", None) for one in self.connections]
        return sum(1 for peer in peers if peer and peer[0] == mine)

    def _look(self) -> None:
        """Cut the connection off when a whole period brought no whole request."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return  # it left, or became a WebSocket, which has its own pings
        cycle: RequestResponseCycle | None = self.cycle
        waiting = cycle is None or cycle.more_body or cycle.response_complete
        if waiting and self._awaited == (True, cycle):
            self.transport.abort()
            return
        self._awaited = (waiting, cycle)
        loop = asyncio.get_running_loop()
        self._looking = loop.call_later(REQUEST_S, self._look)
