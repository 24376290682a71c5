"""What can be wrong with a configuration file: every fault at once, each with its key's path.

Errors::

    ConfigError
    ├── SettingsError    the operator's settings file
    └── SpecError        a technical spec
"""

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from config.secrets import hide

NEAR_ENOUGH = 0.6  # difflib's own default: two slips in a short word, three in a long one
FOUND_LIMIT = 60  # a pasted file as a value must not fill the terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: where (key path), what was found, what was expected, the nearest right word."""

    path: str
    found: str
    expected: str
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        where = f"{self.path}: " if self.path else ""
        return f"{where}found {self.found}, expected {self.expected}{hint}"


class ConfigError(Exception):
    """A configuration file that cannot be used; ``faults`` holds all of them."""

    def __init__(self, file: str, faults: Iterable[Fault]) -> None:
        self.file = file
        self.faults = tuple(faults)
        assert self.faults, "an error without a fault"
        super().__init__(self._text())

    def _text(self) -> str:
        if len(self.faults) == 1:
            return f"{self.file}: {self.faults[0]}"
        lines = "".join(f"\n  {fault}" for fault in self.faults)
        return f"{self.file}: {len(self.faults)} faults{lines}"


class SettingsError(ConfigError):
    """The settings file cannot be used."""


class SpecError(ConfigError):
    """A technical spec cannot be found or used."""


def nearest(word: object, known: Collection[str]) -> str | None:
    """Return the known word most like this one, or None when none is near."""
    found = difflib.get_close_matches(str(word)[:FOUND_LIMIT], sorted(known), 1, NEAR_ENOUGH)
    return found[0] if found else None


def shown(value: object) -> str:
    """Return a value as an error quotes it: no secret of an address, cut to one line's length."""
    text = hide(repr(value))
    return text if len(text) <= FOUND_LIMIT else text[: FOUND_LIMIT - 1] + "…"


def one_of(words: Iterable[str]) -> str:
    """Return ``a, b or c``."""
    names = list(words)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
