"""The wheel as a user gets it: in an empty environment, no Node on the PATH, no checkout near.

Its dependencies are those already installed here, lent by a .pth file: what is tried is the
wheel's own content.
"""

import json
import os
import socket
import subprocess
import sys
import sysconfig
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
START_LIMIT_S = 60  # imports of a cold start on a busy machine
POLL_S = 0.1


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "-qq", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", folder, ROOT], check=True, timeout=110)
    return next(folder.glob("takewatch-*.whl"))


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it."""
    folder = tmp_path_factory.mktemp("home")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    install: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "-qq",
        "--python",
        python,
        "install",
        "--no-deps",
    ]
    subprocess.run([*install, wheel], check=True, timeout=60)
    lent = next((folder / "venv" / "lib").glob("python3*/site-packages")) / "lent.pth"
    lent.write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder


def _environment(home: Path) -> dict[str, str]:
    """No checkout, no Node; ldconfig stays findable, which is how PortAudio is found."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    path = f"{home / 'venv' / 'bin'}{os.pathsep}/sbin{os.pathsep}/usr/sbin"
    return {**kept, "PATH": path, "HOME": str(home), "XDG_DATA_HOME": str(home / "data")}


def _takewatch(home: Path, *arguments: str) -> str:
    done = subprocess.run(
        [home / "venv" / "bin" / "takewatch", *arguments],
        cwd=home,
        env=_environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=START_LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def _running(home: Path) -> Iterator[str]:
    port = _free_port()
    log = home / "run.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            [home / "venv" / "bin" / "takewatch", "run", "--port", str(port)],
            cwd=home,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as service,
    ):
        try:
            _wait_until_healthy(service, f"http://127.0.0.1:{port}", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            service.terminate()
            service.wait(timeout=20)


def _wait_until_healthy(service: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    for _ in range(int(START_LIMIT_S / POLL_S)):
        try:
            with urllib.request.urlopen(f"{address}/api/health", timeout=5):
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            pass  # not listening yet
        try:
            code = service.wait(timeout=POLL_S)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail(f"takewatch run ended with {code}:\n{log.read_text()}")
    pytest.fail(f"not healthy within {START_LIMIT_S} s:\n{log.read_text()}")


def _get(address: str) -> tuple[int, bytes]:
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.status, answer.read()


def test_the_wheel_holds_the_rooms_and_the_page_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"config", "capture", "monitor", "api", "dashboard"}
    assert "dashboard/dist/index.html" in names
    assert all(name.startswith("dashboard/dist/") for name in names if name[:10] == "dashboard/")


def test_presets_and_other_data_travel_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "config", "capture", "monitor", "api"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert set(tracked) <= names


def test_the_installed_script_knows_its_version_and_its_verbs(home: Path) -> None:
    assert "0.1.0" in _takewatch(home, "--version")
    assert "check" in _takewatch(home, "--help")


def test_the_installed_service_serves_the_built_page_and_is_healthy(home: Path) -> None:
    with _running(home) as address:
        status, body = _get(f"{address}/api/health")
        assert status == 200
        assert isinstance(json.loads(body), dict)
        status, page = _get(f"{address}/")
        assert status == 200
        assert page == (ROOT / "dashboard" / "dist" / "index.html").read_bytes()
