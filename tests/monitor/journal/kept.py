"""A real journal and what it said."""

import threading
from pathlib import Path

from monitor.journal.journal import Journal
from monitor.records import Body

WAIT_S = 10.0
DAY = "2026-11-23"


class Kept:
    """A journal, and which of its records are durable."""

    def __init__(self, folder: Path) -> None:
        self.said: list[tuple[bool, str]] = []
        self.changed = threading.Condition()
        self.durable: list[int] = []
        self.journal = Journal(
            folder, production="P", unit="U", boot_id="boot", on_writable=self._writable
        )

    def _writable(self, writable: bool, why: str) -> None:
        with self.changed:
            self.said.append((writable, why))
            self.changed.notify_all()

    def _durable(self, seq: int) -> None:
        with self.changed:
            self.durable.append(seq)
            self.changed.notify_all()

    def append(self, body: Body, who: str | None = None) -> int:
        record = self.journal.append(
            body, t_ns=5, utc_ns=1005, day=DAY, who=who, on_durable=self._durable
        )
        return record.seq

    def await_durable(self, seq: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: seq in self.durable, WAIT_S)

    def await_said(self, writable: bool) -> str:
        with self.changed:
            assert self.changed.wait_for(
                lambda: bool(self.said) and self.said[-1][0] is writable, WAIT_S
            )
            return self.said[-1][1]
