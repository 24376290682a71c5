"""``takewatch report``: write the report of a shooting day from the journal."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.commands.check import FORMATS
from api.output import Misuse, Word, put, refuse_place, software

if TYPE_CHECKING:
    from config.settings import Settings, SourceSettings
    from monitor.journal.reader import JournalReader
    from monitor.records import Record
    from monitor.report.day_records import Header, SourceName

DAYS_TOLD = 14  # of the days there are: two weeks of a shoot fit a terminal
PRACTICE = "practice"


@click.command(name="report", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("day", required=False, metavar="[DAY]")
@click.option(
    "--format", "form", type=Word(FORMATS), default="text", show_default=True,
    metavar="FORMAT", help=f"What is written: {', '.join(FORMATS)}.",
)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where the journal is kept.")
@click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The configuration the day was shot with: names, groups, spec, time zone.",
)  # fmt: skip
def command(
    day: str | None, form: str, output: Path | None, folder: Path | None, config: Path | None
) -> None:
    """Write the report of a shooting DAY (by default the newest) from the journal.

    First the circled takes with faults, then every take; all as seen on the feed. Practice is
    never in a report.
    """
    if output is not None:
        refuse_place(output)
    settings = None if config is None else _settings(config)
    from monitor.report import REPORTS
    from monitor.report.day import day_document

    reader = _journal(folder or _folder(settings))
    chosen = _day(reader, day)
    records = reader.day_records(chosen)
    header = _header(chosen, records, settings)
    document = day_document(records, header, sources=_names(settings, records))
    put(REPORTS[form].render(document), output)


def _settings(path: Path) -> "Settings":
    import capture.sources  # noqa: F401  # fills the registry
    from capture.source import KINDS
    from config.loading import ConfigError, load_settings

    try:
        return load_settings(path, {name: kind.options for name, kind in KINDS.items()})
    except ConfigError as error:
        raise Misuse(str(error)) from error


def _folder(settings: "Settings | None") -> Path:
    from api.folders import data_folder

    if settings is not None and settings.storage.folder:
        return Path(settings.storage.folder)
    return data_folder()


def _journal(folder: Path) -> "JournalReader":
    from monitor.journal.errors import JournalError
    from monitor.journal.reader import open_readonly

    if folder.absolute().name == PRACTICE:
        raise Misuse(f"{folder} holds practice, and practice is never in a report")
    try:
        return open_readonly(folder)
    except JournalError as error:
        raise Misuse(f"{error} (--folder names another place)") from error


def _day(reader: "JournalReader", wanted: str | None) -> str:
    """Return the day to report: the one asked for, or the newest."""
    days = reader.days()
    if not days:
        raise Misuse(f"no take was logged yet in {reader.path}")
    if wanted is None:
        return days[-1]
    if wanted not in days:
        raise Misuse(f"no take was logged on {wanted!r}; there is {_listed(days)}")
    return wanted


def _listed(days: Sequence[str]) -> str:
    newest = ", ".join(days[-DAYS_TOLD:])
    return newest if len(days) <= DAYS_TOLD else f"… {newest}"


def _header(day: str, records: "Sequence[Record]", settings: "Settings | None") -> "Header":
    from monitor.report.day_records import Header

    newest = records[-1]
    return Header(
        production=newest.production,
        unit=newest.unit,
        day=day,
        spec=None if settings is None else settings.spec,
        generated_utc_ns=_now_ns(),
        software=software(),
        zone=_zone(settings),
    )


def _now_ns() -> int:
    import time

    return time.time_ns()


def _zone(settings: "Settings | None") -> tzinfo:
    from zoneinfo import ZoneInfo

    if settings is not None and settings.production.time_zone:
        return ZoneInfo(settings.production.time_zone)
    return datetime.now(UTC).astimezone().tzinfo or UTC


def _names(settings: "Settings | None", records: "Iterable[Record]") -> "dict[str, SourceName]":
    """Return what sources are called: as configured, else as the alerts of the day name them.

    Nothing wrong may be said of a group: where it is not known for certain a source belongs to
    every part of a take.
    """
    from monitor.records import AlertBody
    from monitor.report.day_records import SERVICE, SourceName

    if settings is not None:
        return {
            source.id: SourceName(name=source.name, group=_group(source))
            for source in settings.source
        }
    alerts = (record.body.alert for record in records if isinstance(record.body, AlertBody))
    return {
        alert.source: SourceName(name=alert.source_name)
        for alert in alerts
        if alert.source != SERVICE
    }


def _group(source: "SourceSettings") -> str | None:
    if source.group:
        return source.group
    if source.department == "sound" or source.kind == "audio_device":
        return "sound"
    return source.name if source.department == "camera" else None
