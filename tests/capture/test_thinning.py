"""Fewer pictures decoded: which ones, at once, and whole again on the way back up."""

from itertools import pairwise
from pathlib import Path

import av
import pytest

from capture.demux import Demuxer
from capture.occupation import Occupation
from capture.source import Frame, Item, Packet, Rung, Thinned
from tests.rigs.clips import Clips

RATE = 25
FRAME_NS = 1_000_000_000 // RATE
X264 = ("-c:v", "libx264", "-preset", "fast", "-bf", "3", "-g", "25", "-sc_threshold", "0")


class Feed:
    """A clip read as if it came in real time; ``now_ns`` goes on by a picture a packet."""

    def __init__(self, clip: Path) -> None:
        self.container = av.open(str(clip))
        self.t_ns = 0
        self.demuxer = Demuxer(self.container, lambda: self.t_ns)
        self.items: list[Item] = []

    def go(self, packets: int, rung: Rung) -> list[Item]:
        """Return the items of the next packets at a rung."""
        found: list[Item] = []
        for _ in range(packets):
            packet = self.demuxer.next_packet()
            if packet is None:
                break
            self.t_ns += FRAME_NS
            found += [*self.demuxer.thin(rung), *self.demuxer.items(packet)]
        self.items += found
        return found


@pytest.fixture(scope="module")
def feed_of(clips: Clips) -> Path:
    return clips.picture(".ts", frames=250, codec=X264)


def frames(items: list[Item]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def test_packets_come_on_every_rung_and_pictures_are_fewer_and_fewer(feed_of: Path) -> None:
    counts = []
    rungs: tuple[Rung, ...] = ("all frames", "reference frames", "key frames", "packets only")
    for rung in rungs:
        feed = Feed(feed_of)
        items = feed.go(250, rung)
        assert sum(isinstance(item, Packet) for item in items) == 250
        counts.append(len(frames(items)))
    whole, reference, key, none = counts
    assert whole >= 245
    assert reference < 0.75 * whole
    assert key == 10
    assert none == 2  # a glimpse at the first, and after 5 s


def test_a_key_frame_is_given_at_once_with_its_own_stamp(feed_of: Path) -> None:
    feed = Feed(feed_of)
    items = feed.go(100, "key frames")
    pairs = [
        (item.pts, following.pts)
        for item, following in pairwise(items)
        if isinstance(item, Packet) and item.key and isinstance(following, Frame)
    ]
    assert len(pairs) == 4
    assert all(packet == frame for packet, frame in pairs)


def test_on_the_way_up_pictures_begin_with_a_key_frame_and_are_whole(feed_of: Path) -> None:
    feed = Feed(feed_of)
    feed.go(60, "all frames")
    feed.go(30, "key frames")
    whole = feed.go(150, "all frames")
    assert isinstance(whole[0], Thinned)
    assert whole[0].rung == "all frames"
    assert frames(whole)[0].key
    assert not any(frame.corrupt for frame in frames(feed.items))
    stamps = [frame.pts for frame in frames(feed.items) if frame.pts is not None]
    assert stamps == sorted(stamps)


def test_pictures_after_every_change_are_those_of_the_clip(feed_of: Path) -> None:
    with av.open(str(feed_of)) as container:
        planes = {f.pts: bytes(memoryview(f.planes[0]))[:320] for f in container.decode(video=0)}
    feed = Feed(feed_of)
    ways: tuple[Rung, ...] = (
        "all frames", "reference frames", "key frames", "reference frames", "packets only",
        "all frames",
    )  # fmt: skip
    for rung in ways:
        for frame in frames(feed.go(40, rung)):
            assert frame.pts is not None
            assert bytes(frame.luma[0]) == planes[frame.pts], (rung, frame.pts)


def test_where_every_picture_is_a_key_frame_some_a_second_are_decoded(clips: Clips) -> None:
    intra = clips.picture(".mkv", frames=100, codec=("-c:v", "mjpeg", "-q:v", "4"))
    items = Feed(intra).go(100, "key frames")
    assert sum(isinstance(item, Packet) and item.key for item in items) == 100
    assert len(frames(items)) == 10


def test_a_thread_is_as_busy_as_it_did_not_wait() -> None:
    work = Occupation(0)
    for n in range(1, 11):
        work.waited(n * 100_000_000 - 25_000_000, n * 100_000_000)
    assert work.share == pytest.approx(0.75)
    for n in range(11, 21):
        work.waited(n * 100_000_000, n * 100_000_000)
    assert work.share == 1.0
