"""Turns what pydantic says about a file into faults a person can act on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.errors import Fault, nearest, one_of, shown

KeysAt = Callable[[tuple[int | str, ...]], Iterable[str]]
"""The keys that are allowed in the table at a path."""

EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def path_text(path: Sequence[int | str], document: object = None) -> str:
    """Return a key's path as text: list items by their ``id`` where they have one, else from 1."""
    text, here = "", document
    for step in path:
        here = _below(here, step)
        if isinstance(step, int):
            name = here.get("id") if isinstance(here, Mapping) else None
            text += f'["{name}"]' if isinstance(name, str) else f"[{step + 1}]"
        else:
            key = f'"{step}"' if "." in step or "/" in step else step
            text += f".{key}" if text else key
    return text


def _below(here: object, step: int | str) -> object:
    if isinstance(here, Mapping):
        return here.get(step)
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return here[step]
    return None


def _expected(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in EXPECTED:
        return EXPECTED[kind]
    if kind == "literal_error":
        return str(context["expected"])
    bounds = [f"{words} {context[key]}" for key, words in BOUNDS.items() if key in context]
    if bounds:
        return " and ".join(bounds)
    if kind == "string_pattern_mismatch":
        return f"text that matches {context['pattern']}"
    if kind == "value_error" and "error" in context:
        return str(context["error"])
    message = error["msg"]
    return message[:1].lower() + message[1:]


def _fault(error: ErrorDetails, document: object, keys_at: KeysAt) -> Fault:
    path = tuple(error["loc"])
    text = path_text(path, document)
    if error["type"] == "extra_forbidden":
        known = sorted(keys_at(path[:-1]))
        key = str(path[-1])
        return Fault(
            path=text,
            found="an unknown key",
            expected=one_of(known) if known else "no such key",
            suggestion=nearest(key, known),
        )
    if error["type"] == "missing":
        return Fault(path=text, found="nothing", expected="a value")
    suggestion = None
    if error["type"] == "literal_error":
        words = str(error.get("ctx", {})["expected"]).replace(" or ", ", ")
        suggestion = nearest(error["input"], [word.strip("'") for word in words.split(", ")])
    found = shown(error["input"])
    return Fault(path=text, found=found, expected=_expected(error), suggestion=suggestion)


def _merged_unions(errors: Iterable[ErrorDetails], document: object) -> list[ErrorDetails]:
    """Keep one error a key: a union's members each complain, at paths below the key."""
    kept: dict[tuple[int | str, ...], ErrorDetails] = {}
    for error in errors:
        path = list(error["loc"])
        while path and error["type"] != "missing" and not _exists(document, path):
            path.pop()
        if path != list(error["loc"]):
            error = error | {"loc": tuple(path)}
        kept.setdefault(tuple(path), error)
    return list(kept.values())


def _exists(document: object, path: Sequence[int | str]) -> bool:
    here = document
    for step in path:
        keyed = isinstance(here, Mapping) and step in here
        listed = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if not keyed and not listed:
            return False
        here = _below(here, step)
    return True


def faults_of(error: ValidationError, document: object, keys_at: KeysAt) -> list[Fault]:
    """Return the faults in a validation error, in the order of the file."""
    details = _merged_unions(error.errors(include_url=False), document)
    return [_fault(detail, document, keys_at) for detail in details]


def model_keys(model: type[BaseModel]) -> set[str]:
    """Return the keys a model's table may have."""
    return {field.alias or name for name, field in model.model_fields.items()}


def validate(
    model: type[BaseModel], document: Mapping[str, Any], keys_at: KeysAt
) -> tuple[BaseModel | None, list[Fault]]:
    """Validate a table; return the model or None, and all faults."""
    try:
        return model.model_validate(document), []
    except ValidationError as error:
        return None, faults_of(error, document, keys_at)
