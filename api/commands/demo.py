"""``takewatch demo``: the monitor on practice feeds."""

from pathlib import Path

import click

from api.commands.run import serving, start


@click.command()
@serving
def command(
    host: str | None,
    port: int | None,
    folder: Path | None,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Run the monitor on practice feeds: a sound cart and two cameras with faults by script."""
    start(None, host, port, folder, certificate, key, practice=True)
