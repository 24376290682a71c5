"""``takewatch run``: watch the configured inputs and serve the page."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., None])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def serving(function: Command) -> Command:
    """Add the options that every serving verb has."""
    for option in (
        click.option("--key", type=_FILE, help="The certificate's key."),
        click.option("--certificate", type=_FILE, help="Certificate for https to the tablets."),
        click.option(
            "--folder",
            type=click.Path(file_okay=False, path_type=Path),
            help="Where the journal is kept.",
        ),
        click.option(
            "--port", type=click.IntRange(0, 65535), help="Port of the page (default 8400)."
        ),
        click.option(
            "--host", help="Address to serve on: 0.0.0.0 opens the page to paired tablets."
        ),
    ):
        function = option(function)
    return function


def start(
    config: Path | None,
    host: str | None,
    port: int | None,
    folder: Path | None,
    certificate: Path | None,
    key: Path | None,
    *,
    practice: bool = False,
) -> None:
    """Serve with what the command line said."""
    from api.serve import Certificate
    from api.start import Options, run

    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key belong together")
    files = Certificate(chain=certificate, key=key) if certificate and key else None
    run(
        Options(
            config=config,
            host=host,
            port=port,
            folder=folder,
            certificate=files,
            practice=practice,
        )
    )


@click.command()
@click.argument("config", required=False, type=_FILE)
@serving
def command(
    config: Path | None,
    host: str | None,
    port: int | None,
    folder: Path | None,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Watch the inputs of CONFIG and serve the page.

    Without CONFIG: the inputs chosen on the page last time, else a choice of those that are found,
    else practice feeds.
    """
    start(config, host, port, folder, certificate, key)
