"""The live feed: one task and one small bounded inbox a client, so that none slows another.

What may become coarser is merged in the inbox (newest view, newest meters); records are queued, and
a client that leaves 256 of them unread, or does not take a message for 5 s, is closed: it connects
again and resumes by seq. Design after the broadcast notes of the websockets library.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from pydantic import BaseModel
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.identity import Identity
from api.messages import CLIENT_QUEUE, HEARTBEAT_S, Confirm, Heartbeat, RecordMessage
from monitor.journal.journal import RECORDS_WAITING
from monitor.records import Record

CLIENTS_LIMIT = 100  # a crew has fewer; measured load is for 50
SEND_TIMEOUT_S = 5.0
DURABLE_WAIT_S = 0.05
TRY_AGAIN_LATER = 1013
SERVICE_RESTART = 1012
POLICY = 1008


@dataclass(slots=True)
class _Awaited:
    record: Record
    due_s: float
    durable: bool = False


@dataclass(slots=True)
class Outflow:
    """Orders records on their way out: each when durable, or after 50 ms and confirmed later.

    Pure: ``now_s`` is an argument. Records leave in the order of their seq.
    """

    _unsent: dict[int, _Awaited] = field(default_factory=dict)
    _unconfirmed: dict[int, Record] = field(default_factory=dict)
    _confirmed: list[Confirm] = field(default_factory=list)

    def add(self, record: Record, now_s: float) -> None:
        """Take a record that is on its way to the disk."""
        self._unsent[record.seq] = _Awaited(record, now_s + DURABLE_WAIT_S)

    def durable(self, seq: int) -> None:
        """Take note that a record is on the disk."""
        if seq in self._unsent:
            self._unsent[seq].durable = True
        elif self._unconfirmed.pop(seq, None) is not None:
            self._confirmed.append(Confirm(seq=seq))

    def due(self, now_s: float) -> list[RecordMessage | Confirm]:
        """Return what may be sent now, in order."""
        out: list[RecordMessage | Confirm] = [*self._confirmed]
        self._confirmed = []
        for seq, awaited in list(self._unsent.items()):
            if not (awaited.durable or now_s >= awaited.due_s):
                break
            record = awaited.record.model_copy(update={"durable": awaited.durable})
            out.append(RecordMessage(record=record))
            del self._unsent[seq]
            if not awaited.durable:
                self._await_confirmation(record)
        return out

    def _await_confirmation(self, record: Record) -> None:
        """Remember a record until it is durable; as many as the journal itself holds back."""
        if len(self._unconfirmed) >= RECORDS_WAITING:
            del self._unconfirmed[next(iter(self._unconfirmed))]
        self._unconfirmed[record.seq] = record

    def unconfirmed(self) -> list[Record]:
        """Return what was sent but is not durable yet."""
        return list(self._unconfirmed.values())

    def next_s(self) -> float | None:
        """Return when the oldest unsent record must go, or None."""
        return next((awaited.due_s for awaited in self._unsent.values()), None)


@dataclass(eq=False)
class Client:
    """One connected page."""

    identity: Identity
    records: deque[str] = field(default_factory=deque)
    layout: str | None = None
    view: str | None = None
    viewed: object = None
    """What its newest view showed."""
    meters: bytes | None = None
    heartbeat: str | None = None
    closed: tuple[int, str] | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, text: str) -> None:
        """Queue a record; a client that leaves too many unread is closed."""
        if len(self.records) >= CLIENT_QUEUE:
            self.close(TRY_AGAIN_LATER, "too slow: connect again and resume")
        else:
            self.records.append(text)
            self.wake.set()

    def close(self, code: int, words: str) -> None:
        """Ask its task to end the connection."""
        self.closed = self.closed or (code, words)
        self.wake.set()

    def take(self) -> list[str | bytes]:
        """Return what is to be sent now, the most important first."""
        out: list[str | bytes] = [*self.records]
        self.records.clear()
        out += [part for part in (self.layout, self.view, self.heartbeat, self.meters) if part]
        self.layout = self.view = self.heartbeat = self.meters = None
        return out


class Live:
    """All clients of one service."""

    def __init__(self) -> None:
        self.clients: set[Client] = set()
        self.outflow = Outflow()
        self.last_seq = 0
        """Seq of the newest record sent."""
        self.closed_slow = 0
        self._timer: asyncio.TimerHandle | None = None

    # -- out ------------------------------------------------------------------------------------

    def record(self, record: Record) -> None:
        """Send a record as soon as it is durable, or in 50 ms."""
        self.outflow.add(record, asyncio.get_running_loop().time())
        self._schedule()

    def durable(self, seq: int) -> None:
        """Take note that a record is on the disk."""
        self.outflow.durable(seq)
        self._flush()

    def _schedule(self) -> None:
        due_s = self.outflow.next_s()
        if due_s is not None and self._timer is None:
            self._timer = asyncio.get_running_loop().call_at(due_s, self._expired)

    def _expired(self) -> None:
        self._timer = None
        self._flush()

    def _flush(self) -> None:
        for message in self.outflow.due(asyncio.get_running_loop().time()):
            if isinstance(message, RecordMessage):
                self.last_seq = max(self.last_seq, message.record.seq)
            text = message.model_dump_json()
            for client in self.clients:
                client.offer(text)
        self._schedule()

    def layout(self, message: BaseModel) -> None:
        """Tell every client where the meters lie now."""
        text = message.model_dump_json()
        for client in self.clients:
            client.layout = text
            client.meters = None  # of the old layout
            client.wake.set()

    def meters(self, snapshot: bytes) -> None:
        """Send the newest meters."""
        for client in self.clients:
            client.meters = snapshot
            client.wake.set()

    def view(self, shown: object, render: Callable[[Identity], str]) -> None:
        """Send the newest view, rendered once for each identity, to those it says something new.

        ``shown`` is what it says: a client whose newest view said an equal thing gets no other.
        """
        rendered: dict[Identity, str] = {}
        for client in self.clients:
            if client.viewed == shown:
                continue
            if client.identity not in rendered:
                rendered[client.identity] = render(client.identity)
            client.view, client.viewed = rendered[client.identity], shown
            client.wake.set()

    async def heartbeat(self, utc_ns: Callable[[], int], alive: Callable[[], bool]) -> None:
        """Beat for ever, but not while what judges has stopped: pages must not stay green."""
        while True:
            text = Heartbeat(server_utc_ns=utc_ns()).model_dump_json()
            for client in self.clients if alive() else ():
                client.heartbeat = text
                client.wake.set()
            await asyncio.sleep(HEARTBEAT_S)

    def close_device(self, device: str) -> None:
        """End the connections of a device that was revoked."""
        for client in self.clients:
            if client.identity.device == device:
                client.close(POLICY, "this device was revoked")

    def restart(self) -> None:
        """End every connection: the session changed, pages begin anew."""
        self.outflow = Outflow()
        self.last_seq = 0
        for client in self.clients:
            client.close(SERVICE_RESTART, "the session changed: connect again")

    # -- one client -----------------------------------------------------------------------------

    async def serve(
        self,
        socket: WebSocket,
        identity: Identity,
        greet: Callable[[], Awaitable[AsyncIterator[str]]],
    ) -> None:
        """Serve one accepted connection until it ends. ``greet`` makes its first messages."""
        if len(self.clients) >= CLIENTS_LIMIT:
            await socket.close(TRY_AGAIN_LATER, f"{CLIENTS_LIMIT} pages are open already")
            return
        client = Client(identity)
        reader = asyncio.create_task(_drained(socket, client))
        self.clients.add(client)
        try:
            async for text in await greet():
                await _sent(socket, text)
            await self._pump(socket, client)
        except TimeoutError:
            self.closed_slow += 1
        except (WebSocketDisconnect, RuntimeError):
            pass  # it left; a send after that raises either, by the state it is found in
        finally:
            self.clients.discard(client)
            reader.cancel()

    async def _pump(self, socket: WebSocket, client: Client) -> None:
        while True:
            await client.wake.wait()
            client.wake.clear()
            if client.closed is not None:
                self.closed_slow += client.closed[0] == TRY_AGAIN_LATER
                await asyncio.wait_for(socket.close(*client.closed), SEND_TIMEOUT_S)
                return
            for part in client.take():
                await _sent(socket, part)


async def _sent(socket: WebSocket, part: str | bytes) -> None:
    send = socket.send_text(part) if isinstance(part, str) else socket.send_bytes(part)
    await asyncio.wait_for(send, SEND_TIMEOUT_S)


async def _drained(socket: WebSocket, client: Client) -> None:
    """Read and forget what the client sends, until it leaves."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    client.close(1000, "")
