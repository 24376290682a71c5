"""The page of accuracy: written from results alone, and a broken-off run goes on."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from bench.accuracy import detection, page, pictures, pictures_page, plot
from bench.accuracy.detection import Extent, Results, Row
from bench.corpus.faults.fault import FAULTS
from bench.corpus.material import Half
from bench.corpus.score import Result
from bench.corpus.synthetic import material
from bench.pictures.score import Result as Shown


def a_row(name: str, hits: int, labels: int, false: int, clean_h: float = 30.0) -> Row:
    return Row(
        fault=FAULTS[name],
        labels=labels,
        hits=hits,
        late=0,
        latencies_s=(0.02,) * hits,
        beside=0,
        false=false,
        clean_h=clean_h,
        consequences={},
    )


def written(row: Row, known: set[str]) -> str:
    rows: dict[Half, list[Row]] = {"held_out": [row], "tune": [row]}
    return "\n".join(page.detection_section(rows, known, []))


def test_a_fault_whose_detector_is_missing_is_not_measured() -> None:
    text = written(a_row("dropout", 0, 300, 0), known={"silence"})
    assert "**Not measured**, because no detector of theirs is registered yet: dropout." in text
    assert "| dropout | ≥ 0.99" not in text


@pytest.mark.parametrize(
    ("hits", "false", "verdict"),
    [
        (300, 0, "yes, at 95 %"),
        (298, 9, "yes, not yet at 95 %"),
        (290, 0, "**no**"),
        (300, 60, "**no**"),
    ],
)
def test_the_verdict_is_that_of_rate_and_bound(hits: int, false: int, verdict: str) -> None:
    text = written(a_row("dropout", hits, 300, false), known={"dropout"})
    (line,) = [line for line in text.splitlines() if line.startswith("| dropout | ≥ 0.99")]
    assert line.endswith(f"| {verdict} |")
    assert f"({hits}/300, ≥ " in line


def test_results_are_kept_line_by_line_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    first = Result(seed=3, half="tune", fault="dropout", channel_s=480, labels=10, hits=9)
    Results(path).add(first)
    again = Results(path)
    assert again.get("tune", "dropout", 3) == first
    assert again.get("tune", "dropout", 4) is None


def test_a_run_that_was_broken_off_measures_only_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "CLEAN_S", 12.0)
    results = Results(tmp_path / "results.jsonl")
    none: dict[Half, int] = {"held_out": 0, "tune": 0}
    little = Extent(clean_h={"held_out": 0.02, "tune": 0.0}, certain=none, labels=none, takes=1)
    done: list[str] = []
    detection.measure(results, little, done.append, material=material())
    assert done == ["held_out, take 0: clean"]
    detection.measure(results, little, done.append, material=material())
    assert len(done) == 1
    more = Extent(clean_h={"held_out": 0.04, "tune": 0.0}, certain=none, labels=none, takes=1)
    again = Results(tmp_path / "results.jsonl")
    detection.measure(again, more, done.append, material=material())
    assert done[1:] == ["held_out, take 1: clean"]


def test_the_key_changes_with_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection, "ROOT", tmp_path)
    (tmp_path / "kernel.py").write_text("LIMIT = 1\n")
    before = detection.code_key(["kernel.py"])
    assert detection.code_key(["kernel.py"]) == before
    (tmp_path / "kernel.py").write_text("LIMIT = 2\n")
    assert detection.code_key(["kernel.py"]) != before


def test_the_plot_is_well_formed_and_its_labels_do_not_lie_on_each_other() -> None:
    rows = np.array([[0.1, -0.1, 0.1], [0.45, -0.2, 0.2]])
    curves = dict.fromkeys(("one", "two & more", "three"), rows)
    image = plot.bands("title", curves, x_says="x", y_says="y", aim_db=0.05, limits_db=(-0.5, 0.3))
    root = ElementTree.fromstring(image)
    labels = [e for e in root.iter() if e.get("font-weight") == "bold" and e.get("x") != "64.0"]
    heights = sorted(float(label.get("y") or 0) for label in labels)
    assert len(heights) == 3
    assert np.diff(heights).min() >= plot.GAP


def seen(fault: str | None) -> Shown:
    """An hour of one shot of which nothing was told."""
    return Shown(
        seed=0,
        half="held_out",
        fault=fault,
        scene="still life",
        coder="raw",
        height=360,
        seconds=3600.0,
    )


EXTENT = replace(pictures.QUICK, clean_h={360: 1.0}, faults=None)


def test_picture_results_go_on_where_they_were_broken_off(tmp_path: Path) -> None:
    path = tmp_path / "pictures.jsonl"
    extent = replace(EXTENT, spoilt={"held_out": 2, "tune": 0})
    results = pictures.Kept(path)
    wanted = pictures.missing(results, extent, lambda fault: fault.name == "black")
    results.add("black", replace(seen("black"), labels=2, hits=2))
    again = pictures.missing(pictures.Kept(path), extent, lambda fault: fault.name == "black")
    assert len(again) == len(wanted) - 1
    assert [task.seed for task in again if task.what == "black"] == [1]


@pytest.mark.parametrize(("hits", "verdict"), [(9, "yes"), (8, "**no**")])
def test_a_picture_fault_meets_its_aim_by_its_figures(
    hits: int, verdict: str, tmp_path: Path
) -> None:
    results = pictures.Kept(tmp_path / "x.jsonl")
    results.add("black", replace(seen("black"), labels=9, hits=hits))
    results.add(pictures.long_clean(360), seen(None))
    text = "\n".join(pictures_page.section(results, EXTENT, {"black"}))
    (line,) = [line for line in text.splitlines() if line.startswith("| black | recall 1")]
    assert line.endswith(f"| {verdict} |")
    assert f"({hits}/9, ≥ " in line


def test_a_picture_fault_without_a_detector_is_said_to_be_unmeasured(tmp_path: Path) -> None:
    text = "\n".join(pictures_page.section(pictures.Kept(tmp_path / "x.jsonl"), EXTENT, set()))
    (line,) = [line for line in text.splitlines() if line.startswith("**Not measured**")]
    assert "packets lost on the link" in line


def test_damage_on_the_link_is_reported_picture_by_picture(tmp_path: Path) -> None:
    results = pictures.Kept(tmp_path / "x.jsonl")
    name = "packets lost on the link"
    counted = replace(seen(name), labels=1, frames_bad=98, frames_told=100, frames_right=98)
    results.add(name, counted)
    text = "\n".join(pictures_page.section(results, EXTENT, {"picture_damaged"}))
    assert "by picture: recall 1.0000, precision 0.9800" in text
