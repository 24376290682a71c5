"""``takewatch devices``: list the inputs this machine has."""

import json
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

import capture.sources  # noqa: F401  fills the registry
from api.output import Word
from capture.source import KINDS, Found, OpenFailed

FORMATS = ("text", "json")
NONE = """\
No input was found. Plug in an audio interface, name a network feed or a file in the settings
(kind = "network_feed" or "media_file"), or try it with practice feeds: takewatch demo"""


def look() -> tuple[list[Found], dict[str, str]]:
    """Return the inputs of every kind that can be listed, and by kind why one could not be."""
    found: list[Found] = []
    faults: dict[str, str] = {}
    for name, kind in sorted(KINDS.items()):
        if kind.find is None:
            continue
        try:
            found += kind.find()
        except OpenFailed as fault:
            faults[name] = str(fault)
    return found, faults


def table(found: list[Found]) -> Table:
    """Return the inputs as a table, with what to write in the settings."""
    result = Table(title="Inputs found", title_justify="left")
    for title in ("kind", "name", "what it has", "in the settings"):
        result.add_column(title, overflow="fold")
    for entry in found:
        options = "\n".join(f"{key} = {json.dumps(value)}" for key, value in entry.options.items())
        result.add_row(entry.kind, entry.name, entry.detail, f'kind = "{entry.kind}"\n{options}')
    return result


@click.command(name="devices", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--format", "form", type=Word(FORMATS), default="text", show_default=True, metavar="FORMAT",
    help=f"What is written: {', '.join(FORMATS)}.",
)  # fmt: skip
def command(form: str) -> None:
    """List the inputs this machine has, and how to name them in the settings.

    A kind of input that could not be listed is named on standard error, with what to install.
    json writes one object: inputs, and by kind why one could not be listed.
    """
    found, faults = look()
    if form == "json":
        inputs = [asdict(entry) for entry in found]
        click.echo(json.dumps({"inputs": inputs, "not_listed": faults}))
        return
    for kind, why in faults.items():
        click.echo(f"{kind} inputs could not be listed: {why}", err=True)
    if found:
        Console(highlight=False).print(table(found))
    else:
        click.echo(NONE)
