"""Addresses of this machine, and the sockets the service listens on."""

import socket
from collections.abc import Sequence
from ipaddress import ip_address

BACKLOG = 128
SEND_BUFFER_BYTES = 128 * 1024  # what a slow page can lag behind; the system's own grows to 4 MiB
STUCK_MS = 10_000  # a peer that takes nothing for this long is cut off by the kernel


class PortInUse(Exception):
    """Somebody listens there already."""


def is_loopback(host: str) -> bool:
    """Say whether a host setting keeps the service on this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def network_addresses() -> list[str]:
    """Return this machine's addresses on its networks, the one of the default route first."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET: only asks which way it would go, sends none
            found.append(str(probe.getsockname()[0]))
        except OSError:
            pass
    try:
        rows = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        found += [str(row[4][0]) for row in rows]
    except OSError:
        pass
    return [a for a in dict.fromkeys(found) if not ip_address(a).is_loopback]


def names() -> list[str]:
    """Return the names this machine may be asked for by on the set's network."""
    own = socket.gethostname().split(".")[0].lower()
    return [socket.gethostname().lower(), own, f"{own}.local", *network_addresses()]


def listeners(host: str, port: int) -> tuple[socket.socket, list[socket.socket]]:
    """Return the loopback listener and those of the set's network. Raises ``PortInUse``.

    Both have the same port. A connection goes to the socket bound to the more exact address, so
    127.0.0.1 always reaches the loopback one even where the other is bound to 0.0.0.0; that needs
    SO_REUSEPORT, which would also let a second takewatch in, so a plain bind is tried first.
    """
    network = [] if is_loopback(host) else [host]
    try:
        port = _free(["127.0.0.1", *network], port)
        loopback = _listening("127.0.0.1", port)
        return loopback, [_listening(address, port) for address in network]
    except OSError as error:
        raise PortInUse(f"cannot listen on {host} port {port}: {error.strerror}") from error


def _free(addresses: Sequence[str], port: int) -> int:
    """Check that nobody listens there; return the port (a free one for 0)."""
    for address in addresses:
        with _bound(address, port) as trial:
            port = int(trial.getsockname()[1])
    return port


def _bound(address: str, port: int, *, shared: bool = False) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener


def _listening(address: str, port: int) -> socket.socket:
    listener = _bound(address, port, shared=True)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_MS)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener
