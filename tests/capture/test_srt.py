"""SRT comes through a bridge process that hides its passphrase and never outlives its reader."""

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from capture.address import check_address
from capture.source import AddressRefused, Frame, SourceLost
from capture.sources.network_feed import NetworkFeed, NetworkFeedOptions
from capture.srt import Bridge, call_of
from tests.rigs.clips import Clips
from tests.rigs.feeds import ClipSender, Server, await_bound, free_udp_port
from tests.rigs.workers import Worker, is_live, opening

PASSPHRASE = "right-horse-battery"
PATIENCE_S = 20.0


class SrtServer(Server):
    """The SRT tools' own program, listening with a passphrase, fed by MPEG-TS over UDP."""

    def __init__(self, udp_port: int) -> None:
        self.port = free_udp_port()
        super().__init__(
            [
                "srt-live-transmit",
                "-q",
                f"udp://127.0.0.1:{udp_port}",
                f"srt://127.0.0.1:{self.port}?mode=listener&passphrase={PASSPHRASE}",
            ]
        )
        self.address = f"srt://127.0.0.1:{self.port}?passphrase={PASSPHRASE}"


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A UDP port of this machine that MPEG-TS is sent to."""
    clip = Clips(tmp_path_factory.mktemp("clips")).picture(
        ".ts", codec=("-c:v", "libx264", "-preset", "ultrafast", "-g", "10")
    )
    port = free_udp_port()
    with ClipSender(clip, ("-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316")):
        yield port


@pytest.fixture
def server(camera: int) -> Iterator[SrtServer]:
    """A server of each test's own: it takes seconds to notice that a peer went."""
    with SrtServer(camera) as made:
        await_bound(made.port)
        yield made


@contextmanager
def feed(address: str) -> Iterator[NetworkFeed]:
    made = NetworkFeed(NetworkFeedOptions(address=address))
    try:
        made.open()
        yield made
    finally:
        made.close()


def awaited(enough: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not (done := enough()) and time.monotonic() < deadline:
        select.select([], [], [], 0.02)  # the end of another's process raises nothing here
    return done


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text().split()]


def bridges(pid: int) -> list[int]:
    return [c for c in children(pid) if b"srt_bridge" in Path(f"/proc/{c}/cmdline").read_bytes()]


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_feed_that_is_encrypted_is_watched(server: SrtServer) -> None:
    with feed(server.address) as source:
        assert awaited(lambda: isinstance(source.read(0.1), Frame))


@pytest.mark.parametrize("without_library", [False, True])
def test_no_process_shows_the_passphrase_in_its_arguments_or_environment(
    server: SrtServer, without_library: bool
) -> None:
    address = check_address(server.address)
    bridge = Bridge(address, call_of(address), without_library=without_library)
    try:
        assert os.read(bridge.fd, 188)[:1] == b"\x47"  # MPEG-TS flows: it knows the passphrase
        for pid in (bridge.process.pid, *children(bridge.process.pid), os.getpid()):
            for what in ("cmdline", "environ"):
                assert PASSPHRASE.encode() not in Path(f"/proc/{pid}/{what}").read_bytes()
        name = Path(f"/proc/{bridge.process.pid}/cmdline").read_bytes().split(b"\0")[0]
        assert (name == b"ffmpeg") is without_library
    finally:
        bridge.close()


def test_a_wrong_passphrase_is_refused_in_words_that_do_not_hold_it(server: SrtServer) -> None:
    wrong = server.address.replace("right", "wrong")
    with pytest.raises(AddressRefused) as caught, feed(wrong):
        pass
    assert "horse" not in str(caught.value)
    assert "refused" in str(caught.value)
    assert "passphrase" in str(caught.value).rpartition("refused")[2]


def test_a_killed_bridge_is_a_lost_source(server: SrtServer) -> None:
    with feed(server.address) as source:
        (bridge,) = bridges(os.getpid())
        os.kill(bridge, signal.SIGKILL)
        with pytest.raises(SourceLost, match="bridge that receives SRT was killed"):
            awaited(lambda: source.read(0.1) is not None and False)


def test_a_closed_feed_leaves_no_bridge(server: SrtServer) -> None:
    with feed(server.address):
        (bridge,) = bridges(os.getpid())
    assert awaited(lambda: not runs(bridge))


def test_a_bridge_dies_with_its_worker_however_that_ends(server: SrtServer) -> None:
    with Worker(opening("network_feed", address=server.address)) as worker:
        worker.until(is_live)
        (bridge,) = bridges(worker.process.pid)
        worker.process.kill()
        assert awaited(lambda: not runs(bridge))


def test_a_hung_worker_that_is_killed_while_it_waits_for_a_peer_leaves_no_bridge() -> None:
    address = f"srt://127.0.0.1:{free_udp_port()}?mode=listener"
    with Worker(opening("network_feed", address=address)) as worker:
        assert awaited(lambda: bool(bridges(worker.process.pid)))
        (bridge,) = bridges(worker.process.pid)
        worker.process.send_signal(signal.SIGSTOP)
        worker.process.kill()
        assert awaited(lambda: not runs(bridge))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("pasphrase=right-horse", "did you mean passphrase"),
        ("passphrase=horse", "5 characters; expected 10 to 79"),
        ("mode=rendezvous", "caller or listener"),
        ("latency=120000", "20 to 8000 ms"),
        ("pbkeylen=8", "16, 24 or 32"),
        ("streamid=" + "horse" * 200, "at most 512"),
    ],
)
def test_wrong_parameters_are_refused_before_anything_runs(query: str, words: str) -> None:
    with pytest.raises(AddressRefused, match=words) as caught:
        call_of(check_address(f"srt://cam:9000?{query}"))
    assert "horse" not in str(caught.value)
