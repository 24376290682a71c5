"""The command as a shell starts it, and clips shared by the tests of checking."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.clips import Clips

TIMEOUT_S = 100
Documents = list[dict[str, Any]]


@dataclass(frozen=True)
class Ran:
    """What a run of the command left behind."""

    status: int
    out: str
    err: str

    @property
    def documents(self) -> Documents:
        return [json.loads(line) for line in self.out.split("\n") if line]


Takewatch = Callable[..., Ran]


@pytest.fixture
def takewatch(tmp_path: Path) -> Takewatch:
    """Run ``takewatch`` in a folder of its own, as a process; no terminal is attached."""

    def run(*arguments: str | bytes | Path) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "api", *arguments],
            capture_output=True,
            timeout=TIMEOUT_S,
            cwd=tmp_path,
            check=False,
            env=environment(),
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


def environment() -> dict[str, str]:
    """Return the environment with the tree under test on the path."""
    import os

    root = Path(__file__).parents[3]
    return {**os.environ, "PYTHONPATH": str(root)}


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("check-clips"))
