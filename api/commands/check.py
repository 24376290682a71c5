"""``takewatch check``: measure recorded files against a technical spec."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli import MISUSE
from api.output import Misuse, Word, now, put, refuse_place, software
from monitor.check import processes
from monitor.check.many_files import Judge, check_files

if TYPE_CHECKING:
    from config.spec import Spec, Stage
    from monitor.report import CheckBatch

FORMATS = ("text", "json", "html", "csv")
STAGES = ("feed", "recording", "delivery")  # config.spec.Stage, which takes 0.2 s to import
JOBS_LIMIT = 64  # each is a process of some 150 MB
INTERRUPTED = 130  # what shells say of a command that Ctrl-C ended
CONFORMS, FAULTY = 0, 1
UNREADABLE = MISUSE


@click.command(name="check", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option("--spec", "spec_name", metavar="NAME_OR_FILE", help="A preset or a spec file.")
@click.option(
    "--stage", type=Word(STAGES), default="recording", show_default=True,
    metavar="STAGE", help=f"What the files are: {', '.join(STAGES)}.",
)  # fmt: skip
@click.option(
    "--format", "form", type=Word(FORMATS), default="text", show_default=True,
    metavar="FORMAT", help=f"What is written: {', '.join(FORMATS)}.",
)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path), help="Write to this file.")
@click.option(
    "--jobs", type=click.IntRange(1, JOBS_LIMIT), help="Processes; by default one a core.",
)  # fmt: skip
def command(
    files: tuple[Path, ...],
    spec_name: str | None,
    stage: "Stage",
    form: str,
    output: Path | None,
    jobs: int | None,
) -> None:
    """Measure recorded FILEs and judge them by a technical spec.

    Without a spec only hard faults count. Files are never written to.

    Exit status: 0 when all conform; 1 when any file has a FAULT or CHECK; 2 when a file holds
    nothing decodable (the others are still checked), or for misuse.
    """
    if output is not None:
        refuse_output(output, files)
    try:
        processes.warm_up()
        batch = _checked(files, load(spec_name), spec_name, stage, jobs)
    except KeyboardInterrupt:
        click.echo("interrupted; nothing was written", err=True)
        sys.exit(INTERRUPTED)
    from monitor.report import REPORTS

    put(REPORTS[form].render(batch), output)
    _name_unreadable(batch, form, output)
    sys.exit(exit_status(batch))


def _checked(
    files: Sequence[Path],
    spec: "Spec | None",
    spec_name: str | None,
    stage: "Stage",
    jobs: int | None,
) -> "CheckBatch":
    judge = Judge(spec=spec, spec_name=spec_name, stage=stage)
    at_a_time = jobs or min(cores(), JOBS_LIMIT)
    with progress_bar(files) as progress:
        documents = check_files(files, judge, at_a_time, progress)
    from monitor.report import CheckBatch

    return CheckBatch(files=documents, generated=now(), software=software())


def cores() -> int:
    """Return how many cores this process may use: a container's, not the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def exit_status(batch: "CheckBatch") -> int:
    """Return what the shell is told: 2 outranks 1 outranks 0."""
    verdicts = {checked.verdict for checked in batch.files}
    if verdicts & {"unreadable", "not_measured"}:
        return UNREADABLE
    return FAULTY if "fail" in verdicts else CONFORMS


def _name_unreadable(batch: "CheckBatch", form: str, output: Path | None) -> None:
    """Say on stderr what could not be read, where the report itself is not on the terminal."""
    if form == "text" and output is None:
        return
    from monitor.report.wording import one_line

    for checked in batch.files:
        if checked.error is not None:
            click.echo(one_line(f"{checked.file}: {checked.error}"), err=True)


def load(name: str | None) -> "Spec | None":
    """Load the spec; end with status 2 and the reason where it cannot be."""
    if name is None:
        return None
    from config.loading import ConfigError, load_spec

    try:
        return load_spec(name)
    except ConfigError as error:
        raise Misuse(str(error)) from error


def refuse_output(output: Path, files: Sequence[Path]) -> None:
    """Refuse to write over a file that is to be read, or where nothing can be written."""
    refuse_place(output)
    if any(_same(output, file) for file in files):
        raise click.BadParameter(
            f"{output} is one of the files to check; originals are never written to",
            param_hint="--output",
        )


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return one.absolute() == other.absolute()


@contextmanager
def progress_bar(files: Sequence[Path]) -> Iterator[Callable[[int, float], None]]:
    """Show a bar on stderr if that is a terminal; give the function that moves it."""
    if not sys.stderr.isatty():
        yield lambda index, fraction: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    shares = [0.0] * len(files)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_doing(shares), total=len(files))

        def moved(index: int, fraction: float) -> None:
            shares[index] = fraction
            bar.update(task, completed=sum(shares), description=_doing(shares))

        yield moved


def _doing(shares: Sequence[float]) -> str:
    done = sum(share >= 1.0 for share in shares)
    return f"checking {min(done + 1, len(shares))} of {len(shares)}"
