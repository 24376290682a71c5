import gzip
from pathlib import Path

from monitor.line_log import ENDING, FOLDER, Control, LineLog, replay
from monitor.lines import OutLine, Reading, Still

GIB = 2**30


def a_reading(seq: int) -> Reading:
    return Reading(
        source="cart",
        seq=seq,
        stream=0,
        epoch=0,
        start=seq,
        end=seq + 1,
        t_arrival_ns=seq,
        values={"rms_dbfs": [-20.0, None], "word": "x"},
    )


def written(folder: Path, rows: list[OutLine | Control], limit_bytes: int = GIB) -> LineLog:
    log = LineLog(folder, limit_bytes)
    log.start()
    for t_ns, row in enumerate(rows):
        if isinstance(row, Control):
            log.control(row.what, t_ns, **row.fields)
        else:
            log.line(row, t_ns)
    log.close(10)
    return log


def test_what_is_written_replays_in_order_without_stills(tmp_path: Path) -> None:
    rows: list[OutLine | Control] = [
        a_reading(0),
        Control("roll", {"take": "t1"}),
        Still(source="cart", stream=0, epoch=0, jpeg_base64="", t_arrival_ns=2),
        a_reading(3),
        Control("cut", {}),
        a_reading(5),
    ]
    log = written(tmp_path, rows)
    played = list(replay(tmp_path / FOLDER))
    assert [row for _, row in played] == [row for row in rows if not isinstance(row, Still)]
    assert [t_ns for t_ns, _ in played] == [0, 1, 3, 4, 5]
    assert log.lost == 0


def test_each_take_begins_a_file(tmp_path: Path) -> None:
    written(
        tmp_path,
        [a_reading(0), Control("roll", {}), a_reading(1), Control("cut", {}), a_reading(2)],
    )
    names = [file.name for file in sorted((tmp_path / FOLDER).iterdir())]
    expected = ("00000001-between", "00000002-take", "00000003-between")
    assert names == [stem + ENDING for stem in expected]


def test_only_the_last_twenty_takes_are_kept(tmp_path: Path) -> None:
    rows: list[OutLine | Control] = []
    for number in range(30):
        rows += [Control("roll", {"n": number}), a_reading(number), Control("cut", {})]
    written(tmp_path, [*rows, a_reading(99)])
    takes = [
        row.fields["n"]
        for _, row in replay(tmp_path / FOLDER)
        if isinstance(row, Control) and row.what == "roll"
    ]
    assert takes == list(range(10, 30))


def test_the_oldest_go_when_it_is_too_large(tmp_path: Path) -> None:
    rows: list[OutLine | Control] = []
    for number in range(10):
        rows += [Control("roll", {"n": number}), a_reading(number), Control("cut", {})]
    written(tmp_path, rows, limit_bytes=600)
    kept = sum(file.stat().st_size for file in (tmp_path / FOLDER).iterdir())
    assert kept < 600 + 300
    assert list(replay(tmp_path / FOLDER))[-1] == (29, Control("cut", {}))


def test_a_member_cut_off_by_a_kill_loses_only_itself(tmp_path: Path) -> None:
    written(tmp_path, [a_reading(0), Control("edit", {}), a_reading(2)])
    (file,) = (tmp_path / FOLDER).iterdir()
    whole = file.read_bytes()
    torn = gzip.compress(b'{"t":3,"control":{"what":"x"}}\n' * 50)
    for cut in (1, 12, len(torn) // 2, len(torn) - 9):
        file.write_bytes(whole + torn[:cut])
        assert [t for t, _ in replay(file)][:3] == [0, 1, 2]


def test_a_disk_that_refuses_is_told_and_costs_only_rows(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    log = written(tmp_path, [a_reading(0)])
    assert log.lost == 1
    assert log.fault is not None
    assert "cannot be written" in log.fault


def test_files_that_are_not_ours_are_let_alone(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    foreign = tmp_path / FOLDER / f"copy of a take{ENDING}"
    foreign.write_bytes(b"")
    log = written(tmp_path, [a_reading(0), a_reading(1)])
    assert [row for _, row in replay(tmp_path / FOLDER)] == [a_reading(0), a_reading(1)]
    assert (log.lost, log.fault) == (0, None)
    assert foreign.exists()
