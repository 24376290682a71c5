"""The build hook, tried on a page of one line: real npm, no packages, nothing fetched."""

import json
import subprocess
from pathlib import Path

import pytest

import hatch_build

BUILD = "mkdir -p dist && cp src/index.html dist/index.html && echo built >> node_modules/log"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    folder = tmp_path / "dashboard"
    (folder / "src").mkdir(parents=True)
    package = {"name": "page", "version": "0.0.0", "private": True, "scripts": {"build": BUILD}}
    lock = {"name": "page", "version": "0.0.0", "lockfileVersion": 3, "packages": {"": package}}
    (folder / "package.json").write_text(json.dumps(package))
    (folder / "package-lock.json").write_text(json.dumps(lock))
    (folder / "src" / "index.html").write_text("<p>first")
    (folder / "node_modules").mkdir()
    return folder


def _rewrite_build(folder: Path, build: str) -> None:
    package = json.loads((folder / "package.json").read_text())
    package["scripts"]["build"] = build
    (folder / "package.json").write_text(json.dumps(package))


@pytest.mark.parametrize(
    ("version", "engines", "fits"),
    [
        ("v20.20.2", ">=20.19", True),
        ("v20.18.0", ">=20.19", False),
        ("v18.20.4", "^20.19.0 || >=22.12.0", False),
        ("v21.7.0", "^20.19.0 || >=22.12.0", False),
        ("v22.12.0", "^20.19.0 || >=22.12.0", True),
        ("v100.0.0", ">=20.19", True),
    ],
)
def test_a_node_fits_when_it_meets_the_engines(version: str, engines: str, fits: bool) -> None:
    assert hatch_build.meets(version, engines) is fits


def test_the_page_is_built_once_and_again_only_when_its_sources_change(tiny: Path) -> None:
    assert hatch_build.build_page(tiny)
    assert not hatch_build.build_page(tiny)
    (tiny / "src" / "index.html").write_text("<p>second")
    assert hatch_build.build_page(tiny)
    assert (tiny / "dist" / "index.html").read_text() == "<p>second"
    assert (tiny / "node_modules" / "log").read_text().split() == ["built", "built"]


def test_a_page_that_does_not_build_shows_npms_own_words(tiny: Path) -> None:
    _rewrite_build(tiny, "echo the moon is in the wrong phase && exit 3")
    with pytest.raises(hatch_build.PageNotBuilt, match="moon is in the wrong phase"):
        hatch_build.build_page(tiny)
    assert not hatch_build.up_to_date(tiny)


def test_a_build_that_makes_no_page_is_a_failure(tiny: Path) -> None:
    _rewrite_build(tiny, "true")
    with pytest.raises(hatch_build.PageNotBuilt, match="made no"):
        hatch_build.build_page(tiny)


def test_a_folder_without_a_page_is_named(tmp_path: Path) -> None:
    with pytest.raises(hatch_build.PageNotBuilt, match=r"package\.json"):
        hatch_build.build_page(tmp_path)


def test_locks_carry_no_address() -> None:
    root = Path(hatch_build.__file__).parent
    tracked = subprocess.run(
        ["git", "ls-files", "*.lock", "*package-lock.json"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert {"requirements.lock", "requirements-dev.lock"} <= set(tracked)
    for name in tracked:
        text = (root / name).read_text()
        assert '"resolved"' not in text, name
        if name.endswith(".lock"):
            assert "://" not in text, name
