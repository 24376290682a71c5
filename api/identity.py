"""Who asks: a role and a name, settled by the listener and, off loopback, the device's session."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["view", "log", "operate"]
RANK: dict[Role, int] = {"view": 0, "log": 1, "operate": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """``device`` is the paired device's id, None for a browser on this machine."""

    role: Role
    who: str
    device: str | None = None

    def may(self, role: Role) -> bool:
        """Say whether this role includes another."""
        return RANK[self.role] >= RANK[role]


THIS_COMPUTER = Identity(role="operate", who="this computer")
