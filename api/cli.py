"""The command line: one verb a file in ``api/commands``, imported only when it is called."""

from difflib import get_close_matches
from importlib import import_module

import click

VERBS = {
    "check": "Measure recorded files against a technical spec.",
    "demo": "Run the monitor on practice feeds.",
    "devices": "List the inputs this machine has.",
    "doctor": "Say what works on this machine, and what to install.",
    "pair": "Print the link and QR code that admit a tablet.",
    "probe": "Say what an address or file carries.",
    "report": "Write the report of a shooting day.",
    "run": "Watch the configured inputs and serve the page.",
    "specs": "List the technical specs and what they ask.",
}
MISUSE = 2


class Verbs(click.Group):
    """A group that knows its verbs by name and loads each from ``api.commands.<verb>``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of the help page."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one verb, or None."""
        if cmd_name not in VERBS:
            return None
        verb = import_module(f"api.commands.{cmd_name}").command
        assert isinstance(verb, click.Command)
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb asked for; of an unknown one say which there are and which was meant."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            close = get_close_matches(args[0], VERBS, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            ctx.fail(f"found {args[0]!r}, expected one of {', '.join(VERBS)}{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs without importing any."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="takewatch")
def main() -> None:
    """Takewatch watches every take: sound and camera feeds held to a technical spec."""
