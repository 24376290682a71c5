"""The worker as a real process: a filter from JSON lines to JSON lines."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from monitor.lines import (
    Close,
    Credit,
    Event,
    Gap,
    Hello,
    Integrate,
    IntegrateDone,
    Keep,
    Limits,
    OutLine,
    Reading,
    Reset,
    ResetDone,
    State,
    Still,
    decode_out,
)
from tests.rigs.workers import Worker, is_a, is_live, opening

QUICK: dict[str, object] = {"channels": 2, "faults": []}


def reading_after(tick: int) -> Callable[[OutLine], bool]:
    return lambda line: line.line == "reading" and line.end >= tick


def test_a_worker_says_hello_readings_and_heartbeats_and_ends_with_its_input() -> None:
    with Worker(opening("synthetic", **QUICK).model_copy(update={"epoch": 7})) as worker:
        hello = worker.until(is_a("hello"))
        assert isinstance(hello, Hello)
        assert (hello.practice, hello.epoch, hello.source) == (True, 7, "it")
        assert hello.streams[0].channel_names == ["Mix L", "Mix R"]
        worker.until(reading_after(48_000))
        worker.end_input()
        last = worker.rest()[-1]
        assert isinstance(last, State)
        assert (last.state, last.why) == ("ended", "closed")
        assert worker.wait() == 0
        readings = [line for line in worker.lines if isinstance(line, Reading)]
        assert [line.seq for line in readings] == list(range(len(readings)))
        assert all(a.end == b.start for a, b in pairwise(readings))
        beats = [line.t_mono_ns for line in worker.lines if isinstance(line, State)][-8:]
        assert max(b - a for a, b in pairwise(beats)) < 1_000_000_000


def test_channel_names_of_the_settings_come_first() -> None:
    names: dict[str, object] = {"channel_names": ["Left"], **QUICK}
    with Worker(opening("synthetic", **names)) as worker:
        hello = worker.until(is_a("hello"))
        assert isinstance(hello, Hello)
        assert hello.streams[0].channel_names == ["Left", "Mix R"]


def test_without_credit_readings_coalesce_and_keep_the_worst() -> None:
    clip = {"what": "clip", "at_s": 0.3, "for_s": 0.02, "channel": 2}
    with Worker(opening("synthetic", channels=2, faults=[clip]), Credit(readings=2)) as worker:
        first = worker.until(is_a("reading"))
        second = worker.until(is_a("reading"))
        worker.until(lambda line: line.line == "event" and line.phase == "close")
        state = worker.until(is_a("state"))
        assert not any(
            isinstance(line, Reading) for line in worker.lines if line not in (first, second)
        )
        worker.send(Credit(readings=1))
        merged = worker.until(is_a("reading"))
    assert isinstance(second, Reading)
    assert isinstance(merged, Reading)
    assert isinstance(state, State)
    assert merged.start == second.end
    assert merged.intervals > 10
    assert state.coarser >= 10
    peaks, runs = merged.values["sample_peak_dbfs"], merged.values["clip_runs"]
    assert isinstance(peaks, list)
    assert isinstance(runs, list)
    assert peaks[1] == pytest.approx(0.0, abs=0.001)
    assert runs[0] == 0
    assert isinstance(runs[1], int)
    assert runs[1] >= 3


def test_events_come_at_once_without_any_credit() -> None:
    clip = {"what": "clip", "at_s": 0.3, "for_s": 0.02, "channel": 2}
    with Worker(opening("synthetic", channels=2, faults=[clip]), Credit(readings=0)) as worker:
        event = worker.until(is_a("event"))
        assert isinstance(event, Event)
        assert (event.detector, event.phase, event.channels) == ("clipping", "open", [1])
        assert event.id == "it-0-0-" + event.id.removeprefix("it-0-0-")
        assert 14_400 <= event.start < 15_400


def test_reset_is_answered_with_the_tick_at_which_it_took_effect() -> None:
    with Worker(opening("synthetic", **QUICK)) as worker:
        reading = worker.until(reading_after(9_600))
        worker.send(Reset(take="t1"))
        done = worker.until(is_a("reset_done"))
        assert isinstance(reading, Reading)
        assert isinstance(done, ResetDone)
        assert done.take == "t1"
        assert done.ticks[0] >= reading.end


def test_integrated_values_pause_and_go_on_and_stay_paused_through_a_new_epoch() -> None:
    def integrating(value: int) -> Callable[[OutLine], bool]:
        return lambda line: line.line == "reading" and line.values.get("integrating") == value

    with Worker(opening("synthetic", **QUICK)) as worker:
        before = worker.until(integrating(1))
        worker.send(Integrate(on=False))
        done = worker.until(is_a("integrate_done"))
        assert isinstance(before, Reading)
        assert isinstance(done, IntegrateDone)
        assert not done.on
        assert done.ticks[0] >= before.end
        worker.send(Limits(limits={"clip_run_samples": 5}))
        worker.until(is_a("hello"))
        paused = worker.until(lambda line: line.line == "reading" and line.epoch == 1)
        assert isinstance(paused, Reading)
        assert paused.values["integrating"] == 0
        worker.send(Integrate(on=True))
        worker.until(integrating(1))


def test_changed_limits_begin_a_new_epoch_and_readings_count_on() -> None:
    with Worker(opening("synthetic", **QUICK)) as worker:
        before = worker.until(reading_after(9_600))
        worker.send(Limits(limits={"clip_run_samples": 5}))
        hello = worker.until(is_a("hello"))
        after = worker.until(lambda line: line.line == "reading" and line.epoch == 1)
        assert isinstance(hello, Hello)
        assert isinstance(before, Reading)
        assert isinstance(after, Reading)
        assert hello.epoch == 1
        assert after.seq > before.seq


def test_a_camera_sends_stills_and_keeps_the_nearest_when_asked() -> None:
    with Worker(opening("synthetic", scene="camera_b", faults=[])) as worker:
        first = worker.until(is_a("still"))
        worker.until(is_a("still"))
        worker.send(Keep(stream=0, tick=2))
        assert isinstance(first, Still)
        kept = worker.until(lambda line: line.line == "still" and line.tick == first.tick)
        assert isinstance(kept, Still)
        assert kept.jpeg_base64 == first.jpeg_base64
        assert len(first.jpeg_base64) < 64 * 1024


def test_a_short_loss_is_a_gap_and_a_long_one_ends_the_worker_with_its_reason() -> None:
    faults = [
        {"what": "lost", "at_s": 0.2, "for_s": 0.2},
        {"what": "lost", "at_s": 1.0, "for_s": 9.0},
    ]
    with Worker(opening("synthetic", channels=2, stall_s=0.5, faults=faults)) as worker:
        gap = worker.until(is_a("gap"))
        assert isinstance(gap, Gap)
        assert (gap.start, gap.amount, gap.unit) == (9_600, 9_600.0, "samples")
        last = worker.rest()[-1]
        assert isinstance(last, State)
        assert last.state == "lost"
        assert "nothing arrived for 0.5 s" in str(last.why)
        assert worker.wait() == 4


def test_a_source_that_ends_properly_says_so() -> None:
    with Worker(opening("synthetic", duration_s=0.2, **QUICK)) as worker:
        worker.until(is_live)
        last = worker.rest()[-1]
        assert isinstance(last, State)
        assert (last.state, last.why) == ("ended", "practice is over")
        assert worker.wait() == 3
        ends = [line.end for line in worker.lines if isinstance(line, Reading)]
        assert ends[-1] == 9_600


def test_close_finishes_in_order() -> None:
    with Worker(opening("synthetic", **QUICK)) as worker:
        worker.until(is_live)
        worker.send(Close())
        assert isinstance(worker.rest()[-1], State)
        assert worker.wait() == 0


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ({"id": "x", "kind": "no_such", "name": "X"}, "no_such"),
        ({"id": "x", "kind": "synthetic", "name": "X", "chanels": 3}, "chanels"),
    ],
)
def test_a_source_that_cannot_be_made_is_lost_and_the_exit_status_says_misuse(
    source: dict[str, object], word: str
) -> None:
    done = run_once(json.dumps({"line": "open", "source": source}))
    assert done.returncode == 2
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["line"], last["state"]) == ("state", "lost")
    assert word in last["why"]


@pytest.mark.parametrize(
    "options",
    [
        {"address": "rtsp://viewer:right-horse@cam/live", "transport": "pigeon"},
        {"address": "ftp://viewer:right-horse@cam/live"},
        {"address": "srt://cam:9000?pasphrase=right-horse"},
        {"address": "rtmp://127.0.0.1:9/live/right-horse"},
    ],
)
def test_no_secret_of_an_address_is_in_a_line_or_a_log(options: dict[str, str]) -> None:
    source = {"id": "it", "kind": "network_feed", "name": "It", **options}
    done = subprocess.run(
        [sys.executable, "-m", "monitor.worker"],
        input=json.dumps({"line": "open", "source": source}) + "\n" + "\n" * 4,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout
    assert "horse" not in done.stdout + done.stderr


@pytest.mark.parametrize("text", ["", "garbage", '{"line":"close"}'])
def test_anything_but_an_open_as_first_line_is_misuse(text: str) -> None:
    done = run_once(text)
    assert done.returncode == 2
    assert done.stdout == ""


def run_once(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor.worker"]
    return subprocess.run(
        command, input=text + "\n", capture_output=True, text=True, timeout=60, check=False
    )


def test_garbage_on_its_input_changes_nothing() -> None:
    with Worker(opening("synthetic", **QUICK)) as worker:
        worker.until(is_live)
        worker.write(b"garbage\n" + b"x" * 400_000 + b"\n")
        worker.send(Reset(take="after"))
        done = worker.until(is_a("reset_done"))
        assert isinstance(done, ResetDone)
        assert done.take == "after"


def test_native_prints_cannot_corrupt_a_line() -> None:
    code = (
        "import os, sys; from monitor.worker.filter import keep_stdout\n"
        "fd = keep_stdout(); os.write(1, b'native noise'); print('noise')\n"
        "sys.stdout.flush(); os.write(fd, b'a line\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "a line\n"
    assert "native noise" in done.stderr


STUCK = """
import sys, threading, time
import capture.sources
from capture.source import KINDS, SourceKind, StreamInfo
from capture.sources.synthetic import Synthetic, SyntheticOptions
class Stuck(Synthetic):
    def read(self, timeout_s):
        if self._maker.tick > 9600:
            threading.Event().wait()
        return super().read(timeout_s)
