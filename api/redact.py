"""Settings without secrets. Pure."""

import re
from typing import Any

from config.secrets import redact

_SECRET_KEY = re.compile(r"pass|pwd|secret|token|key", re.IGNORECASE)


def _clean(value: Any, key: str) -> Any:  # noqa: ANN401  # JSON as it is
    if isinstance(value, dict):
        return {name: _clean(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner, key) for inner in value]
    if not isinstance(value, str):
        return value
    if _SECRET_KEY.search(key):
        return "…"
    return redact(value) if "://" in value else value


def redacted(settings: dict[str, Any]) -> dict[str, Any]:
    """Return JSON settings with passwords, keys and credentials in addresses blanked."""
    return {name: _clean(value, name) for name, value in settings.items()}
