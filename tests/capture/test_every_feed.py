"""Every form of address against a real peer: watched, changed, spoilt, stalled, killed, back again.

All kinds live their life at the same time, in one thread each, for most of it is waiting; the
tests then look at what happened to each.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket

import pytest

from capture.address import FORMS
from capture.source import (
    AddressRefused,
    Frame,
    Item,
    Lost,
    OpenFailed,
    Packet,
    SourceLost,
    StreamInfo,
)
from capture.sources.network_feed import NetworkFeed, NetworkFeedOptions
from monitor.worker.arrivals import Arrivals
from tests.rigs.clips import Clips
from tests.rigs.feeds import (
    ClipSender,
    RtspServer,
    Server,
    WebFolder,
    await_bound,
    await_listening,
    free_tcp_port,
    free_udp_port,
)

PATIENCE_S = 25.0
SIZES = {(320, 180), (480, 270)}
LOST_SLACK_S = 0.9  # over the stall time: a busy machine's threads
HLS_STALL_S = 2.5
ENOUGH = 90  # pictures: 1 s of them waited while the feed was probed, 1.5 s are learned from
TOLD_SHARE = 0.9  # of the stall time: sound's bursts of 0.3 s are a habit, told after 0.5
LAVFI = ("-f", "lavfi", "-i")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "10")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How one kind of feed is sent and opened. ``{p}`` is its port, ``{d}`` a folder of its own."""

    address: str
    output: str
    options: dict[str, object] = field(default_factory=dict)
    udp: bool = False
    serves: bool = False
    """The sender listens."""
    picture_only: bool = False
    jpeg: bool = False
    web_folder: bool = False
    rtsp: bool = False

    @property
    def pushed(self) -> bool:
        """Whether the feed listens for its sender."""
        return bool(self.options.get("listen"))


SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=camera
c=IN IP4 127.0.0.1
t=0 0
m=video {p} RTP/AVP 96
a=rtpmap:96 H264/90000
"""
HLS = "-f hls -hls_time 0.4 -hls_list_size 6 -hls_flags delete_segments {d}/live.m3u8"
KINDS = {
    "udp": Kind(
        address="udp://127.0.0.1:{p}",
        output="-f mpegts udp://127.0.0.1:{p}?pkt_size=1316",
        udp=True,
    ),
    "tcp": Kind(
        address="tcp://127.0.0.1:{p}",
        output="-f mpegts tcp://127.0.0.1:{p}?listen=1",
        serves=True,
    ),
    "tcp pushed": Kind(
        address="tcp://127.0.0.1:{p}",
        output="-f mpegts tcp://127.0.0.1:{p}",
        options={"listen": True},
    ),
    "rtp": Kind(
        address="rtp://127.0.0.1:{p}", output="-f rtp_mpegts rtp://127.0.0.1:{p}", udp=True
    ),
    "rtp with sdp": Kind(
        address="rtp://127.0.0.1:{p}",
        output="-f rtp rtp://127.0.0.1:{p}",
        options={"sdp": SDP},
        udp=True,
        picture_only=True,
    ),
    "rtsp over tcp": Kind(address="", output="", options={"transport": "tcp"}, rtsp=True),
    "rtsp over udp": Kind(address="", output="", options={"transport": "udp"}, rtsp=True),
    "rtsp pushed": Kind(
        address="rtsp://127.0.0.1:{p}/live",
        output="-f rtsp -rtsp_transport tcp rtsp://127.0.0.1:{p}/live",
        options={"listen": True},
    ),
    "rtmp": Kind(
        address="rtmp://127.0.0.1:{p}/live/key",
        output="-f flv -listen 1 rtmp://127.0.0.1:{p}/live/key",
        serves=True,
    ),
    "rtmp pushed": Kind(
        address="rtmp://127.0.0.1:{p}/live/key",
        output="-f flv rtmp://127.0.0.1:{p}/live/key",
        options={"listen": True},
    ),
    "http mpeg-ts": Kind(
        address="http://127.0.0.1:{p}/live.ts",
        output="-f mpegts -listen 1 http://127.0.0.1:{p}/live.ts",
        serves=True,
    ),
    "http flv": Kind(
        address="http://127.0.0.1:{p}/live.flv",
        output="-f flv -listen 1 http://127.0.0.1:{p}/live.flv",
        serves=True,
    ),
    "http mjpeg": Kind(
        address="http://127.0.0.1:{p}/video",
        output="-f mpjpeg -listen 1 http://127.0.0.1:{p}/video",
        serves=True,
        picture_only=True,
        jpeg=True,
    ),
    "srt": Kind(
        address="srt://127.0.0.1:{p}?passphrase=right-horse-battery&latency=80",
        output="-f mpegts srt://127.0.0.1:{p}?mode=listener&passphrase=right-horse-battery",
        udp=True,
    ),
    "srt pushed": Kind(
        address="srt://127.0.0.1:{p}?passphrase=right-horse-battery",
        output="-f mpegts srt://127.0.0.1:{p}?passphrase=right-horse-battery",
        options={"listen": True},
        udp=True,
    ),
    "hls": Kind(address="http://127.0.0.1:{p}/live.m3u8", output=HLS, web_folder=True),
}


@dataclass
class Story:
    """What happened to one kind."""

    sizes: set[tuple[int, int]] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
    stalled_s: float = 0.0
    last_ns: int = 0
    silence: str | None = None
    stall_s: float = 0.0
    spoilt_before: int = 0
    spoilt: int = 0
    good: int = 0
    killed_s: float = 0.0
    words: list[str] = field(default_factory=list)
    broke: BaseException | None = None


def until(source: NetworkFeed, enough: Callable[[list[Item]], bool]) -> list[Item]:
    items: list[Item] = []
    deadline = time.monotonic() + PATIENCE_S
    while not enough(items):
        assert time.monotonic() < deadline, f"{len(items)} items in {PATIENCE_S} s"
        item = source.read(0.1)
        if item is not None:
            items.append(item)
    return items


def frames(items: list[Item]) -> list[Frame]:
    return [item for item in items if isinstance(item, Frame)]


def sizes(items: list[Item]) -> set[tuple[int, int]]:
    return {(frame.width_px, frame.height_px) for frame in frames(items)}


def is_spoilt(item: Item) -> bool:
    flagged = isinstance(item, Packet | Frame) and item.corrupt
    return flagged or (isinstance(item, Lost) and item.unit == "packets")


class Stage:
    """One kind's port, folder and senders."""

    def __init__(self, kind: Kind, clips: dict[str, Path], folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.port = free_udp_port() if kind.udp else free_tcp_port()
        self.clip = clips["jpeg" if kind.jpeg else "picture" if kind.picture_only else "both"]
        self.stack = ExitStack()
        self.streams: tuple[StreamInfo, ...] = ()
        self.address = self.fill(kind.address)

    def fill(self, text: str) -> str:
        return text.replace("{p}", str(self.port)).replace("{d}", str(self.folder))

    def send(self, *, spoilt: bool = False) -> list[Server]:
        """Start the sender and wait until it can be asked, where it is to be asked."""
        if self.kind.rtsp:
            rtsp = RtspServer("--changing", *(["--lossy"] if spoilt else []))
            self.address = rtsp.address
            return [self.stack.enter_context(rtsp)]
        if self.kind.pushed:
            (await_bound if self.kind.udp else await_listening)(self.port)
        output = tuple(self.fill(self.kind.output).split())
        servers: list[Server] = [ClipSender(self.clip, output, spoilt=spoilt)]
        if "mode=listener" in self.kind.output:
            await_bound(self.port)
        if self.kind.serves:
            await_listening(self.port)
        if self.kind.web_folder:
            deadline = time.monotonic() + PATIENCE_S
            while len(list(self.folder.glob("*.ts"))) < 4 and time.monotonic() < deadline:
                threading.Event().wait(0.05)
            servers.append(WebFolder(self.folder, self.port))
        for server in servers:
            self.stack.enter_context(server)
        return servers

    def open(self, *, spoilt: bool = False) -> tuple[NetworkFeed, list[Server]]:
        """Open the feed and start its sender, in the order the kind wants."""
        servers = [] if self.kind.pushed else self.send(spoilt=spoilt)
        options = {
            key: self.fill(value) if isinstance(value, str) else value
            for key, value in self.kind.options.items()
        }
        made = NetworkFeed(
            NetworkFeedOptions.model_validate(
                {"address": self.address, "open_timeout_s": 15, **options}
            )
        )
        if self.kind.web_folder:
            made.stall_s = HLS_STALL_S
        self.stack.callback(made.close)
        if not self.kind.pushed:
            self.streams = made.open()
            return made, servers
        with ThreadPoolExecutor(1) as pool:
            opening = pool.submit(made.open)
            servers = self.send(spoilt=spoilt)
            self.streams = opening.result()
        return made, servers


def lost_after(source: NetworkFeed, story: Story, arrivals: Arrivals | None = None) -> float:
    """Return how long after the last arrival the source said that it is lost."""
    story.last_ns = time.monotonic_ns()

    def watch(items: list[Item]) -> bool:
        if items:
            story.last_ns = items[-1].t_arrival_ns
            if arrivals is not None:
                arrivals.take(items[-1])
        return False

    with pytest.raises(SourceLost) as caught:
        until(source, watch)
    story.words.append(str(caught.value))
    return (time.monotonic_ns() - story.last_ns) / 1e9


def live(kind: Kind, clips: dict[str, Path], folder: Path) -> Story:
    """Live through it all once."""
    story, stage = Story(), Stage(kind, clips, folder)
    try:
        with stage.stack:
            source, servers = stage.open()
            items = until(
                source, lambda items: sizes(items) == SIZES and len(frames(items)) > ENOUGH
            )
            arrivals = Arrivals(stage.streams)
            for item in items:
                arrivals.take(item)
            story.sizes = sizes(items)
            story.spoilt_before = sum(map(is_spoilt, items))
            story.streams = {type(item).__name__ for item in items}
            for server in servers:
                server.freeze()
            story.stall_s = source.stall_s
            story.stalled_s = lost_after(source, story, arrivals)
            story.silence = arrivals.silence(story.last_ns + int(TOLD_SHARE * source.stall_s * 1e9))
            source.close()
            for server in servers:
                server.kill()
            source, servers = stage.open(spoilt=True)
            items = until(
                source, lambda items: any(map(is_spoilt, items)) and len(frames(items)) > 20
            )
            story.spoilt, story.good = sum(map(is_spoilt, items)), len(frames(items))
            for server in servers:
                server.kill()
            story.killed_s = lost_after(source, story)
    except BaseException as error:  # noqa: BLE001  (told by the tests, one kind at a time)
        story.broke = error
    return story


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Story]]:
    made = Clips(tmp_path_factory.mktemp("clips"))
    clips = {
        "picture": changing(made, ".ts", X264),
        "jpeg": changing(made, ".mjpeg", ("-c:v", "mjpeg", "-q:v", "5")),
        "both": changing(made, ".ts", X264, sound=True),
    }
    with ThreadPoolExecutor(len(KINDS)) as pool:
        lives = {
            name: pool.submit(live, kind, clips, tmp_path_factory.mktemp("feed"))
            for name, kind in KINDS.items()
        }
        yield {name: story.result() for name, story in lives.items()}