KINDS["synthetic"] = SourceKind(name="synthetic", options=SyntheticOptions, make=Stuck)
from monitor.worker.filter import main
sys.exit(main())
"""


def test_a_source_stuck_in_native_code_is_given_up_with_a_last_line() -> None:
    line = json.dumps(opening("synthetic", stall_s=0.5, **QUICK).model_dump()) + "\n"
    with subprocess.Popen(
        [sys.executable, "-c", STUCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line)
        process.stdin.flush()
        lines = [json.loads(text) for text in process.stdout]
        assert process.wait(30) == 6
    assert lines[-1]["state"] == "lost"
    assert "did not answer" in lines[-1]["why"]
    stalled = next(line for line in lines if line.get("state") == "stalled")
    assert lines[-1]["t_mono_ns"] - stalled["t_mono_ns"] < 1.5e9


def test_lines_never_come_in_parts_even_when_nobody_reads_for_a_while() -> None:
    command = [sys.executable, "-m", "monitor.worker"]
    line = opening("synthetic", scene="camera_a", faults=[], duration_s=3.0).model_dump_json()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line.encode() + b"\n")
        process.stdin.flush()
        first = process.stdout.readline()
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            chunk = process.stdout.read(100_000)
            first += chunk
            if not chunk:
                break
        assert process.wait(30) == 3
    words = [decode_out(text).line for text in first.splitlines()]
    assert words.count("still") >= 1
    assert words[-1] == "state"
