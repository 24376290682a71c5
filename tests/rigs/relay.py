"""A bad link: a UDP relay that loses datagrams by seed."""

import random
import socket
import threading
from types import TracebackType
from typing import Self

POLL_S = 0.2
DATAGRAM_BYTES = 65_536


class LossyRelay:
    """Passes datagrams on to a port of this machine; loses a share of them once told to."""

    def __init__(self, to_port: int, seed: int) -> None:
        self.random = random.Random(seed)
        self.share = 0.0
        self.lost = 0
        self._to = ("127.0.0.1", to_port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(POLL_S)
        self.port = int(self._socket.getsockname()[1])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lossy relay", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                datagram = self._socket.recv(DATAGRAM_BYTES)
            except TimeoutError:
                continue
            if self.random.random() < self.share:
                self.lost += 1
            else:
                self._socket.sendto(datagram, self._to)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()