def changing(clips: Clips, suffix: str, codec: tuple[str, ...], *, sound: bool = False) -> Path:
    """Return a clip whose picture grows after a second: two clips, joined without a seam."""
    tone = ("-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=44100") if sound else ()
    coded = (*codec, *(("-c:a", "libmp3lame") if sound else ()))
    parts = [
        clips.make(suffix, *(*LAVFI, f"testsrc2=size={size}:rate=25"), *tone, "-t", "1", *coded)
        for size in ("320x180", "480x270")
    ]
    if suffix == ".mjpeg":
        whole = clips.folder / "whole.mjpeg"
        whole.write_bytes(b"".join(part.read_bytes() for part in parts))
        return whole
    script = clips.folder / f"parts-{sound}.ffconcat"
    script.write_text("".join(f"file {part.name}\n" for part in parts))
    return clips.make(suffix, "-f", "concat", "-i", str(script), "-map", "0", "-c", "copy")


@pytest.fixture(params=sorted(KINDS))
def told(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    story = stories[request.param]
    if story.broke is not None:
        raise story.broke
    return story


def test_it_is_watched_and_a_new_size_in_mid_stream_needs_no_reopening(told: Story) -> None:
    assert told.sizes == SIZES
    assert told.streams >= {"Packet", "Frame"}


def test_a_peer_that_stops_is_told_as_silent_and_is_lost_within_the_stall_time(told: Story) -> None:
    assert told.stalled_s < told.stall_s + LOST_SLACK_S
    assert told.silence == "connected, but nothing arrives"


def test_it_comes_back_and_damage_is_told_and_goes_on(told: Story) -> None:
    assert told.spoilt_before == 0
    assert told.spoilt > 0
    assert told.good > 20


def test_a_killed_peer_is_lost_and_said_in_one_line_without_secrets(told: Story) -> None:
    assert told.killed_s < told.stall_s + LOST_SLACK_S
    for words in told.words:
        assert "\n" not in words
        assert "/live/key" not in words
        assert "horse" not in words


HOLES = sorted(name for name, form in FORMS.items() if form.example.startswith(f"{name}://"))


@pytest.fixture(scope="module")
def holes() -> Iterator[dict[str, str | None]]:
    """What each form of address says of a peer that takes the connection and never answers."""
    with closing(socket()) as hole, ThreadPoolExecutor(len(HOLES)) as pool:
        hole.bind(("127.0.0.1", 0))
        hole.listen(len(HOLES) * 2)
        taken = hole.getsockname()[1]

        def ask(scheme: str) -> str | None:
            port = free_udp_port() if scheme in ("udp", "rtp", "srt") else taken
            made = NetworkFeed(
                NetworkFeedOptions(
                    address=f"{scheme}://viewer:right-horse@127.0.0.1:{port}/live/battery",
                    open_timeout_s=1.0,
                )
            )
            try:
                made.open()
            except AddressRefused as error:
                return str(error)
            finally:
                made.close()
            return None

        yield dict(zip(HOLES, pool.map(ask, HOLES), strict=True))


@pytest.mark.parametrize("scheme", HOLES)
def test_a_black_hole_is_given_up_and_no_secret_is_in_the_words(
    scheme: str, holes: dict[str, str | None]
) -> None:
    words = holes[scheme]
    assert words is not None
    assert "nothing answers" in words
    assert "horse" not in words
    assert "\n" not in words


@pytest.mark.parametrize("segment", ["file://{d}/clip.ts", "{d}/clip.ts", "tcp://127.0.0.1:{p}"])
def test_a_playlist_leads_to_no_file_and_no_other_protocol(segment: str, tmp_path: Path) -> None:
    clip = Clips(tmp_path).both(".ts", seconds=1)
    clip.rename(tmp_path / "clip.ts")
    served = tmp_path / "web"
    served.mkdir()
    port = free_tcp_port()
    named = segment.replace("{d}", str(tmp_path)).replace("{p}", str(port))
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{named}\n#EXT-X-ENDLIST\n"
    (served / "live.m3u8").write_text(playlist)
    with WebFolder(served, port):
        made = NetworkFeed(
            NetworkFeedOptions(address=f"http://127.0.0.1:{port}/live.m3u8", open_timeout_s=4.0)
        )
        with pytest.raises(OpenFailed):
            made.open()
        made.close()


@pytest.mark.parametrize(
    ("sdp", "words"),
    [
        ("no/such.sdp", "cannot be read"),
        ("v=0\nm=video 9 RTP/AVP 96\n", "is about port 9"),
        ("#EXTM3U\nfile:///etc/passwd\n", "no session description"),
    ],
)
def test_a_session_description_is_read_by_us_and_must_be_of_this_port(sdp: str, words: str) -> None:
    made = NetworkFeed(NetworkFeedOptions(address="rtp://127.0.0.1:5004", sdp=sdp))
    with pytest.raises(OpenFailed, match=words):
        made.open()
    made.close()
