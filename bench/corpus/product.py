"""What the product tells of a take: the default rules over its readings and events, rolling.

Rules that judge a metric have no events of their own, so this is how their faults are found; and on
clean takes it says how many alerts of each severity a crew would have seen.
"""

from dataclasses import dataclass
from itertools import count

from bench.corpus.material import RATE
from bench.corpus.takes import Take
from monitor.lines import Hello, OutLine, State
from monitor.measure.described import describe
from monitor.rules.engine import Engine
from monitor.rules.model import Alert, Transition
from monitor.rules.sources import SourceFacts
from monitor.rules.table import rules_for

SOURCE = "corpus"


@dataclass(slots=True, kw_only=True)
class Raised:
    """One alert that was told: rule, gravest severity, the samples it began and was told at."""

    rule: str
    severity: str
    channels: tuple[int, ...]
    start: int
    end: int | None
    told: int
    message: str


def _samples(t_ns: int) -> int:
    return round(t_ns * RATE / 10**9)


class Crew:
    """Hears lines as the service does and keeps the alerts that nothing else caused."""

    def __init__(self, take: Take) -> None:
        facts = SourceFacts(
            id=SOURCE,
            name="cart",
            department="sound",
            group="sound",
            channel_names=take.names,
            programme=take.programme,
        )
        numbers = count(1)
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
            streams=[describe(take.info)],
        )
        self._hear(self._engine.line(hello, 0))
        self._hear(self._engine.line(State(source=SOURCE, state="live", t_mono_ns=0), 0))

    def line(self, line: OutLine, sample: int) -> None:
        """Take a line that was told at this sample."""
        self._hear(self._engine.line(line, round(sample / RATE * 1e9)))

    def tick(self, sample: int) -> None:
        """Let time pass."""
        self._hear(self._engine.tick(round(sample / RATE * 1e9)))

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
                start=_samples(alert.onset_ns),
                end=None if alert.end_ns is None else _samples(alert.end_ns),
                told=_samples(told_ns),
                message=alert.message,
            )
            for alert, told_ns in self._told.values()
            if alert.suppressed_by is None
        ]
