"""What a fresh clone leans on: the ground rule about skips, and the installer of packages."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
INSTALLER = ROOT / "setup" / "system_packages.sh"
NOBODY = 65534
TOOLS = ("bash", "env", "sed", "awk", "sort", "comm", "id", "uname", "dpkg-query")


def _pytest(folder: Path, body: str) -> "subprocess.CompletedProcess[str]":
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "test_it.py").write_text(f"import pytest\n{body}\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    "body",
    [
        "def test_it(): pytest.importorskip('no_such_module')",
        "@pytest.mark.skip\ndef test_it(): pass\ndef test_other(): pass",
        "@pytest.mark.xfail\ndef test_it(): assert False",
    ],
)
def test_a_run_with_a_test_that_was_not_run_fails_and_says_why(body: str, tmp_path: Path) -> None:
    done = _pytest(tmp_path, body)
    assert done.returncode == 1
    assert "that fails the run" in done.stdout


def test_a_run_where_everything_was_tried_is_green(tmp_path: Path) -> None:
    done = _pytest(tmp_path, "def test_it(): pass")
    assert done.returncode == 0
    assert "that fails the run" not in done.stdout


@pytest.fixture
def anyone() -> Iterator[Path]:
    """A folder that anybody may read: pytest's own are the user's alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _install(folder: Path, package: str, *options: str) -> tuple[int, str]:
    """Run the installer where it may install nothing: as nobody, no sudo on its PATH."""
    (folder / "list.txt").write_text(f"{package}  # why\n")
    installer = shutil.copy(INSTALLER, folder)
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None, name
        (folder / name).symlink_to(found)
    done = subprocess.run(
        [shutil.which("bash") or "bash", installer, *options, folder / "list.txt"],
        user=NOBODY if os.getuid() == 0 else None,
        env={"PATH": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, done.stdout + done.stderr


def test_packages_that_are_there_are_no_news(anyone: Path) -> None:
    assert _install(anyone, "make") == (0, "")


def test_a_missing_package_is_named_with_the_command_where_we_may_not_install(
    anyone: Path,
) -> None:
    code, said = _install(anyone, "takewatch-no-such-package")
    assert code == 1
    assert "sudo apt-get install takewatch-no-such-package" in said


def test_an_optional_package_that_is_missing_is_named_and_no_error(anyone: Path) -> None:
    code, said = _install(anyone, "takewatch-no-such-package", "--optional")
    assert code == 0
    assert "sudo apt-get install takewatch-no-such-package" in said
