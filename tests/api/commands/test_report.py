"""``takewatch report`` from a journal that was really written."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.commands.report import command
from monitor.journal.journal import Journal
from monitor.records import Record
from tests.monitor.report.samples import live_day, whole_day

CONFIG = """
[production]
name = "The Long Field"
time_zone = "Europe/Berlin"
[[source]]
id = "cart"
kind = "synthetic"
scene = "sound"
name = "Sound cart"
department = "sound"
[[source]]
id = "cam-a"
kind = "synthetic"
scene = "camera_a"
name = "A camera"
department = "camera"
[[source]]
id = "cam-b"
kind = "synthetic"
scene = "camera_b"
name = "B camera"
department = "camera"
"""


def write_journal(folder: Path, records: Iterable[Record], day: str) -> None:
    folder.mkdir(exist_ok=True)
    journal = Journal(folder, production="The Long Field", unit="Main unit", boot_id="boot")
    journal.start()
    for record in records:
        journal.append(record.body, t_ns=record.t_ns, utc_ns=record.utc_ns, day=day, who=record.who)
    journal.close(10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_journal(tmp_path / "data", live_day().records, "2026-11-22")
    first = live_day()
    first.take("t0", "1/1", 1, 10, 20)
    write_journal(tmp_path / "data", first.records, "2026-11-22")
    write_journal(tmp_path / "data", whole_day().records, "2026-11-23")
    return tmp_path / "data"


def report(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["--folder", str(folder), *arguments])


def test_the_newest_day_is_reported_unless_another_is_named(folder: Path) -> None:
    newest = json.loads(report(folder, "--format", "json").output)
    assert (newest["day"], newest["totals"]["takes"]) == ("2026-11-23", 5)
    older = json.loads(report(folder, "2026-11-22", "--format", "json").output)
    assert (older["day"], older["totals"]["takes"]) == ("2026-11-22", 1)


def test_a_configuration_gives_names_groups_spec_and_time_zone(
    folder: Path, tmp_path: Path
) -> None:
    config = tmp_path / "takewatch.toml"
    config.write_text(CONFIG)
    result = report(folder, "--format", "json", "--config", str(config))
    document = json.loads(result.output)
    assert document["sources"] == ["Sound cart", "A camera", "B camera"]
    assert document["spec"] == "tv-25p-hd"
    assert document["time_zone"] == "Europe/Berlin"
    takes = {take["id"]: take for take in document["takes"]}
    assert takes["t1"]["verdict"] == "FAULT"
    assert takes["t5"]["verdict"] == "NOT MONITORED"


def test_without_a_configuration_no_take_is_called_monitored_that_was_not(folder: Path) -> None:
    document = json.loads(report(folder, "--format", "json").output)
    verdicts = {take["id"]: take["verdict"] for take in document["takes"]}
    assert verdicts["t1"] == "FAULT"
    assert verdicts["t2"] == "CHECK"


@pytest.mark.parametrize("form", ["html", "csv", "json", "text"])
def test_a_report_goes_to_its_file(folder: Path, tmp_path: Path, form: str) -> None:
    output = tmp_path / f"day.{form}"
    result = report(folder, "--format", form, "--output", str(output))
    assert (result.exit_code, result.output) == (0, "")
    assert "The Long Field" in output.read_text()
    assert "as seen on the feed" in output.read_text()


def test_a_day_there_is_not_lists_the_days_there_are(folder: Path) -> None:
    result = report(folder, "2026-12-24")
    assert result.exit_code == 2
    assert "2026-11-22, 2026-11-23" in result.output


def test_a_folder_without_a_journal_is_misuse(tmp_path: Path) -> None:
    result = report(tmp_path)
    assert result.exit_code == 2
    assert "no journal" in result.output


def test_a_journal_without_a_take_says_so(tmp_path: Path) -> None:
    write_journal(tmp_path / "data", live_day().records, "2026-11-22")
    result = report(tmp_path / "data")
    assert result.exit_code == 2
    assert "no take was logged yet" in result.output


def test_practice_is_refused(folder: Path) -> None:
    practice = folder / "practice"
    write_journal(practice, whole_day().records, "2026-11-23")
    result = report(practice)
    assert result.exit_code == 2
    assert "never in a report" in result.output


def test_reading_leaves_the_journal_as_it_was(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}
    report(folder)
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.name in before}
    assert after == before
