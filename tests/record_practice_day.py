"""Record the practice day: real workers over the practice feeds, for three minutes.

``python -m tests.record_practice_day`` writes ``tests/fixtures/practice_day.jsonl.gz``, which the
rules, the hub, the reports and the page are tested against. It takes as long as the day does.

The file holds one JSON object a line. The first says what was watched::

    {"practice_day": 1, "production": "…", "sources": [{"id": "sound", "kind": "synthetic", …}, …]}

All others carry ``t_ns``, the monotonic time of arrival at the service, which never decreases,
and either a worker's line or what the crew did::

    {"t_ns": 1200345678, "line": {"line": "state", "source": "sound", "state": "live", …}}
    {"t_ns": 2200345678, "do": "roll", "scene": "27", "take": 1}

``do`` is one of ``line_up`` (begins), ``line_up_done``, ``roll``, ``cut``, ``end``. Readings are
merged to ``READINGS_HZ`` by their metrics' own rules and rounded; of the stills the first of each
camera is kept.
"""

import asyncio
import gzip
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import monitor.measure  # noqa: F401  declares the metrics: without it readings do not merge
from config.settings import SourceSettings
from monitor.lines import OutLine, Reading, decode_out
from monitor.metrics import Value, merge_values
from monitor.supervisor import Supervisor

FIXTURE = Path(__file__).parent / "fixtures" / "practice_day.jsonl.gz"
LIMIT_BYTES = 300 * 1024
READINGS_HZ = 4  # at 25 the file would be five times as large
DECIMALS = 2
LENGTH_S = 186.0

SOUND_FAULTS = [
    {"what": "clip", "at_s": 92.0, "for_s": 0.05, "channel": 3},
    {"what": "silence", "at_s": 140.0, "for_s": 1.5, "channel": 4},
    {"what": "lost", "at_s": 160.0, "for_s": 6.0},
]
CAMERA_A_FAULTS = [{"what": "drop_frames", "at_s": 150.0, "for_s": 0.4}]
CAMERA_B_FAULTS = [
    {"what": "freeze", "at_s": 100.0, "for_s": 4.0},
    {"what": "black", "at_s": 168.0, "for_s": 3.0},
]


def _feed(scene: str, name: str, group: str, **more: object) -> dict[str, object]:
    identifier = scene.replace("camera_", "cam-")
    return {
        "id": identifier,
        "kind": "synthetic",
        "name": name,
        "department": "sound" if scene == "sound" else "camera",
        "group": group,
        "scene": scene,
        **more,
    }


SOURCES = (
    _feed("sound", "Sound cart", "sound", programme=[1, 2], faults=SOUND_FAULTS),
    _feed("camera_a", "A camera", "A camera", faults=CAMERA_A_FAULTS),
    _feed("camera_b", "B camera", "B camera", faults=CAMERA_B_FAULTS),
)
CREW: tuple[tuple[float, dict[str, object]], ...] = (
    (4.0, {"do": "line_up"}),
    (14.0, {"do": "line_up_done"}),
    (22.0, {"do": "roll", "scene": "27", "take": 1}),
    (60.0, {"do": "cut"}),
    (75.0, {"do": "roll", "scene": "27", "take": 2}),
    (120.0, {"do": "cut"}),
    (130.0, {"do": "roll", "scene": "27", "take": 3}),
    (178.0, {"do": "cut"}),
    (LENGTH_S, {"do": "end"}),
)


def rounded(value: Value) -> Value:
    """Return the value with fewer decimals, so that the fixture stays small."""
    if isinstance(value, list):
        return [round(v, DECIMALS) if isinstance(v, float) else v for v in value]
    return round(value, DECIMALS) if isinstance(value, float) else value


def merged(readings: list[Reading]) -> Reading:
    """Return consecutive readings of one stream as one."""
    values: dict[str, Value] = {}
    for reading in readings:
        values = merge_values(values, reading.values)
    return readings[-1].model_copy(
        update={
            "start": readings[0].start,
            "intervals": sum(reading.intervals for reading in readings),
            "values": {key: rounded(value) for key, value in values.items()},
        }
    )


class Recorder:
    """Takes the lines as a hub would, and keeps what the fixture wants."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self._waiting: dict[tuple[str, int, int], list[Reading]] = {}
        self._stills: set[str] = set()

    def deliver(self, line: OutLine, t_ns: int) -> None:
        """Keep a line, merge a reading, leave a further still out."""
        if isinstance(line, Reading):
            self._reading(line, t_ns)
            return
        if line.line == "still":
            if line.source in self._stills:
                return
            self._stills.add(line.source)
        self.rows.append({"t_ns": t_ns, "line": line.model_dump(mode="json")})

    def _reading(self, reading: Reading, t_ns: int) -> None:
        key = (reading.source, reading.stream, reading.epoch)
        waiting = self._waiting.setdefault(key, [])
        waiting.append(reading)
        if len(waiting) >= round(25 / READINGS_HZ):
            line = merged(waiting).model_dump(mode="json")
            self.rows.append({"t_ns": t_ns, "line": line})
            waiting.clear()

    def do(self, what: dict[str, object]) -> None:
        """Keep what the crew did, now."""
        self.rows.append({"t_ns": time.monotonic_ns(), **what})


async def record() -> list[dict[str, object]]:
    """Watch the practice feeds for a day of three minutes and return the fixture's rows."""
    recorder = Recorder()
    settings = [SourceSettings.model_validate(source) for source in SOURCES]
    supervisor = Supervisor(settings, recorder.deliver, node="cart", jitter=lambda: 0.0)
    await supervisor.start()
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    for at_s, what in CREW:
        await asyncio.sleep(start_s + at_s - loop.time())
        recorder.do(what)
    await supervisor.stop()
    head: dict[str, object] = {
        "practice_day": 1,
        "production": "The Practice",
        "sources": [source.model_dump(mode="json") for source in settings],
    }
    return [head, *recorder.rows]


def write(rows: list[dict[str, object]], path: Path) -> int:
    """Write the rows, compressed the same way every time; return the size in bytes."""
    text = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    data = gzip.compress(text.encode(), compresslevel=9, mtime=0)
    assert len(data) <= LIMIT_BYTES, f"{len(data)} bytes, at most {LIMIT_BYTES} wanted"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return len(data)


def practice_day(path: Path = FIXTURE) -> Iterator[dict[str, object]]:
    """Yield the fixture's rows, the first being the head."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for text in file:
            row = json.loads(text)
            assert isinstance(row, dict)
            yield row


def practice_lines(path: Path = FIXTURE) -> Iterator[tuple[int, OutLine]]:
    """Yield (t_ns, line) of every worker's line of the fixture."""
    for row in practice_day(path):
        if "line" in row:
            assert isinstance(row["t_ns"], int)
            yield row["t_ns"], decode_out(json.dumps(row["line"]))


if __name__ == "__main__":
    size = write(asyncio.run(record()), FIXTURE)
    sys.stderr.write(f"{FIXTURE.name}: {size} bytes\n")
