"""How much of the pictures is decoded where the machine is short. Pure: time is an argument.

Down quickly, up slowly. Pictures that were lost, work that lies waiting or a thread that never
waits say that the machine is short: one rung down, and a moment for what waits to be worked off.
Up again goes one rung at a time, after ten calm seconds; whoever comes down again soon after waits
twice as long before the next try, so that a machine that is short all day does not swing all day.
Packets are followed on every rung: what is told of them is never given up.
"""

from dataclasses import dataclass
from typing import Final

from capture.source import RUNGS, Item, Lost, Rung

LOOK_NS: Final = 250_000_000
BEHIND_S: Final = 0.25  # 16 pictures wait at most: a third of a second at 50 a second
BUSY: Final = 0.97  # of its time a thread that never catches up is at work
SHORT_S: Final = 0.5  # so long: a scheduler's hiccup is not a shortage
HOLD_S: Final = 1.0  # after a step: what waits is worked off, and a whole second of work counted
OPENING_S: Final = 3.0  # libraries load, and a feed's first second comes at four times its speed
CALM_BEHIND_S: Final = 0.1
CALM_BUSY: Final = 0.6  # a rung up costs up to three times as much: more would not be tried
UP_S: Final = 10.0
UP_LIMIT_S: Final = 160.0
TRIAL_S: Final = 10.0  # down again within this: the step up was too early


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a worker sees of its own shortage.

    ``behind_s``: the longest that something waited from its arrival to its measuring. ``busy``: the
    greatest share of a second that one of its threads worked. ``lost``: pictures lost to the
    shortage since the last look.
    """

    behind_s: float = 0.0
    busy: float = 0.0
    lost: int = 0

    @property
    def short(self) -> bool:
        """Whether the machine is short of time."""
        return self.lost > 0 or self.behind_s > BEHIND_S or self.busy > BUSY

    @property
    def calm(self) -> bool:
        """Whether there is time left for more."""
        return not self.lost and self.behind_s < CALM_BEHIND_S and self.busy < CALM_BUSY


class Ladder:
    """The rung of one source, from the loads it is shown a few times a second."""

    def __init__(self, t_s: float) -> None:
        self.depth = 0
        self._hold_until_s = t_s + OPENING_S
        self._short_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._up_after_s = UP_S
        self._up_s: float | None = None

    @property
    def rung(self) -> Rung:
        """What is decoded now."""
        return RUNGS[self.depth]

    def look(self, load: Load, t_s: float) -> Rung:
        """Take a load at a time; return the rung from then on."""
        if t_s < self._hold_until_s:
            return self.rung
        self._note(load, t_s)
        if self._is_short(load, t_s):
            self._down(t_s)
        elif self._may_rise(t_s):
            self._up(t_s)
        return self.rung

    def _note(self, load: Load, t_s: float) -> None:
        since = self._short_since_s
        self._short_since_s = (t_s if since is None else since) if load.short else None
        since = self._calm_since_s
        self._calm_since_s = (t_s if since is None else since) if load.calm else None
        if self._up_s is not None and t_s - self._up_s > TRIAL_S:
            self._up_after_s, self._up_s = UP_S, None

    def _is_short(self, load: Load, t_s: float) -> bool:
        since = self._short_since_s
        return since is not None and (load.lost > 0 or t_s - since >= SHORT_S)

    def _down(self, t_s: float) -> None:
        if self.depth == len(RUNGS) - 1:
            return
        if self._up_s is not None:
            self._up_after_s, self._up_s = min(2 * self._up_after_s, UP_LIMIT_S), None
        self._step(1, t_s)

    def _may_rise(self, t_s: float) -> bool:
        since = self._calm_since_s
        return self.depth > 0 and since is not None and t_s - since >= self._up_after_s

    def _up(self, t_s: float) -> None:
        self._up_s = t_s
        self._step(-1, t_s)

    def _step(self, down: int, t_s: float) -> None:
        self.depth += down
        self._hold_until_s = t_s + HOLD_S
        self._short_since_s = self._calm_since_s = None


class Pressure:
    """Gathers a load from the items that are measured."""

    def __init__(self) -> None:
        self._behind_ns = 0
        self._lost = 0

    def take(self, item: Item, now_ns: int, reason: str) -> None:
        """Note an item as it is measured; pictures lost for ``reason`` were lost to a shortage."""
        self._behind_ns = max(self._behind_ns, now_ns - item.t_arrival_ns)
        if isinstance(item, Lost) and item.unit == "frames" and item.reason.startswith(reason):
            self._lost += int(item.amount)

    def load(self, busy: float) -> Load:
        """Return the load since the last call."""
        load = Load(behind_s=self._behind_ns / 1e9, busy=busy, lost=self._lost)
        self._behind_ns = self._lost = 0
        return load
