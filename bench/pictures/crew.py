"""What a crew would have been told of a shot: the default rules over its lines, rolling."""

from dataclasses import dataclass
from itertools import count

from capture.source import StreamInfo
from monitor.lines import Hello, OutLine, State
from monitor.measure.described import describe
from monitor.rules.engine import Engine
from monitor.rules.model import Alert, Transition
from monitor.rules.sources import SourceFacts
from monitor.rules.table import rules_for

SOURCE = "pictures"


@dataclass(slots=True, kw_only=True)
class Raised:
    """One alert that was told: rule, gravest severity, the pictures it lasted and was told at."""

    rule: str
    severity: str
    start: int
    end: int | None
    told: int
    message: str


class Crew:
    """Hears lines as the service does and keeps the alerts that nothing else caused."""

    def __init__(self, info: StreamInfo, rate: float) -> None:
        facts = SourceFacts(id=SOURCE, name="cam", department="camera", group="camera")
        numbers = count(1)
        self._rate = rate
        self._engine = Engine(
            rules_for(None, "feed"), {SOURCE: facts}, live=True, new_id=lambda: str(next(numbers))
        )
        self._told: dict[str, tuple[Alert, int]] = {}
        self._hear(self._engine.set_phase("rolling", 0))
        hello = Hello(
            node="",
            boot_id="",
            pid=0,
            source=SOURCE,
            kind="synthetic",
            epoch=0,
            latency_s=0.0,
            streams=[describe(info)],
        )
        self._hear(self._engine.line(hello, 0))
        self._hear(self._engine.line(State(source=SOURCE, state="live", t_mono_ns=0), 0))

    def line(self, line: OutLine, t_ns: int) -> None:
        """Take a line told at a time since the shot began."""
        self._hear(self._engine.line(line, t_ns))

    def tick(self, t_ns: int) -> None:
        """Let time pass."""
        self._hear(self._engine.tick(t_ns))

    def _hear(self, transitions: list[Transition]) -> None:
        for step in transitions:
            alert = step.alert
            if step.what == "dropped" or alert.active_ns is None:
                continue
            first = self._told.get(alert.id, (alert, step.t_ns))[1]
            self._told[alert.id] = alert, first

    def _at(self, t_ns: int) -> int:
        return round(t_ns * self._rate / 1e9)

    def raised(self) -> list[Raised]:
        """Return the alerts told so far, without those that another alert caused."""
        return [
            Raised(
                rule=alert.rule,
                severity=alert.severity,
                start=self._at(alert.onset_ns),
                end=None if alert.end_ns is None else self._at(alert.end_ns),
                told=self._at(told_ns),
                message=alert.message,
            )
            for alert, told_ns in self._told.values()
            if alert.suppressed_by is None
        ]
