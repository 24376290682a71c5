"""Pairing: a link admits one tablet, once, within five minutes. Times are arguments.

The link's token lies in the URL's fragment, which browsers never send; the page exchanges it by
POST for a session. Tokens and sessions are kept only as SHA-256 hashes (both are 256 random bits,
so a slow hash would add nothing). Sessions survive a restart; invitations do not.
"""

import json
import os
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from secrets import compare_digest, token_urlsafe

from api.identity import Identity, Role

INVITATION_S = 300
SESSION_S = 60 * 24 * 3600  # the longest shoot between two preparations
INVITATIONS_LIMIT = 16
DEVICES_LIMIT = 64  # a crew of fifty, and some tablets re-paired
TRIES_A_MINUTE_PEER = 5
TRIES_A_MINUTE = 60  # 60 guesses at 256 bits; a bound on work, not on luck
PEERS_REMEMBERED = 256
SECOND_NS = 1_000_000_000
FILE_NAME = "devices.json"


class PairingRefused(Exception):
    """The token or its use was not accepted; the message is for whoever holds the tablet."""


class TooManyTries(PairingRefused):
    """More tries than a person makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One paired device; ``secret_hash`` is what its cookie is checked against."""

    id: str
    name: str
    department: str
    role: Role
    paired_utc_ns: int
    secret_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Invitation:
    role: Role
    until_ns: int


@dataclass(slots=True)
class RateLimit:
    """At most so many tries within a minute, for each peer and for all together."""

    _all: deque[int] = field(default_factory=deque)
    _peers: dict[str, deque[int]] = field(default_factory=dict)

    def admit(self, peer: str, t_ns: int) -> bool:
        """Count a try; say whether it may go on."""
        mine = self._peers.pop(peer, deque())
        self._peers[peer] = mine
        if len(self._peers) > PEERS_REMEMBERED:
            del self._peers[next(iter(self._peers))]
        for tries in (self._all, mine):
            while tries and tries[0] <= t_ns - 60 * SECOND_NS:
                tries.popleft()
        if len(mine) >= TRIES_A_MINUTE_PEER or len(self._all) >= TRIES_A_MINUTE:
            return False
        mine.append(t_ns)
        self._all.append(t_ns)
        return True


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


class Devices:
    """The paired devices, kept in one file; ``on_revoke`` is told the id of each that goes."""

    def __init__(
        self, folder: Path, on_revoke: Callable[[str], None] = lambda device: None
    ) -> None:
        self._path = folder / FILE_NAME
        self._invitations: dict[str, _Invitation] = {}
        self._limit = RateLimit()
        self.on_revoke = on_revoke
        self._devices = {device.id: device for device in _load(self._path)}

    def invite(self, role: Role, t_ns: int) -> str:
        """Return a new token for one device of this role."""
        while len(self._invitations) >= INVITATIONS_LIMIT:
            del self._invitations[next(iter(self._invitations))]
        token = token_urlsafe(32)
        self._invitations[_hash(token)] = _Invitation(role, t_ns + INVITATION_S * SECOND_NS)
        return token

    def exchange(
        self, token: str, name: str, department: str, *, peer: str, t_ns: int, utc_ns: int
    ) -> tuple[Device, str]:
        """Admit a device; return it and its cookie. Raises ``PairingRefused``."""
        if not self._limit.admit(peer, t_ns):
            raise TooManyTries("too many tries: wait a minute")
        invitation = self._invitations.pop(_hash(token), None)
        if invitation is None or invitation.until_ns < t_ns:
            raise PairingRefused("this link was used or is too old: ask for a new one")
        if len(self._devices) >= DEVICES_LIMIT:
            raise PairingRefused(f"{DEVICES_LIMIT} devices are paired: revoke one first")
        secret = token_urlsafe(32)
        device = Device(
            id=token_urlsafe(9),
            name=name,
            department=department,
            role=invitation.role,
            paired_utc_ns=utc_ns,
            secret_hash=_hash(secret),
        )
        self._devices[device.id] = device
        self._save()
        return device, f"{device.id}.{secret}"

    def identify(self, cookie: str, utc_ns: int) -> Identity | None:
        """Return whose cookie it is, or None."""
        device_id, _, secret = cookie.partition(".")
        device = self._devices.get(device_id)
        if device is None or not compare_digest(device.secret_hash, _hash(secret)):
            return None
        if utc_ns - device.paired_utc_ns > SESSION_S * SECOND_NS:
            return None
        return Identity(role=device.role, who=device.name, device=device.id)

    def list(self) -> list[Device]:
        """Return the paired devices, oldest first."""
        return sorted(self._devices.values(), key=lambda device: device.paired_utc_ns)

    def revoke(self, device_id: str) -> None:
        """Send a device away. Raises ``KeyError``."""
        del self._devices[device_id]
        self._save()
        self.on_revoke(device_id)

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        opener = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opener, "w") as file:
            json.dump([asdict(device) for device in self.list()], file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _load(path: Path) -> list[Device]:
    """Read the devices; a damaged file admits nobody and is set aside."""
    try:
        return [Device(**row) for row in json.loads(path.read_text())]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError, OSError):
        if path.is_file():
            path.replace(path.with_suffix(".damaged"))
        return []
