"""Roll-ups as they lie in the journal: JSON, no finer than is known, compressed."""

import json
import zlib
from collections.abc import Mapping

from monitor.metrics import Value


def packed(values: Mapping[str, Value]) -> bytes:
    """Return a second's values as bytes."""
    text = json.dumps({key: _rounded(value) for key, value in values.items()})
    return zlib.compress(text.encode(), 1)


def unpacked(body: bytes) -> dict[str, Value]:
    """Return the values of :func:`packed` bytes."""
    values: dict[str, Value] = json.loads(zlib.decompress(body))
    return values


def _rounded(value: Value) -> Value:
    if isinstance(value, list):
        return [None if v is None else float(f"{v:.5g}") for v in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value
