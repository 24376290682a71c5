"""Loads settings and specs from TOML; a file with faults is refused with all of them at once."""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from config.errors import ConfigError, Fault, SettingsError, SpecError, nearest, one_of, shown
from config.faults import faults_of, model_keys, path_text, validate
from config.rows import PRESETS, cell_names, spec_faults
from config.settings import Network, Production, Settings, SourceSettings, Storage
from config.spec import Limit, Spec, StageSpec

__all__ = [
    "ConfigError",
    "SettingsError",
    "SpecError",
    "load_settings",
    "load_spec",
    "preset_names",
]

FILE_LIMIT_BYTES = 1024 * 1024  # the longest real one is some 20 KiB
NOT_SPECS = frozenset({"rules", "example"})
_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")


def preset_names() -> list[str]:
    """Return the names of the specs that ship with the product, sorted."""
    names = (path.stem for path in PRESETS.glob("*.toml"))
    return sorted(name for name in names if name not in NOT_SPECS)


def _syntax_fault(text: str, error: tomllib.TOMLDecodeError) -> Fault:
    message = str(error)
    place = _LINE.search(message)
    what = _LINE.sub("", message).strip()
    if place is None:
        return Fault(path="end of file", found=what[:1].lower() + what[1:], expected="TOML")
    line = int(place[1])
    lines = text.splitlines()
    found = shown(lines[line - 1]) if line <= len(lines) else "the end of the file"
    return Fault(
        path=f"line {line}, column {place[2]}",
        found=found,
        expected=f"TOML ({what[:1].lower() + what[1:]})",
    )


