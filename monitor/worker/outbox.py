"""What a worker has to say, in the order of its worth, and the thread that writes it.

Writing blocks when the reader of the pipe is slow, so a thread of its own does it, a whole line
at a time. First what may never be lost (hello, state changes, gaps, events, answers), then
readings, then stills, which wait until nothing else does and are replaced by newer ones.
"""

import os
import threading
from collections import Counter, deque

from pydantic import BaseModel

from monitor.lines import (
    EVENTS_QUEUED,
    LINE_LIMIT_BYTES,
    Clock,
    Event,
    Gap,
    Reading,
    State,
    Still,
    encode,
)

EPISODES_QUEUED = 1024  # openings and closings: four times what updates may take
KEPT_STILLS = 8  # stills asked for, at most 64 KiB each


class Outbox:
    """Lines waiting to be written to one descriptor. ``put`` never waits."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._condition = threading.Condition()
        self._writing = threading.Lock()
        self._urgent: deque[bytes] = deque()
        self._gaps: dict[tuple[int, int, str, str], Gap] = {}
        self._beats: dict[str, bytes] = {}
        self._readings: deque[bytes] = deque()
        self._kept: deque[bytes] = deque()
        self._stills: dict[int, bytes] = {}
        self._idle = True
        self.broken = False
        self.dropped: Counter[str] = Counter()
        threading.Thread(target=self._write_all, name="writer", daemon=True).start()

    def put(self, line: BaseModel, *, beat: bool = False, kept: bool = False) -> None:
        """Queue a line. A ``beat`` replaces its older self; ``kept`` marks a still asked for."""
        with self._condition:
            self._sort(line, beat, kept)
            self._condition.notify()

    def _sort(self, line: BaseModel, beat: bool, kept: bool) -> None:
        if isinstance(line, Event):
            self._put_event(line)
        elif isinstance(line, Gap):
            self._put_gap(line)
        elif isinstance(line, Reading):
            self._readings.append(encode(line))
        elif isinstance(line, Still):
            self._put_still(line, kept)
        elif beat or isinstance(line, Clock):
            self._beats[type(line).__name__] = encode(line)
        else:
            self._urgent.append(encode(line))

    def _put_event(self, event: Event) -> None:
        update = event.phase == "update"
        if len(self._urgent) >= (EVENTS_QUEUED if update else EPISODES_QUEUED):
            self.dropped["event_updates" if update else "events"] += 1
            return
        self._urgent.append(encode(event))

    def _put_gap(self, gap: Gap) -> None:
        """Queue a gap; where the queue is full it is added to a like one, never lost."""
        key = (gap.stream, gap.epoch, gap.unit, gap.reason)
        old = self._gaps.get(key)
        if old is not None:
            self._gaps[key] = old.model_copy(update={"amount": old.amount + gap.amount})
        else:
            self._gaps[key] = gap

    def _put_still(self, still: Still, kept: bool) -> None:
        if kept and len(self._kept) < KEPT_STILLS:
            self._kept.append(encode(still))
            return
        if still.stream in self._stills:
            self.dropped["stills"] += 1
        self._stills[still.stream] = encode(still)

    def readings_waiting(self) -> bool:
        """Say whether readings are still to be written: no new ones should be drained."""
        with self._condition:
            return bool(self._readings)

    def _next(self) -> bytes | None:
        """Take the line worth most, or None."""
        if self._urgent:
            return self._urgent.popleft()
        if self._gaps:
            return encode(self._gaps.pop(next(iter(self._gaps))))
        if self._beats:
            return self._beats.pop(next(iter(self._beats)))
        for queue in (self._readings, self._kept):
            if queue:
                return queue.popleft()
        return self._stills.pop(next(iter(self._stills))) if self._stills else None

    def _write_all(self) -> None:
        while True:
            with self._condition:
                while (line := self._next()) is None:
                    self._idle = True
                    self._condition.notify_all()
                    self._condition.wait()
                self._idle = False
            if not self._write(line):
                return

    def _write(self, line: bytes) -> bool:
        """Write a whole line; False when nobody reads any more."""
        assert len(line) <= LINE_LIMIT_BYTES, f"line of {len(line)} bytes"
        with self._writing:
            try:
                view = memoryview(line)
                while view:
                    view = view[os.write(self._fd, view) :]
            except OSError:
                self.broken = True
                return False
        return True

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is written, at most ``timeout_s``."""
        with self._condition:
            return self._condition.wait_for(self._is_empty, timeout_s) and not self.broken

    def _is_empty(self) -> bool:
        waiting = self._urgent or self._gaps or self._beats or self._readings or self._kept
        return self.broken or (self._idle and not waiting and not self._stills)

    def last_word(self, state: State, timeout_s: float) -> None:
        """Write one line past all queues, between two others; give up after ``timeout_s``.

        For a process about to end: whoever holds a half-written line is left to it.
        """
        if self._writing.acquire(timeout=timeout_s):
            os.write(self._fd, encode(state))
