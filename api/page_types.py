"""Write the page's TypeScript types from the schema of :mod:`api.messages`.

``python -m api.page_types > dashboard/src/messages.ts``; a test keeps the file equal. What the
service sends is described as it is serialised (every field is there), what the page sends as it is
validated (a field with a default may be left out).
"""

import json
import sys

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from api import messages

HEADER = (
    "// Written by `python -m api.page_types` from api/messages.py. Do not edit: a test compares.\n"
)
SENT_BY_PAGE: tuple[type[BaseModel], ...] = (
    messages.RollRequest,
    messages.CutRequest,
    messages.TakeEdit,
    messages.ShelveRequest,
    messages.PhaseRequest,
    messages.SessionRequest,
    messages.PairRequest,
)
CONSTANTS = ("PROTOCOL", "HEARTBEAT_S", "METERS_HZ")
_PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "object": "{ [key: string]: unknown }",
    "array": "unknown[]",
}

Schema = dict[str, object]


def _schema(value: object) -> Schema:
    return value if isinstance(value, dict) else {}


def _any_of(options: object) -> str:
    """Return the union of several schemas, each once, in order."""
    listed = options if isinstance(options, list) else []
    return " | ".join(dict.fromkeys(type_of(_schema(option)) for option in listed))


def _array(schema: Schema) -> str:
    items = type_of(_schema(schema.get("items")))
    return f"({items})[]" if " " in items else f"{items}[]"


def type_of(schema: Schema) -> str:
    """Return a JSON schema as a TypeScript type expression."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return json.dumps(schema["const"])
    if isinstance(schema.get("enum"), list):
        values = schema["enum"]
        return " | ".join(json.dumps(v) for v in values) if isinstance(values, list) else "never"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _any_of(schema[key])
    if schema.get("type") == "array" and "items" in schema:
        return _array(schema)
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"{{ [key: string]: {type_of(_schema(schema['additionalProperties']))} }}"
    return _PLAIN.get(str(schema.get("type")), "unknown")


def _interface(name: str, schema: Schema, whole: bool) -> str:
    """Return one interface; ``whole``: every field is there. Its comment is the first docline."""
    listed = list(_schema(schema.get("properties"))) if whole else schema.get("required")
    required = set(listed) if isinstance(listed, list) else set()
    text = str(schema.get("description", "")).partition("\n")[0]
    lines = [f"/** {text} */"] if text else []
    lines.append(f"export interface {name} {{")
    for key, value in _schema(schema.get("properties")).items():
        mark = "" if key in required else "?"
        lines.append(f"  {key}{mark}: {type_of(_schema(value))};")
    return "\n".join([*lines, "}"])


def _definitions(schema: Schema) -> dict[str, Schema]:
    return {name: _schema(value) for name, value in _schema(schema.get("$defs")).items()}


def render() -> str:
    """Return the whole of ``messages.ts``."""
    live = TypeAdapter(messages.ServerMessage).json_schema(mode="serialization")
    _, sent = models_json_schema([(model, "validation") for model in SENT_BY_PAGE])
    union = _any_of(live["oneOf"])
    received = _definitions(live)
    found = {**_definitions(sent), **received}
    parts = [f"export const {name} = {getattr(messages, name)};" for name in CONSTANTS]
    parts += [_interface(key, value, key in received) for key, value in sorted(found.items())]
    parts.append(f"export type ServerMessage = {union};")
    parts.append('export type Word = Glance["word"];')
    return HEADER + "\n" + "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
