"""Pictures that a bad link damaged are inside episodes: MPEG-TS and RTP, really sent.

The sender repeats a clip of which every picture is known, so that each one received is either
whole, to the sample, or damaged.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from capture.demux import Demuxer
from capture.source import Frame, Packet
from monitor.measure.measurement import MEASUREMENTS, Setup
from monitor.measure.picture.stamps import FrameClock
from tests.monitor.measure.feeding import stream_items
from tests.rigs.clips import Clips, ffmpeg
from tests.rigs.feeds import free_udp_port
from tests.rigs.relay import LossyRelay

SHARE = 0.01
PICTURES = 150
BAD_FROM = 30  # pictures until the link goes bad: opening it is another matter
PROBE = {"probesize": "400000", "analyzeduration": "1000000"}
SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=camera
c=IN IP4 127.0.0.1
t=0 0
m=video {port} RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1
"""


@pytest.fixture(scope="module")
def clip(clips: Clips) -> Path:
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25")
    return clips.picture(".ts", size="640x360", frames=100, codec=(*codec, "-b:v", "2M"))


@contextmanager
def sent(clip: Path, kind: str, port: int) -> Iterator[None]:
    """Send the clip again and again, four times as fast as it plays."""
    target = {
        "ts": ("-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"),
        "rtp": ("-bsf:v", "dump_extra", "-f", "rtp", f"rtp://127.0.0.1:{port}?pkt_size=1316"),
    }[kind]
    media = ("-readrate", "4", "-stream_loop", "-1", "-i", str(clip), "-c", "copy")
    sender = subprocess.Popen(
        [ffmpeg(), "-loglevel", "quiet", "-nostdin", *media, *target],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        sender.kill()
        sender.wait(10)


def opened(kind: str, port: int, folder: Path) -> "av.container.InputContainer":
    if kind == "ts":
        options = {"fifo_size": "50000", "overrun_nonfatal": "1", "timeout": "5000000"}
        return av.open(f"udp://127.0.0.1:{port}", format="mpegts", options=PROBE | options)
    sdp = folder / "camera.sdp"
    sdp.write_text(SDP.format(port=port))
    options = {"protocol_whitelist": "file,udp,rtp"}
    return av.open(str(sdp), format="sdp", options=PROBE | options, timeout=(10, 5))


@pytest.mark.parametrize(
    ("kind", "recall"),
    [
        ("ts", 1.0),
        ("rtp", 0.5),  # a lost fragment that decodes by chance is flagged by nobody, and lasts
    ],
)
def test_pictures_that_a_lossy_link_damaged_are_inside_episodes(
    clip: Path, tmp_path: Path, kind: str, recall: float
) -> None:
    whole = {hash(item.luma.tobytes()) for item in stream_items(clip)[1] if isinstance(item, Frame)}
    assert len(whole) == 100
    port = free_udp_port()
    received: list[tuple[int, bool]] = []  # tick, and whether it is whole
    with (
        LossyRelay(port, seed=3) as relay,
        sent(clip, kind, relay.port),
        opened(kind, port, tmp_path) as container,
    ):
        demuxer = Demuxer(container, time.monotonic_ns, from_key=True)
        (stream,) = demuxer.infos()
        made = MEASUREMENTS["picture_damaged"].make(Setup(stream=stream))
        clock, key_packets = FrameClock(stream), 0
        while len(received) < PICTURES or not key_packets:
            packet = demuxer.next_packet()
            assert packet is not None
            for item in demuxer.items(packet):
                made.feed(item)
                if isinstance(item, Packet):
                    key_packets += item.key
                if isinstance(item, Frame):
                    received.append((clock.tick(item), hash(item.luma.tobytes()) in whole))
            relay.share = SHARE if len(received) > BAD_FROM else 0.0
    made.finish()
    steps = [step for step in made.events() if step.phase == "close"]
    spans = [(step.start, step.end or 0) for step in steps]
    inside = [any(start <= tick < end for start, end in spans) for tick, _ in received]
    found = [inside[at] for at, (_, is_whole) in enumerate(received) if not is_whole]
    assert relay.lost > 0
    assert len(found) > 10
    assert sum(found) >= recall * len(found)
    assert sum(found) > 0.5 * sum(inside)
