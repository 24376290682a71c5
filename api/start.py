"""Starting from the command line: settings, folder, listeners, and the words that say so."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from api.addresses import PortInUse, listeners
from api.cli import MISUSE
from api.folders import data_folder
from api.serve import Certificate, page_addresses, serve
from api.service import Service
from config.errors import ConfigError
from config.loading import load_settings
from config.settings import Network, Settings
from monitor.journal.errors import JournalError


class Misuse(click.ClickException):
    """Something the operator has to put right; exit status 2."""

    exit_code = MISUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line said; None where it said nothing."""

    config: Path | None = None
    host: str | None = None
    port: int | None = None
    folder: Path | None = None
    certificate: Certificate | None = None
    practice: bool = False


def run(options: Options) -> None:
    """Serve until a signal, then end; every refusal is one clear line and exit status 2."""
    settings = _settings(options.config)
    network = _network(settings.network if settings else Network(), options)
    if settings is not None:
        settings = settings.model_copy(update={"network": network})
    folder = options.folder or _folder(settings) or data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        service = Service(
            settings, folder, relative_to=options.config.parent if options.config else None
        )
        loopback, others = listeners(network.host, network.port)
        port = int(loopback.getsockname()[1])
        https = options.certificate is not None
        if others:
            service.network = page_addresses(network.host, port, https=https)
        asyncio.run(
            serve(
                service,
                loopback,
                others,
                practice=options.practice,
                certificate=options.certificate,
                ready=lambda: _greet(service, port, https=https),
            )
        )
    except PortInUse as error:
        raise Misuse(f"{error}; is takewatch running already? --port chooses another") from error
    except (JournalError, ConfigError) as error:
        raise Misuse(str(error)) from error
    except OSError as error:
        raise Misuse(f"{folder} cannot be used: {error}") from error
    _leave()


def _leave() -> None:
    """End the process: all is closed, and taking the interpreter apart takes as long again."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _settings(path: Path | None) -> Settings | None:
    if path is None:
        return None
    import capture.sources  # noqa: F401  # fills the registry; slow, so only with a file
    from capture.source import KINDS

    try:
        return load_settings(path, {name: kind.options for name, kind in KINDS.items()})
    except ConfigError as error:
        raise Misuse(str(error)) from error


def _network(network: Network, options: Options) -> Network:
    given = {"host": options.host, "port": options.port}
    return network.model_copy(update={k: v for k, v in given.items() if v is not None})


def _folder(settings: Settings | None) -> Path | None:
    return Path(settings.storage.folder) if settings and settings.storage.folder else None


def _greet(service: Service, port: int, *, https: bool) -> None:
    """Say what is watched, where the page is, and what to do."""
    plan = service.session.plan
    names = ", ".join(source.name for source in plan.settings.source)
    what = {
        "first_run": "nothing is configured: open the page, choose inputs or practise",
        "practice": f"practice feeds: {names}; nothing of it goes into a report",
        "monitoring": f"watching {names}" if names else "no source is configured",
    }[plan.mode]
    click.echo(f"takewatch: {what}")
    click.echo(f"  page    http://localhost:{port}")
    for address in service.network:
        click.echo(f"  tablets {address}  (takewatch pair makes the link that admits one)")
    if service.network and not https:
        click.echo(
            "  plain http: whoever can listen on this network can read the page's data;"
            " --certificate and --key give https"
        )
    click.echo(f"  data    {plan.folder}")
    click.echo("  stop with Ctrl-C")
