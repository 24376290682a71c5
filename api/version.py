"""Which takewatch this is."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def takewatch_version() -> str:
    """Return the installed version; a bare checkout on the path has none."""
    try:
        return version("takewatch")
    except PackageNotFoundError:
        return "checkout"
