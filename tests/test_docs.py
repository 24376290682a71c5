"""Docs are tests: what exists is written down, and what is written down exists."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel, TypeAdapter

import capture.sources
import monitor.measure
from api.app import create_app
from api.cli import VERBS
from api.messages import ServerMessage
from api.service import Service
from capture.source import KINDS
from config.settings import Settings, SourceSettings
from monitor.metrics import METRICS
from monitor.report import REPORTS

ROOT = Path(__file__).parent.parent
DECISION = re.compile(r"^\d{4}-[a-z0-9-]+\.md$")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NAMED_FILE = re.compile(r"`([\w./-]+/(?:[\w.-]+\.\w+)?|\.?[\w-]+(?:\.\w+)+)`")

assert capture.sources  # imported to register every kind
assert monitor.measure  # imported to declare every metric


def _pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if (ROOT / name).is_file()]


def _text(*names: str) -> str:
    return "\n".join((ROOT / name).read_text() for name in names)


def _says(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def _rules() -> set[str]:
    table = tomllib.loads(_text("config/presets/rules.toml"))
    return {row["name"] for row in table["rule"]}


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield name
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _keys(inner)


@pytest.mark.parametrize("file", _pages(), ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_between_our_pages_leads_somewhere(file: Path) -> None:
    links = [link for link in LINK.findall(file.read_text()) if "://" not in link]
    broken = [link for link in links if not (file.parent / link.partition("#")[0]).exists()]
    assert not broken


@pytest.mark.parametrize("key", sorted(METRICS))
def test_every_metric_is_explained(key: str) -> None:
    assert f"`{key}`" in _text("docs/metrics.md")


@pytest.mark.parametrize("key", sorted({*_keys(Settings), *_keys(SourceSettings)}))
def test_every_setting_is_in_the_example_that_is_the_manual(key: str) -> None:
    assert _says(_text("config/presets/example.toml"), key)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_source_kind_and_its_options_are_in_the_manual(kind: str) -> None:
    manual = _text("config/presets/example.toml", "docs/settings.md")
    missing = [key for key in (kind, *_keys(KINDS[kind].options)) if not _says(manual, key)]
    assert not missing


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_shown_in_the_readme(verb: str) -> None:
    assert f"takewatch {verb}" in _text("README.md")


def test_every_route_and_method_is_in_the_interface_page(tmp_path: Path) -> None:
    page = _text("docs/api.md")
    paths = create_app(Service(None, tmp_path)).openapi()["paths"]
    assert "/api/health" in paths
    routes = [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]
    assert [route for route in routes if not _documented(page, route)] == []


def _documented(page: str, route: str) -> bool:
    """A route stands in one line with its method; the name of a path's variable may differ."""
    method, path = route.split(" ")
    wanted = re.escape(re.sub(r"{[^}]+}", "{}", path))
    line = rf"\b{method}\b[^\n]*?{wanted}(?![\w/{{])"
    return re.search(line, re.sub(r"{[^}]+}", "{}", page)) is not None


def test_every_message_of_the_live_feed_is_in_the_interface_page() -> None:
    schema = TypeAdapter(ServerMessage).json_schema()
    types = list(schema["discriminator"]["mapping"])
    assert "heartbeat" in types
    page = _text("docs/api.md")
    assert [name for name in types if f"`{name}`" not in page] == []
    assert "/api/live" in page


@pytest.mark.parametrize("rule", sorted(_rules()))
def test_every_rule_is_explained(rule: str) -> None:
    assert f"`{rule}`" in _text("docs/rules.md")


@pytest.mark.parametrize("form", sorted(REPORTS))
def test_every_report_format_is_named(form: str) -> None:
    assert _says(_text("README.md").lower(), form)


def test_every_decision_has_a_number_of_its_own_and_a_heading() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name for page in pages if not DECISION.match(page.name)] == []
    numbers = [page.name[:4] for page in pages]
    assert len(numbers) == len(set(numbers))
    wrong = [page.name for page in pages if not re.match(rf"# {page.name[:4]}\b", page.read_text())]
    assert wrong == []


def test_the_files_contributing_names_exist() -> None:
    named = set(NAMED_FILE.findall(_text("CONTRIBUTING.md")))
    real = {name for name in named if not re.search(r"(^|/|_)[xX]\.\w+$", name)}
    assert "capture/sources/__init__.py" in real
    assert sorted(name for name in real if not (ROOT / name).exists()) == []
    templates = {Path(name).parent for name in named - real}
    assert sorted(str(folder) for folder in templates if not (ROOT / folder).is_dir()) == []
