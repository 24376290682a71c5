"""A feed gives sound and picture together, and says within its stall time that it is gone."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from capture.source import AddressRefused, Block, Changed, Frame, Item, Lost, Packet, SourceLost
from capture.sources.network_feed import NetworkFeed, NetworkFeedOptions
from capture.timeline import Pace
from tests.rigs.clips import Clips
from tests.rigs.feeds import RtspServer, TsSender, free_udp_port

PATIENCE_S = 20.0


@contextmanager
def feed(address: str, **options: object) -> Iterator[NetworkFeed]:
    made = NetworkFeed(NetworkFeedOptions.model_validate({"address": address, **options}))
    try:
        made.open()
        yield made
    finally:
        made.close()


def until(source: NetworkFeed, enough: Callable[[list[Item]], bool]) -> list[Item]:
    items: list[Item] = []
    deadline = time.monotonic() + PATIENCE_S
    while not enough(items):
        assert time.monotonic() < deadline, f"{len(items)} items in {PATIENCE_S} s"
        item = source.read(0.25)
        if item is not None:
            items.append(item)
    return items


def pictures(count: int) -> Callable[[list[Item]], bool]:
    return lambda items: sum(isinstance(item, Frame) for item in items) >= count


def seconds_until_lost(source: NetworkFeed) -> float:
    began = time.monotonic()
    with pytest.raises(SourceLost):
        until(source, lambda _: False)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def camera() -> Iterator[RtspServer]:
    with RtspServer() as server:
        yield server


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp_gives_sound_and_picture_in_one_session(camera: RtspServer, transport: str) -> None:
    with feed(camera.address, transport=transport) as source:
        items = until(source, pictures(50))
    frames = [item for item in items if isinstance(item, Frame)]
    blocks = [item for item in items if isinstance(item, Block)]
    packets = [item for item in items if isinstance(item, Packet)]
    assert frames[0].key
    assert (frames[0].width_px, frames[0].height_px) == (320, 180)
    assert not any(frame.corrupt for frame in frames)
    assert not any(packet.corrupt for packet in packets)
    assert len(blocks) > 10
    assert blocks[0].samples.shape[1] == 2
    stamps = [frame.pts for frame in frames if frame.pts is not None]
    assert stamps == sorted(stamps)


def test_a_killed_server_is_lost_at_once_and_can_be_opened_again() -> None:
    with RtspServer() as server, feed(server.address) as source:
        until(source, pictures(5))
        server.kill()
        assert seconds_until_lost(source) < 1.5
        with pytest.raises(SourceLost):
            source.read(0.1)
    with RtspServer() as server, feed(server.address) as source:
        until(source, pictures(5))


def test_a_stopped_server_that_closes_nothing_is_lost_within_the_stall_time() -> None:
    with RtspServer() as server, feed(server.address) as source:
        until(source, pictures(5))
        server.freeze()
        assert seconds_until_lost(source) < source.stall_s + 0.7


def test_mpeg_ts_over_udp_gives_sound_and_picture() -> None:
    port = free_udp_port()
    with TsSender(port) as sender, feed(f"udp://127.0.0.1:{port}") as source:
        items = until(source, pictures(30))
        assert {type(item) for item in items} >= {Frame, Block, Packet}
        sender.freeze()
        assert seconds_until_lost(source) < source.stall_s + 0.7


def test_mpeg_ts_over_multicast_is_received() -> None:
    port = free_udp_port()
    address = f"udp://239.255.22.22:{port}?localaddr=127.0.0.1"
    with (
        TsSender(port, host="239.255.22.22", local="127.0.0.1"),
        feed(address) as source,
    ):
        until(source, pictures(5))


def test_a_restarted_sender_begins_a_new_epoch(clips: Clips, tmp_path: Path) -> None:
    port = free_udp_port()
    late = clips.both(".ts", seconds=3, output=("-output_ts_offset", "1000"))
    with TsSender(port, file=late), feed(f"udp://127.0.0.1:{port}") as source:
        until(source, pictures(10))
        with TsSender(port):
            items = until(source, lambda items: pictures(60)(items) and _changed(items))
    epochs = {item.epoch for item in items if isinstance(item, Frame)}
    assert max(epochs) >= 1
    change = next(item for item in items if isinstance(item, Changed))
    assert "time-stamps jumped" in change.reason
    assert len(change.streams) == 2


def _changed(items: list[Item]) -> bool:
    return any(isinstance(item, Changed) for item in items)


def test_lost_datagrams_are_counted_at_most_once_a_second(clips: Clips) -> None:
    port = free_udp_port()
    data = clips.both(".ts", seconds=3).read_bytes()
    stop = threading.Event()

    def send() -> None:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as out:
            began = time.monotonic()
            datagrams = [data[at : at + 1316] for at in range(0, len(data), 1316)]
            pace_s = 3.0 / len(datagrams)
            for n, datagram in enumerate(datagrams):
                if n % 9 != 8:
                    out.sendto(datagram, ("127.0.0.1", port))
                stop.wait(max(0.0, began + n * pace_s - time.monotonic()))

    sender = threading.Thread(target=send)
    sender.start()
    items: list[Item] = []

    def keep(so_far: list[Item]) -> bool:
        items[:] = so_far
        return False

    try:
        with feed(f"udp://127.0.0.1:{port}") as source, pytest.raises(SourceLost):
            until(source, keep)
    finally:
        stop.set()
        sender.join()
    losses = [item for item in items if isinstance(item, Lost) and item.unit == "packets"]
    by_stream = {lost.stream for lost in losses}
    assert losses
    assert sum(lost.amount for lost in losses) > len(losses)
    assert len(losses) <= 5 * len(by_stream)
    assert any(isinstance(item, Packet) and item.corrupt for item in items)


def test_a_burst_is_spread_and_a_live_feed_is_not_held_back() -> None:
    pace, now_s = Pace(), 100.0
    for n in range(50):  # two seconds of pictures that all waited
        now_s += pace.wait_s(0, n / 25, now_s)
    assert 0.4 < now_s - 100.0 < 0.6
    for n in range(50, 150):  # then one every 40 ms
        now_s += 0.04
        assert pace.wait_s(0, n / 25, now_s) == 0
        assert pace.wait_s(1, n / 25 + 7, now_s) == 0
    assert pace.wait_s(0, 5_000.0, now_s) <= 0.1  # another timeline holds nothing up


def refused(address: str, **options: object) -> str:
    with pytest.raises(AddressRefused) as caught, feed(address, **options):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_does_not_open_is_said_in_clear_words(camera: RtspServer) -> None:
    assert "404" in refused(f"rtsp://127.0.0.1:{camera.port}/nothing")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert "nothing listens" in refused(f"rtsp://127.0.0.1:{port}/camera")
    assert "no host called" in refused("rtsp://no-such-host.invalid/camera")


def test_a_black_hole_is_given_up_after_the_open_timeout() -> None:
    with closing(socket.socket()) as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(1)
        began = time.monotonic()
        message = refused(f"rtsp://127.0.0.1:{hole.getsockname()[1]}/x", open_timeout_s=1.0)
        assert time.monotonic() - began < 4
    assert "nothing answers within" in message
    assert "nothing answers" in refused(f"udp://127.0.0.1:{free_udp_port()}", open_timeout_s=1.0)
    rtp = refused(f"rtp://127.0.0.1:{free_udp_port()}", open_timeout_s=1.0)
    assert rtp.endswith("anything else needs its sdp")


def test_a_wrong_password_is_refused_in_words_that_do_not_hold_it() -> None:
    with RtspServer("viewer", "right-horse") as server:
        good = server.address.replace("://", "://viewer:right-horse@")
        with feed(good) as source:
            until(source, pictures(2))
        bad = refused(server.address.replace("://", "://viewer:wrong-horse@"))
        none = refused(server.address)
    assert "401" in bad
    assert "401" in none
    assert "horse" not in bad
