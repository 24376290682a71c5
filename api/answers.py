"""JSON answers that survive whatever text is in them."""

import json
from collections.abc import Mapping

from fastapi.responses import JSONResponse


class Said(JSONResponse):
    """JSON in ASCII: a lone surrogate in somebody's words must not make an answer fail."""

    def render(self, content: Mapping[str, object]) -> bytes:
        """Return the body."""
        return json.dumps(content, ensure_ascii=True).encode()
