"""The outbox: what is worth most goes first, and what cannot wait is counted."""

import json
import os
import select
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.lines import EVENTS_QUEUED, Event, Gap, Reading, State, Still
from monitor.worker.outbox import Outbox

PIPE_BYTES = 1_200_000  # more than any pipe holds: the writer is stuck on this line


def state(word: str = "live") -> State:
    return State.model_validate({"source": "it", "state": word, "t_mono_ns": 1})


def event(number: int, phase: str) -> Event:
    return Event.model_validate(
        {"source": "it", "id": str(number), "phase": phase, "detector": "clipping"}
        | {"stream": 0, "epoch": 0, "start": number, "time_base": "1/48000", "t_arrival_ns": 1}
    )


def gap(amount: float) -> Gap:
    return Gap(
        source="it",
        stream=0,
        epoch=0,
        start=7,
        time_base="1/48000",
        amount=amount,
        unit="samples",
        reason="compute",
        t_arrival_ns=1,
    )


def reading(seq: int) -> Reading:
    numbers = {"seq": seq, "stream": 0, "epoch": 0, "start": 0, "end": 1, "t_arrival_ns": 1}
    return Reading.model_validate({"source": "it", **numbers, "values": {}})


def still(tick: int, size: int = 10) -> Still:
    return Still(source="it", stream=0, epoch=0, tick=tick, jpeg_base64="x" * size, t_arrival_ns=1)


def readable(read: int, within_s: float = 0.0) -> bool:
    return bool(select.select([read], [], [], within_s)[0])


@contextmanager
def stuck() -> Iterator[tuple[Outbox, int]]:
    """Yield an outbox whose pipe is full, and the pipe's other end."""
    read, write = os.pipe()
    outbox = Outbox(write)
    for tick in range(8):
        outbox.put(still(tick, size=PIPE_BYTES // 8), kept=True)
    assert readable(read, within_s=10.0)  # the writer has begun, and cannot end
    try:
        yield outbox, read
    finally:
        os.close(read)
        outbox.flush(5.0)
        os.close(write)


def drained(outbox: Outbox, read: int) -> list[dict[str, object]]:
    """Return every line written, reading the pipe empty."""
    outbox.put(state("ended"), beat=True)
    text = b""
    while b'"ended"' not in text or not outbox.flush(0.0) or readable(read):
        if readable(read, within_s=0.05):
            text += os.read(read, 1 << 20)
    return [json.loads(line) for line in text.splitlines()]


def test_a_slow_reader_gets_events_and_gaps_before_readings_and_stills_last() -> None:
    with stuck() as (outbox, read):
        outbox.put(still(100))
        outbox.put(reading(1))
        outbox.put(gap(5))
        outbox.put(event(1, "open"))
        words = [str(line["line"]) for line in drained(outbox, read)]
    first = words.index("event")
    assert words[first:].index("gap") < words[first:].index("reading")
    assert words[-1] == "still"


def test_gaps_that_wait_are_added_and_never_lost() -> None:
    with stuck() as (outbox, read):
        for _ in range(2000):
            outbox.put(gap(3))
        lines = drained(outbox, read)
    assert sum(float(str(line["amount"])) for line in lines if line["line"] == "gap") == 6000


def test_event_updates_beyond_the_bound_are_counted_and_openings_still_queue() -> None:
    with stuck() as (outbox, read):
        for number in range(EVENTS_QUEUED + 50):
            outbox.put(event(number, "update"))
        outbox.put(event(9999, "open"))
        lines = drained(outbox, read)
        assert outbox.dropped["event_updates"] in (50, 49)
    assert [line["start"] for line in lines if line.get("phase") == "open"] == [9999]


def test_only_the_newest_still_waits_and_the_others_are_counted() -> None:
    with stuck() as (outbox, read):
        for tick in range(100, 110):
            outbox.put(still(tick))
        lines = drained(outbox, read)
        assert outbox.dropped["stills"] == 9
    assert [line["tick"] for line in lines if line["line"] == "still"][-1] == 109


def test_a_reader_that_left_ends_the_writing() -> None:
    read, write = os.pipe()
    outbox = Outbox(write)
    os.close(read)
    outbox.put(state())
    assert not outbox.flush(5.0)
    assert outbox.broken
    os.close(write)
