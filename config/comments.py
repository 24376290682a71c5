"""The comments beside limits in a spec file: where each figure comes from."""

import re
import tomllib

_TABLE = re.compile(r"^\s*\[\s*(feed|recording|delivery)\s*\.\s*limits\s*\]")
_OTHER = re.compile(r"^\s*\[")
_LIMIT = re.compile(r'^\s*"([^"]+)"\s*=(.*)$')


def _comment(rest: str) -> str:
    """Return what follows the ``#`` that is no part of a value."""
    for index, character in enumerate(rest):
        if character == "#":
            try:
                tomllib.loads(f"value = {rest[:index]}")
            except tomllib.TOMLDecodeError:
                continue  # the # stands inside a string
            return rest[index + 1 :].strip()
    return ""


def sources_of(text: str) -> dict[str, dict[str, str]]:
    """Return each limit's comment by stage and rule, where it stands on the limit's own line."""
    found: dict[str, dict[str, str]] = {}
    stage = None
    for line in text.splitlines():
        table, limit = _TABLE.match(line), _LIMIT.match(line)
        if table:
            stage = table[1]
        elif _OTHER.match(line):
            stage = None
        elif limit and stage:
            found.setdefault(stage, {})[limit[1]] = _comment(limit[2])
    return found
