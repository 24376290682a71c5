"""Silence of a stream is told within the longer of four pictures and 150 ms, and not otherwise."""

import signal
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capture.source import Packet, StreamInfo
from monitor.lines import OutLine, State
from monitor.worker.arrivals import HABIT, LEARNING_NS, Arrivals
from tests.rigs.clips import Clips
from tests.rigs.feeds import ClipSender, free_udp_port
from tests.rigs.workers import Worker, is_live, opening

MS = 1_000_000
PICTURE = StreamInfo(index=0, kind="video", time_base=Fraction(1, 90_000), frame_rate=Fraction(50))
SLOW_PICTURE = StreamInfo(
    index=0, kind="video", time_base=Fraction(1, 90_000), frame_rate=Fraction(10)
)
SOUND = StreamInfo(index=1, kind="audio", time_base=Fraction(1, 48_000), sample_rate_hz=48_000)


def packet(stream: int, t_ns: int) -> Packet:
    return Packet(
        stream=stream,
        epoch=0,
        pts=None,
        dts=None,
        duration=None,
        size_bytes=1_000,
        key=False,
        corrupt=False,
        t_arrival_ns=t_ns,
    )


def steady(arrivals: Arrivals, stream: int, period_ns: int, until_ns: int) -> int:
    times = range(0, until_ns + 1, period_ns)
    for t_ns in times:
        arrivals.take(packet(stream, t_ns))
    return times[-1]


@pytest.mark.parametrize(
    ("info", "period_ns", "aim_ns"),
    [(PICTURE, 20 * MS, 150 * MS), (SLOW_PICTURE, 100 * MS, 400 * MS)],
)
def test_a_silent_stream_is_told_within_the_aim(
    info: StreamInfo, period_ns: int, aim_ns: int
) -> None:
    arrivals = Arrivals([info])
    last_ns = steady(arrivals, 0, period_ns, 4_000 * MS)
    assert arrivals.silence(last_ns + 3 * period_ns) is None
    due_ns = arrivals.due_ns(last_ns)
    assert due_ns is not None
    assert due_ns <= last_ns + aim_ns
    assert arrivals.silence(due_ns - 1) is None
    assert arrivals.silence(due_ns) == "connected, but nothing arrives"
    arrivals.take(packet(0, due_ns + 1))
    assert arrivals.silence(due_ns + 2) is None


def test_a_picture_that_stands_while_sound_flows_is_told() -> None:
    arrivals = Arrivals([PICTURE, SOUND])
    steady(arrivals, 0, 20 * MS, 2_000 * MS)
    last_ns = steady(arrivals, 1, 21 * MS, 3_000 * MS)
    assert arrivals.silence(last_ns) == "no picture arrives, sound does"


@pytest.mark.parametrize("burst_ns", [320 * MS, 700 * MS])
def test_sound_that_comes_in_bursts_is_not_silent_between_them(burst_ns: int) -> None:
    arrivals = Arrivals([SOUND])
    for burst in range(20):
        at_ns = burst * burst_ns
        told = arrivals.silence(at_ns - 1) if at_ns > LEARNING_NS + 2 * burst_ns else None
        assert told is None
        for late in range(15):
            arrivals.take(packet(1, at_ns + late * MS // 4))


def test_one_long_pause_is_not_taken_for_a_habit() -> None:
    arrivals = Arrivals([PICTURE])
    last_ns = steady(arrivals, 0, 20 * MS, 2_000 * MS)
    for pause in range(1, HABIT):
        last_ns += 800 * MS
        assert arrivals.silence(last_ns), f"pause {pause} was not told"
        arrivals.take(packet(0, last_ns))
    assert arrivals.silence(last_ns + 150 * MS)


def test_nothing_is_told_of_streams_that_never_came() -> None:
    arrivals = Arrivals([PICTURE, SOUND])
    last_ns = steady(arrivals, 0, 20 * MS, 3_000 * MS)
    assert arrivals.silence(last_ns) is None
    assert Arrivals().silence(10**12) is None
    assert Arrivals().due_ns(0) is None


@settings(max_examples=40)
@given(st.lists(st.integers(0, 40 * MS), min_size=200, max_size=200))
def test_jitter_of_two_pictures_is_never_a_stall(jitter: list[int]) -> None:
    arrivals, last_ns = Arrivals([PICTURE]), 0
    for number, late_ns in enumerate(jitter):
        t_ns = max(last_ns, number * 20 * MS + late_ns)
        assert arrivals.silence(t_ns) is None
        arrivals.take(packet(0, t_ns))
        last_ns = t_ns


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Clips(tmp_path_factory.mktemp("clips")).picture(
        ".ts", rate="50", frames=200, codec=("-c:v", "libx264", "-preset", "ultrafast", "-g", "25")
    )


def is_stalled(line: OutLine) -> bool:
    return isinstance(line, State) and line.state == "stalled"


def test_a_stopped_peer_is_told_as_stalled_before_it_is_lost_and_then_as_live(clip: Path) -> None:
    port = free_udp_port()
    output = ("-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316")
    address = f"udp://127.0.0.1:{port}"
    with (
        ClipSender(clip, output) as sender,
        Worker(opening("network_feed", address=address, stall_s=20.0)) as worker,
    ):
        worker.until(is_live)
        worker.until(after_s(2.5))
        sender.freeze()
        stalled = worker.until(is_stalled)
        assert isinstance(stalled, State)
        assert stalled.why == "connected, but nothing arrives"
        sender.process.send_signal(signal.SIGCONT)
        worker.until(is_live)


def after_s(seconds: float) -> Callable[[OutLine], bool]:
    """Return a test for the first heartbeat that comes this long after the first one."""
    first: list[int] = []

    def late_enough(line: OutLine) -> bool:
        if isinstance(line, State):
            first.append(line.t_mono_ns)
        return bool(first) and first[-1] - first[0] > seconds * 1e9

    return late_enough
