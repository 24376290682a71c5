"""The service as a process of its own: started, killed and started again on the same port."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_S = 60.0  # two loaded cores: importing alone has taken 10 s
STOP_S = 15.0
_ADDRESS = re.compile(r"http://localhost:(\d+)")


class RunningService:
    """``takewatch run`` in a folder of its own; ``config`` None is a first run."""

    def __init__(self, folder: Path, config: Path | None) -> None:
        self.folder = folder
        self.config = config
        self.port = 0
        self.output: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._ready = threading.Event()

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://localhost:{self.port}"

    @property
    def from_the_network(self) -> str:
        """Where a tablet of the set's network finds the page, if the configuration opens it."""
        return f"http://127.0.0.2:{self.port}"

    def invite(self, role: str) -> str:
        """Return a single-use token, as ``takewatch pair`` asks for it."""
        ask = urllib.request.Request(
            f"{self.address}/api/invitations",
            data=json.dumps({"role": role}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(ask, timeout=START_S) as answer:
            links: list[str] = json.load(answer)["links"]
        return links[0].partition("#pair=")[2]

    def start(self) -> None:
        """Start it and wait until it says where its page is; a restart keeps the port."""
        self._ready.clear()
        command = [sys.executable, "-m", "api", "run"]
        command += [str(self.config)] if self.config else []
        command += ["--port", str(self.port), "--folder", str(self.folder)]
        self._process = subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        assert self._ready.wait(START_S), f"nothing said in {START_S} s"
        assert self.port, "".join(self.output)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Read all it says, so that its pipe never fills."""
        assert process.stdout is not None
        for line in process.stdout:
            self.output.append(line)
            found = _ADDRESS.search(line)
            if found and not self._ready.is_set():
                self.port = int(found[1])
                self._ready.set()
        process.stdout.close()
        self._ready.set()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the process without closing anything: its sockets stay open and say nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill −9: nothing is said, nothing is finished."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(STOP_S)
        self._process = None
