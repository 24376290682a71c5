"""The line log: the workers' lines as they came, compressed, bounded, replayable.

Files of gzip members, one member a second or 256 KiB, so that a kill loses at most the last one. A
new file begins at every roll and cut; the oldest go when the whole is too large or older than the
last 20 takes. Stills are left out. Each row is ``{"t": arrival, "line": {…}}`` or, for what people
did, ``{"t": …, "control": {"what": "roll", …}}``. Written on a thread of its own: a disk that
hangs costs rows, which are counted, never the monitoring.
"""

import gzip
import json
import queue
import re
import threading
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from monitor.lines import OutLine, Still, decode_out

FOLDER = "lines"
ENDING = ".jsonl.gz"
MEMBER_BYTES = 256 * 1024
MEMBER_NS = 1_000_000_000
FILE_BYTES = 64 * 1024 * 1024  # so that the bound can take away small parts
TAKES_KEPT = 20
_NUMBERED = re.compile(r"[0-9]{8}-")
ROWS_WAITING = 20_000  # 14 feeds of about 40 lines a second for half a minute


@dataclass(frozen=True, slots=True)
class Control:
    """What a person did, or the session: roll, cut, acknowledge and their fields."""

    what: str
    fields: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Row:
    t_ns: int
    body: BaseModel | Control


class LineLog:
    """The writer. ``line`` and ``control`` never block; ``lost`` counts rows that had no room."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder, self._limit_bytes = folder / FOLDER, limit_bytes
        self._rows: queue.Queue[_Row | None] = queue.Queue(ROWS_WAITING)
        self._thread = threading.Thread(target=self._run, name="line log", daemon=True)
        self.lost = 0
        self.fault: str | None = None
        """Why nothing is being written, or None."""

    def start(self) -> None:
        """Begin a new file."""
        self._thread.start()

    def close(self, timeout_s: float = 2.0) -> None:
        """Write what waits and end."""
        try:
            self._rows.put_nowait(None)
        except queue.Full:
            return  # the disk hangs: the thread is a daemon and dies with the process
        self._thread.join(timeout_s)

    def line(self, line: OutLine, t_ns: int) -> None:
        """Take a worker's line with its arrival."""
        if not isinstance(line, Still):
            self._put(_Row(t_ns, line))

    def control(self, what: str, t_ns: int, **fields: object) -> None:
        """Take what a person did."""
        self._put(_Row(t_ns, Control(what, fields)))

    def _put(self, row: _Row) -> None:
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            self.lost += 1

    def _run(self) -> None:
        writer = _Writer(self._folder, self._limit_bytes)
        while True:
            try:
                row = self._rows.get(timeout=MEMBER_NS / 1e9)
            except queue.Empty:
                row = _Row(-1, Control("idle", {}))
            try:
                if row is None or row.t_ns < 0:
                    writer.flush()
                else:
                    writer.write(row)
                self.fault = None
            except OSError as error:
                self.lost += writer.forget()
                self.fault = f"the line log cannot be written: {error}"
            if row is None:
                return


class _Writer:
    """Rows into members into files."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder, self._limit_bytes = folder, limit_bytes
        self._buffer: list[bytes] = []
        self._bytes = self._file_bytes = 0
        self._began_ns = 0
        self._file: Path | None = None

    def write(self, row: _Row) -> None:
        what = row.body.what if isinstance(row.body, Control) else None
        if what == "roll":
            self.flush()
            self._file = None
        if not self._buffer:
            self._began_ns = row.t_ns
        text = _encoded(row)
        self._buffer.append(text)
        self._bytes += len(text)
        old = row.t_ns - self._began_ns >= MEMBER_NS
        if old or self._bytes >= MEMBER_BYTES or what is not None:
            self.flush()
        if what == "cut":
            self._file = None

    def forget(self) -> int:
        """Drop what cannot be written and return how many rows that were."""
        count = len(self._buffer)
        self._buffer, self._bytes = [], 0
        return count

    def flush(self) -> None:
        """Append one member. Raises ``OSError``."""
        if not self._buffer:
            return
        if self._file is None or self._file_bytes >= FILE_BYTES:
            self._begin()
        assert self._file is not None
        member = gzip.compress(b"".join(self._buffer), 1, mtime=0)
        with self._file.open("ab") as file:
            file.write(member)
        self._file_bytes += len(member)
        self.forget()

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        files = _files(self._folder)
        number = int(files[-1].name.split("-")[0]) + 1 if files else 1
        take = b'"what":"roll"' in self._buffer[0]
        self._file = self._folder / f"{number:08d}-{'take' if take else 'between'}{ENDING}"
        self._file_bytes = 0
        _keep(files, self._limit_bytes)


def _encoded(row: _Row) -> bytes:
    if isinstance(row.body, Control):
        control = {"what": row.body.what, **row.body.fields}
        body = '"control":' + json.dumps(control, separators=(",", ":"))
    else:
        body = '"line":' + row.body.model_dump_json()
    return f'{{"t":{row.t_ns},{body}}}\n'.encode()


def _files(folder: Path) -> list[Path]:
    """Return our own files in order; whatever else somebody put there is let alone."""
    return sorted(file for file in folder.glob(f"*{ENDING}") if _NUMBERED.match(file.name))


def _keep(files: list[Path], limit_bytes: int) -> None:
    """Delete the oldest files beyond the bound or older than the last 20 takes."""
    takes = [at for at, file in enumerate(files) if "-take" in file.name]
    oldest = takes[-TAKES_KEPT] if len(takes) >= TAKES_KEPT else 0
    sizes = [file.stat().st_size for file in files]
    while sum(sizes[oldest:]) > limit_bytes and oldest < len(files):
        oldest += 1
    for file in files[:oldest]:
        file.unlink(missing_ok=True)


def replay(path: Path) -> Iterator[tuple[int, OutLine | Control]]:
    """Yield arrivals with lines or controls, of one file or of a folder's files in order.

    A last member that a kill cut off ends its file; rows before it are whole.
    """
    for file in _files(path) if path.is_dir() else [path]:
        for text in _texts(file):
            row = json.loads(text)
            if "control" in row:
                fields = dict(row["control"])
                yield int(row["t"]), Control(str(fields.pop("what")), fields)
            else:
                yield int(row["t"]), decode_out(json.dumps(row["line"]))


def _texts(file: Path) -> Iterator[str]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") as rows:
            yield from (row for row in rows if row.endswith("\n"))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return
