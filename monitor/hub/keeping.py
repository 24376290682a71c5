"""What the hub's rooms may ask of it: the rules, the sources, and to have things written down."""

from collections.abc import Sequence
from typing import Protocol

from monitor.hub.wall_clock import WallClock
from monitor.hub.watching import Watching
from monitor.lines import InLine
from monitor.records import Body
from monitor.rules.engine import Engine
from monitor.rules.model import Transition
from monitor.takes.book import TakeBook


class Keeping(Protocol):
    """The hub, as a room beside it sees it."""

    engine: Engine
    wall: WallClock
    book: TakeBook
    watching: dict[str, Watching]

    def record(self, body: Body, t_ns: int, who: str | None = None) -> None:
        """Have a record written."""

    def send(self, source: str, line: InLine) -> None:
        """Have a line sent to a source's worker."""

    def judged(self, transitions: Sequence[Transition], now_ns: int) -> None:
        """Write down what the rules told."""

    def notice(self, text: str, t_ns: int, *, warning: bool = False) -> None:
        """Write down something about the monitor itself."""

    def name_last(self, who: str) -> None:
        """Put a name to the entries of now that a person caused."""
