"""The example is the manual: it loads, names every key, and shows the defaults."""

import tomllib

import pytest
from pydantic import BaseModel

import capture.sources  # noqa: F401  fills the registry
from capture.source import KINDS
from config.loading import load_settings
from config.rows import PRESETS
from config.settings import Network, Production, Settings, SourceSettings, Storage

EXAMPLE = PRESETS / "example.toml"
TABLES: dict[str, type[BaseModel]] = {
    "production": Production, "network": Network, "storage": Storage,
}  # fmt: skip
NO_DEFAULT_TO_SHOW = {"time_zone"}  # left out, it is the machine's own


def test_the_example_loads() -> None:
    options = {kind: KINDS[kind].options for kind in KINDS}
    document = tomllib.loads(EXAMPLE.read_text())
    kinds = {table["kind"] for table in document["source"]}
    assert set(options) <= kinds, "a source kind has no example"
    loaded = load_settings(EXAMPLE, _with_open(kinds - set(options)) | options)
    assert [source.id for source in loaded.source] == [
        "cart",
        "cam-a",
        "monitor-out",
        "card",
        "practice",
    ]


def _with_open(kinds: set[str]) -> dict[str, type[BaseModel]]:
    class Open(BaseModel):
        device: str = ""
        address: str = ""

    return dict.fromkeys(kinds, Open)


def test_the_example_names_every_key_of_the_settings() -> None:
    document = tomllib.loads(EXAMPLE.read_text())
    assert set(document) == set(Settings.model_fields)
    for name, model in TABLES.items():
        assert set(document[name]) == set(model.model_fields), name
    assert set(SourceSettings.model_fields) <= {k for table in document["source"] for k in table}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_the_values_shown_are_the_defaults(name: str) -> None:
    document = tomllib.loads(EXAMPLE.read_text())
    for key, field in TABLES[name].model_fields.items():
        if key not in NO_DEFAULT_TO_SHOW:
            assert document[name][key] == field.get_default(call_default_factory=True), key


def test_every_key_of_the_example_has_words_of_its_own_above_it() -> None:
    lines = EXAMPLE.read_text().splitlines()
    explained = [index for index, line in enumerate(lines) if line.startswith("#")]
    keys = sum(len(model.model_fields) for model in TABLES.values())
    assert len(explained) >= keys


def test_every_option_of_every_kind_of_source_is_named() -> None:
    text = EXAMPLE.read_text()
    for kind in KINDS.values():
        for option in kind.options.model_fields:
            assert option in text, f"{kind.name}: {option}"
