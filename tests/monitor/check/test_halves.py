"""A file measured by two processes: the result of one, whoever measures what."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from monitor.check import processes
from monitor.check.halves import BOTH, COSTS_NS, Half, measure_half, shares
from monitor.check.many_files import Judge, check_files, is_halved
from monitor.check.one_file import check_file
from monitor.measure.measurement import MEASUREMENTS
from monitor.measure.sound.listener import LISTENERS
from monitor.report.document import CheckDocument
from tests.monitor.check.sound_files import RATE, Samples, clipped, sine, write_pcm24
from tests.monitor.check.test_command import descendants_of, open_files
from tests.rigs.clips import Clips

JUDGE = Judge(spec=None, spec_name=None, stage="recording")


def faulty(seconds: int) -> Samples:
    """Return noise and tone with clips, digital zeros, a stuck sample and holes in them."""
    rng = np.random.default_rng(4)
    samples = sine(seconds) + rng.normal(0, 3e-3, (seconds * RATE, 2))
    samples = clipped(samples, 0, (RATE, RATE + 4800, RATE + 9600, 5 * RATE))
    samples[2 * RATE : 2 * RATE + 20000, 1] = 0
    samples[3 * RATE : 3 * RATE + 300, 0] = samples[3 * RATE, 0]
    samples[4 * RATE : 4 * RATE + 2000] *= 1e-3
    return np.asarray(samples)


@pytest.fixture
def long(tmp_path: Path) -> Path:
    """Return a file of faults that is just long enough for two processes."""
    return write_pcm24(tmp_path / "long.wav", faulty(61))


def whole(document: CheckDocument) -> object:
    """Return all of a document, with what the JSON leaves out."""
    return document.model_dump(mode="json"), [one.model_dump() for one in document.traces]


def unheard(index: int, fraction: float) -> None:
    """Tell nobody."""


def test_two_processes_give_the_document_of_one(long: Path) -> None:
    (one,) = check_files([long], JUDGE, 1, unheard)
    (two,) = check_files([long], JUDGE, 2, unheard)
    assert one.alerts
    assert two.model_dump_json() == one.model_dump_json()
    assert whole(two) == whole(one)
    assert whole(one) == whole(check_file(long, None, None, "recording"))


def names() -> list[str]:
    return sorted({*MEASUREMENTS, *LISTENERS} - {BOTH})


@pytest.mark.parametrize("seed", range(3))
def test_it_does_not_matter_who_measures_what(tmp_path: Path, seed: int) -> None:
    path = write_pcm24(tmp_path / "faulty.wav", faulty(6))
    chosen = random.Random(seed)
    ours = frozenset({name for name in names() if chosen.random() < 0.5} | {BOTH})
    with other_half(path, frozenset({*names(), BOTH}) - ours | {BOTH}) as pipe:
        divided = check_file(path, None, None, "recording", other=Half(pipe, ours))
    assert whole(divided) == whole(check_file(path, None, None, "recording"))


@contextmanager
def other_half(path: Path, only: frozenset[str]) -> Iterator[Connection]:
    """Measure half of a file in a thread; give the pipe its steps come from."""
    ours, theirs = processes.pipe()
    arguments = (theirs, path, None, "recording", only)
    thread = threading.Thread(target=measure_half, args=arguments)
    thread.start()
    yield ours
    thread.join(30)
    assert not thread.is_alive()


class KillsTheOther:
    """Progress that kills the process measuring the other half, once."""

    def __init__(self) -> None:
        self.killed: list[int] = []

    def __call__(self, index: int, fraction: float) -> None:
        reading = [pid for pid in descendants_of(os.getpid()) if b"long.wav" in open_files(pid)]
        if len(reading) == 2 and not self.killed:
            self.killed.append(max(reading))  # the one started last
            os.kill(self.killed[0], signal.SIGKILL)


def test_a_file_whose_other_half_is_killed_is_measured_whole_by_one(tmp_path: Path) -> None:
    path = write_pcm24(tmp_path / "long.wav", np.tile(faulty(61), (2, 1)))
    killer = KillsTheOther()
    (document,) = check_files([path], JUDGE, 2, killer)
    assert killer.killed
    assert whole(document) == whole(check_file(path, None, None, "recording"))


def test_halves_that_read_different_files_are_not_joined(tmp_path: Path) -> None:
    path = write_pcm24(tmp_path / "one.wav", faulty(6))
    shorter = write_pcm24(tmp_path / "other.wav", faulty(6)[: 5 * RATE + 7])
    ours, theirs = shares()
    with other_half(shorter, theirs) as pipe:
        document = check_file(path, None, None, "recording", other=Half(pipe, ours))
    assert whole(document) == whole(check_file(path, None, None, "recording"))


def test_a_file_cut_short_is_told_once_by_two_processes(long: Path) -> None:
    data = long.read_bytes()
    long.write_bytes(data[:-60_000])
    (document,) = check_files([long], JUDGE, 2, unheard)
    gaps = [alert for alert in document.alerts if alert.rule == "source.gap"]
    assert [gap.worst for gap in gaps] == [pytest.approx(60_000 / (RATE * 6), abs=0.001)]
    assert whole(document) == whole(check_file(long, None, None, "recording"))


def test_only_long_pcm_is_divided(long: Path, clips: Clips, tmp_path: Path) -> None:
    assert is_halved(long)
    assert not is_halved(write_pcm24(tmp_path / "short.wav", sine(50)))
    dear = ("-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000", "-t", "70")
    assert not is_halved(clips.make(".wav", *dear, "-c:a", "adpcm_ima_wav"))
    assert not is_halved(tmp_path / "missing.wav")
    assert not is_halved(tmp_path)


def test_every_measurement_has_one_place_and_the_table_names_no_other() -> None:
    ours, theirs = shares()
    assert ours | theirs == {*MEASUREMENTS, *LISTENERS}
    assert ours & theirs == {BOTH}
    assert set(COSTS_NS) <= {*MEASUREMENTS, *LISTENERS}
