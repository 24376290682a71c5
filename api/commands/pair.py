"""``takewatch pair``: the link and QR code that admit a tablet; list and revoke."""

import json
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any

import click

from api.cli import MISUSE

TIMEOUT_S = 5.0
DEFAULT_PORT = 8400


class Refused(click.ClickException):
    """The service said no, or is not there."""

    exit_code = MISUSE


def _ask(port: int, method: str, path: str, body: object | None = None) -> Any:  # noqa: ANN401
    """Ask the service of this computer; its answer as JSON."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        headers = {"content-type": "application/json"}
        connection.request(method, f"/api/{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        said = json.loads(text) if text else None
    except (OSError, HTTPException, ValueError) as error:
        raise Refused(
            f"no takewatch answers on this computer at port {port}: start it with takewatch run"
        ) from error
    finally:
        connection.close()
    if answer.status >= 400:
        raise Refused(str(said.get("error", answer.status)) if isinstance(said, dict) else "no")
    return said


@click.group(invoke_without_command=True)
@click.option("--port", default=DEFAULT_PORT, show_default=True, help="Port of the service.")
@click.option(
    "--role",
    type=click.Choice(["view", "log", "operate"]),
    default="log",
    show_default=True,
    help="What the tablet may do: look; log takes and acknowledge; change settings.",
)
@click.pass_context
def command(ctx: click.Context, port: int, role: str) -> None:
    """Print a link and QR code that admit one tablet, once, within five minutes."""
    ctx.obj = port
    if ctx.invoked_subcommand is not None:
        return
    invitation = _ask(port, "POST", "invitations", {"role": role})
    first, *others = invitation["links"]
    until = datetime.fromtimestamp(invitation["expires_utc_ns"] / 1e9, UTC).astimezone()
    click.echo(f"Open this on the tablet, before {until:%H:%M:%S} (role: {role}):\n\n  {first}\n")
    _draw(first)
    for other in others:
        click.echo(f"or {other}")


def _draw(link: str) -> None:
    import segno

    segno.make(link, error="m").terminal(compact=True)


ALSO_HERE = click.option(
    "--port", "here", type=int, help="Port of the service, also after the verb."
)


@command.command("list")
@ALSO_HERE
@click.pass_obj
def list_devices(port: int, here: int | None) -> None:
    """List the paired devices."""
    devices = _ask(here or port, "GET", "devices")
    for device in devices:
        paired = datetime.fromtimestamp(device["paired_utc_ns"] / 1e9, UTC).astimezone()
        row = (device["id"], device["role"], device["department"], f"{paired:%Y-%m-%d %H:%M}")
        click.echo("  ".join((*row, device["name"])))
    if not devices:
        click.echo("no device is paired")


@command.command()
@click.argument("device")
@ALSO_HERE
@click.pass_obj
def revoke(port: int, here: int | None, device: str) -> None:
    """Send DEVICE away (its id, see ``takewatch pair list``)."""
    _ask(here or port, "DELETE", f"devices/{device}")
    click.echo(f"{device} is no longer paired")
