"""The recorded practice day holds what everything behind the lines is tested against."""

from collections import Counter

from config.settings import SourceSettings
from monitor.lines import Event, Reading, State
from tests.record_practice_day import FIXTURE, LIMIT_BYTES, merged, practice_day, practice_lines


def test_the_day_is_small_and_begins_with_valid_settings() -> None:
    head = next(practice_day())
    assert head["practice_day"] == 1
    sources = head["sources"]
    assert isinstance(sources, list)
    assert [SourceSettings.model_validate(entry).id for entry in sources] == [
        "sound",
        "cam-a",
        "cam-b",
    ]
    assert FIXTURE.stat().st_size <= LIMIT_BYTES


def test_rows_are_in_order_and_three_takes_are_shot() -> None:
    rows = list(practice_day())[1:]
    times = [int(str(row["t_ns"])) for row in rows]
    assert times == sorted(times)
    crew = Counter(str(row["do"]) for row in rows if "do" in row)
    assert crew == {"line_up": 1, "line_up_done": 1, "roll": 3, "cut": 3, "end": 1}


def test_every_fault_of_the_script_was_seen_by_a_detector() -> None:
    found = {
        (line.source, line.detector) for _, line in practice_lines() if isinstance(line, Event)
    }
    assert found >= {
        ("sound", "clipping"),
        ("sound", "silence"),
        ("cam-a", "frames_dropped"),
        ("cam-b", "freeze"),
        ("cam-b", "black"),
    }


def test_the_sound_is_lost_once_and_comes_back_with_a_new_epoch() -> None:
    lines = [line for _, line in practice_lines() if line.source == "sound"]
    states = [line.state for line in lines if isinstance(line, State)]
    assert "lost" in states
    assert "live" in states[states.index("lost") :]
    assert len({line.epoch for line in lines if isinstance(line, Reading)}) == 2


def test_merged_readings_keep_the_worst_and_the_whole_interval() -> None:
    numbers = {"stream": 0, "epoch": 0, "t_arrival_ns": 1}
    parts = [
        Reading.model_validate(
            {"source": "it", "seq": n, "start": n, "end": n + 1, **numbers}
            | {"values": {"sample_peak_dbfs": [peak]}}
        )
        for n, peak in enumerate((-20.0, -3.0, -40.0))
    ]
    whole = merged(parts)
    assert (whole.start, whole.end, whole.intervals) == (0, 3, 3)
    assert whole.values["sample_peak_dbfs"] == [-3.0]