def _read(path: Path, error: type[ConfigError]) -> dict[str, Any]:
    def refuse(found: str, expected: str) -> ConfigError:
        return error(str(path), [Fault(path="", found=found, expected=expected)])

    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise refuse("no such file", "a TOML file") from None
    except (OSError, ValueError) as cause:
        reason = cause.strerror if isinstance(cause, OSError) else str(cause)
        raise refuse((reason or "nothing readable").lower(), "a readable TOML file") from None
    if len(data) > FILE_LIMIT_BYTES:
        raise refuse(f"{len(data)} bytes", f"at most {FILE_LIMIT_BYTES}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = data[: cause.start].count(b"\n") + 1
        raise refuse(f"bytes that are not UTF-8 in line {line}", "UTF-8 text") from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as cause:
        raise error(str(path), [_syntax_fault(text, cause)]) from None
    except (RecursionError, ValueError) as cause:
        raise refuse(f"{cause}".lower(), "TOML") from None


# ---- settings ----------------------------------------------------------------------------------

_TABLES: dict[str, type[BaseModel]] = {
    "production": Production,
    "network": Network,
    "storage": Storage,
    "source": SourceSettings,
}


def _settings_keys(path: tuple[int | str, ...]) -> set[str]:
    if not path:
        return model_keys(Settings)
    table = _TABLES.get(str(path[0]))
    return model_keys(table) if table else set()


def _listed(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    sources = document.get("source")
    return [s for s in sources if isinstance(s, Mapping)] if isinstance(sources, list) else []


def _kind_fault(path: str, kind: object, kinds: Collection[str]) -> Fault:
    expected = one_of(sorted(kinds)) if kinds else "a source kind"
    return Fault(path=path, found=shown(kind), expected=expected, suggestion=nearest(kind, kinds))


def _option_faults(
    place: str, table: Mapping[str, Any], options: Mapping[str, type[BaseModel]]
) -> list[Fault]:
    kind = table.get("kind")
    if kind is None:
        return []  # already a fault: kind is missing
    if not isinstance(kind, str) or kind not in options:
        return [_kind_fault(f"{place}.kind", kind, options)]
    model, shared = options[kind], model_keys(SourceSettings)
    own = {key: value for key, value in table.items() if key not in shared}
    known = model_keys(model)
    faults = [
        Fault(
            path=f"{place}.{path_text((key,))}",
            found="an unknown key",
            expected=f"an option of {kind} ({', '.join(sorted(known)) or 'none'})",
            suggestion=nearest(key, known | shared),
        )
        for key in own
        if key not in known
    ]
    options_given = {key: value for key, value in own.items() if key in known}
    try:
        model.model_validate(options_given)
    except ValidationError as error:
        for fault in faults_of(error, options_given, lambda _: known):
            path = f"{place}.{fault.path}" if fault.path else place
            faults.append(Fault(path=path, found=fault.found, expected=fault.expected))
    return faults


def _duplicate_faults(sources: Iterable[Mapping[str, Any]]) -> list[Fault]:
    seen: dict[object, int] = {}
    faults = []
    for index, table in enumerate(sources):
        name = table.get("id")
        if isinstance(name, str) and name in seen:
            faults.append(
                Fault(
                    path=f"source[{index + 1}].id",
                    found=f"{name!r}, which is source {seen[name] + 1}'s",
                    expected="an id of its own",
                )
            )
        elif isinstance(name, str):
            seen[name] = index
    return faults


def _source_faults(
    document: Mapping[str, Any], options: Mapping[str, type[BaseModel]]
) -> list[Fault]:
    sources = _listed(document)
    faults = _duplicate_faults(sources)
    for index, table in enumerate(sources):
        faults += _option_faults(path_text(("source", index), document), table, options)
    return faults


def _channel_faults(document: Mapping[str, Any], settings: Settings) -> list[Fault]:
    faults = []
    for index, source in enumerate(settings.source):
        place = path_text(("source", index), document)
        for key, channels in (
            ("programme", source.programme or []),
            ("pairs", [channel for pair in source.pairs for channel in pair]),
        ):
            faults += [
                Fault(path=f"{place}.{key}", found=str(channel), expected="channels from 1")
                for channel in channels
                if channel < 1
            ]
    return faults


def _spec_named(document: Mapping[str, Any], folder: Path) -> list[Fault]:
    name = document.get("spec", Settings().spec)
    if not isinstance(name, str):
        return []  # already a fault: not text
    try:
        load_spec(name, folder)
    except SpecError as error:
        return [
            Fault(
                path=f"spec.{fault.path}" if fault.path else "spec",
                found=fault.found,
                expected=fault.expected,
                suggestion=fault.suggestion,
            )
            for fault in error.faults
        ]
    return []


def load_settings(path: Path, options: Mapping[str, type[BaseModel]]) -> Settings:
    """Load a settings file; ``options`` holds the options model of every source kind.

    Raises ``SettingsError`` that lists every fault with its key's path and a suggestion.
    """
    document = _read(path, SettingsError)
    settings, faults = validate(Settings, document, _settings_keys)
    faults += _source_faults(document, options)
    faults += _spec_named(document, path.parent)
    if isinstance(settings, Settings):
        faults += _channel_faults(document, settings)
    if faults or not isinstance(settings, Settings):
        raise SettingsError(str(path), faults)
    return settings


# ---- specs -------------------------------------------------------------------------------------


def _spec_keys(path: tuple[int | str, ...]) -> set[str]:
    if not path:
        return model_keys(Spec)
    if len(path) == 1:
        return model_keys(StageSpec)
    return model_keys(Limit) if path[1] == "limits" else cell_names()


def _looks_like_path(name: str) -> bool:
    return name.endswith(".toml") or "/" in name or "\\" in name


def spec_path(name: str, relative_to: Path | None = None) -> Path:
    """Return the file of a preset or a path. Raises ``SpecError`` where it is neither."""
    if name in preset_names():
        return PRESETS / f"{name}.toml"
    if _looks_like_path(name):
        return (relative_to or Path()) / Path(name).expanduser()
    names = preset_names()
    fault = Fault(
        path="",
        found=shown(name),
        expected=f"{one_of(names)}, or the path of a .toml file",
        suggestion=nearest(name, names),
    )
    raise SpecError("spec", [fault])


def load_spec(
    name_or_path: str, relative_to: Path | None = None, metrics: Collection[str] | None = None
) -> Spec:
    """Load a preset by name, or a spec file by path, relative to ``relative_to``.

    ``metrics``: the metric keys there are, to check changed cells against; None checks none.
    Raises ``SpecError`` that lists every fault.
    """
    path = spec_path(name_or_path, relative_to)
    spec, faults = validate(Spec, _read(path, SpecError), _spec_keys)
    if isinstance(spec, Spec):
        faults += spec_faults(spec, metrics)
    if faults or not isinstance(spec, Spec):
        raise SpecError(str(path), faults)
    return spec
