"""What the product tells a crew: the default rules over a source's lines, live and rolling."""

from dataclasses import dataclass
from itertools import count

from capture.source import StreamInfo
from monitor.lines import Hello, OutLine, State
from monitor.measure.described import describe
from monitor.rules.engine import Engine
from monitor.rules.model import Alert, Transition
from monitor.rules.sources import SourceFacts
from monitor.rules.table import rules_for

NS = 10**9


def rolling_engine(facts: SourceFacts, info: StreamInfo) -> Engine:
    """Return the rules for one source, live, with one stream; the take rolls from time 0."""
    numbers = count(1)
    engine = Engine(
        rules_for(None, "feed"), {facts.id: facts}, live=True, new_id=lambda: str(next(numbers))
    )
    hello = Hello(
        node="",
        boot_id="",
        pid=0,
        source=facts.id,
        kind="synthetic",
        epoch=0,
        latency_s=0.0,
        streams=[describe(info)],
    )
    engine.set_phase("rolling", 0)
    engine.line(hello, 0)
    engine.line(State(source=facts.id, state="live", t_mono_ns=0), 0)
    return engine


@dataclass(slots=True, kw_only=True)
class Raised:
    """One alert that was told: rule, gravest severity, the ticks it began, ended and was told at.

    Ticks are samples of sound or pictures of a shot.
    """

    rule: str
    severity: str
    channels: tuple[int, ...]
    start: int
    end: int | None
    told: int
    message: str


class Crew:
    """Hears lines as the service does and keeps the alerts that nothing else caused."""

    def __init__(self, facts: SourceFacts, info: StreamInfo, ticks_per_s: float) -> None:
        self._ticks_per_s = ticks_per_s
        self._engine = rolling_engine(facts, info)
        self._told: dict[str, tuple[Alert, int]] = {}

    def line(self, line: OutLine, tick: int) -> None:
        """Take a line that was told at this tick."""
        self._hear(self._engine.line(line, self._ns(tick)))

    def pass_time(self, tick: int) -> None:
        """Let time pass."""
        self._hear(self._engine.tick(self._ns(tick)))

    def _ns(self, tick: int) -> int:
        return round(tick / self._ticks_per_s * NS)

    def _tick(self, t_ns: int) -> int:
        return round(t_ns * self._ticks_per_s / NS)

    def _hear(self, transitions: list[Transition]) -> None:
        for step in transitions:
            alert = step.alert
            if step.what == "dropped" or alert.active_ns is None:
                continue
            first = self._told.get(alert.id, (alert, step.t_ns))[1]
            self._told[alert.id] = alert, first

    def raised(self) -> list[Raised]:
        """Return the alerts told so far, without those that another alert caused."""
        return [
            Raised(
                rule=alert.rule,
                severity=alert.severity,
                channels=tuple(alert.channels),
                start=self._tick(alert.onset_ns),
                end=None if alert.end_ns is None else self._tick(alert.end_ns),
                told=self._tick(told_ns),
                message=alert.message,
            )
            for alert, told_ns in self._told.values()
            if alert.suppressed_by is None
        ]
