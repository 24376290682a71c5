"""What the verbs that write reports share: the words of a choice, the file, the header."""

import os
import sys
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

import click

from api.cli import MISUSE
from api.version import takewatch_version


class Misuse(click.ClickException):
    """Something the caller has to put right; exit status 2."""

    exit_code = MISUSE


class Word(click.Choice[str]):
    """A choice that names the nearest word when it gets an unknown one."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word, or fail with what was expected and a suggestion."""
        words = [str(choice) for choice in self.choices]
        if value not in words:
            near = get_close_matches(value, words, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            self.fail(f"{value!r} is none of {', '.join(words)}{hint}", param, ctx)
        return value


def refuse_place(output: Path) -> None:
    """End with status 2 where a report cannot be written."""
    if output.is_dir():
        raise click.BadParameter(f"{output} is a folder, expected a file", param_hint="--output")
    if not output.absolute().parent.is_dir():
        raise click.BadParameter(f"{output.parent} is no folder", param_hint="--output")


def put(text: str, output: Path | None) -> None:
    """Write text as UTF-8 with its own line ends, to a file whole or not at all, or to stdout.

    Raises ``Misuse`` where it cannot be written, a full disk too: what was there before stays.
    """
    data = text.encode("utf-8", "backslashreplace")
    if output is None:
        _put_out(data)
        return
    try:
        _put_whole(data, output)
    except OSError as error:
        raise Misuse(f"{output} cannot be written: {error.strerror}") from error


def _put_whole(data: bytes, output: Path) -> None:
    if output.exists() and not output.is_file():  # a pipe or a device, which must stay what it is
        output.write_bytes(data)
        return
    place = output.resolve()  # a link stays a link
    part = place.with_name(f".takewatch.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def _put_out(data: bytes) -> None:
    out = sys.stdout.buffer
    try:
        out.write(data)
        out.flush()
    except OSError as error:
        # what is left in the buffer would be tried again at the end, and change the exit status
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        if not isinstance(error, BrokenPipeError):  # that is a reader, such as head, with enough
            raise Misuse(f"standard output cannot be written: {error.strerror}") from error


def now() -> str:
    """Return the wall clock with its offset to UTC."""
    return datetime.now().astimezone().isoformat(timespec="milliseconds")


def software() -> str:
    """Return the product's name and version."""
    return f"takewatch {takewatch_version()}"
