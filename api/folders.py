"""Where this user's data lies."""

import os
import sys
from pathlib import Path


def data_folder() -> Path:
    """Return the user's data folder for takewatch."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "takewatch"
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "takewatch"
