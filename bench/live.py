"""A whole cart, live: 32 channels of a virtual sound card and one 1080p H.264 feed, or more.

The card plays noise with clips of five full-scale samples, one channel after another; feeds are
sent by FFmpeg without re-encoding. The service runs as a process of its own with every metric on
and one WebSocket client reads all it sends. Printed: CPU and memory of each of our processes, the
feeders' cost apart, the gaps, and the time from a clip's last sample leaving the card to the alert
in the client; and when and why fewer pictures were decoded.
``python -m bench.live [MINUTES] [FEEDS] [PICTURES A SECOND]``, 10, 1 and 25 unless said; Linux only
(the card is an ALSA plugin).
"""

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import websockets

from tests.rigs.clips import Clips, ffmpeg
from tests.rigs.feeds import free_udp_port
from tests.rigs.sound_card import SoundCard, build, environment

CHANNELS, RATE_HZ = 32, 48_000
CLIP_EVERY_S = 2.5
LOOP_S = CHANNELS * CLIP_EVERY_S
CLIP = 5
LEVEL = 0.05
TICKS_S = os.sysconf("SC_CLK_TCK")
LIMIT_NS = 2_000_000_000  # later than this it is another clip's alert

SETTINGS = """
spec = "tv-25p-hd"
[network]
port = {port}
[[source]]
id = "cart"
kind = "audio_device"
name = "Sound cart"
device = "cart"
programme = [1, 2]
"""
FEED = """
[[source]]
id = "cam-{number}"
kind = "network_feed"
name = "Camera {number}"
address = "udp://127.0.0.1:{port}"
"""


@dataclass(slots=True)
class Heard:
    """What the client heard: delays of alerts, and gaps in words."""

    delays_ms: list[float] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    thinned: list[str] = field(default_factory=list)
    frames: int = 0


def sound() -> tuple[np.ndarray, list[int]]:
    """Return (frames, channels) int32 and each channel's clip: the frame after its last sample."""
    rng = np.random.default_rng(7)
    noise = rng.standard_normal((int(LOOP_S * RATE_HZ), CHANNELS), np.float32) * LEVEL
    samples = (noise * (2**31 - 1)).astype(np.int32) & ~0xFF
    ends = []
    for channel in range(CHANNELS):
        start = int((channel + 0.5) * CLIP_EVERY_S * RATE_HZ)
        samples[start : start + CLIP, channel] = 0x7FFFFF00
        ends.append(start + CLIP)
    return samples, ends


def usage(pid: int) -> tuple[float, float]:
    """Return a process's CPU seconds so far and its own memory in MiB.

    Without mapped files: the card plays its sound from one, inside the worker that reads it.
    """
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    own = int(status.partition("RssAnon:")[2].split()[0])
    return (int(fields[11]) + int(fields[12])) / TICKS_S, own / 1024


def children(pid: int) -> list[int]:
    """Return the processes a process started."""
    return [
        int(word)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for word in (task / "children").read_text().split()
    ]


def ask(port: int, method: str, path: str, body: object = None) -> object:
    """Call the service."""
    request = urllib.request.Request(
        f"http://localhost:{port}/api/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", "Origin": f"http://localhost:{port}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@contextlib.contextmanager
def running(arguments: list[str], env: dict[str, str] | None = None) -> Iterator[int]:
    """Run a process for a while; give its id."""
    process = subprocess.Popen(
        arguments, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _hear(text: str, card: SoundCard, ends: list[int], heard: Heard) -> str | None:
    """Take one message; return the id of an alert that was raised."""
    message = json.loads(text)
    if message["type"] != "record":
        return None
    body = message["record"]["body"]
    if body["kind"] == "gap":
        gap = body["gap"]
        heard.gaps.append(f"{gap['source']}: {gap['amount']:g} {gap['unit']} ({gap['reason']})")
    if body["kind"] != "alert":
        return None
    alert = body["alert"]
    if alert["rule"] == "monitoring.thinned":
        heard.thinned.append(f"{body['what']}: {alert['message']}")
    if alert["rule"] != "audio.clipping":
        return None
    if body["what"] != "active" or alert["acknowledged"]:
        return None
    started, frame = card.started
    loop = int(LOOP_S * RATE_HZ)
    left = (ends[alert["channel"]] - frame) % loop
    now = time.monotonic_ns()
    while started + (left + loop) * 1_000_000_000 // RATE_HZ < now:
        left += loop
    delay = now - (started + left * 1_000_000_000 // RATE_HZ)
    if 0 <= delay < LIMIT_NS:
        heard.delays_ms.append(delay / 1e6)
    return str(alert["id"])


async def listen(port: int, card: SoundCard, ends: list[int], until: float, heard: Heard) -> None:
    """Read everything the service sends; acknowledge each alert so that the next is a new one."""
    async with websockets.connect(f"ws://localhost:{port}/api/live", max_size=None) as live:
        while time.monotonic() < until:
            text = await asyncio.wait_for(live.recv(), 10)
            if isinstance(text, bytes):
                heard.frames += 1
                continue
            alert = _hear(text, card, ends, heard)
            if alert is not None:
                path = f"alerts/{alert}/acknowledge"
                await asyncio.to_thread(ask, port, "POST", path, {})


def wait_live(port: int, count: int) -> None:
    """Wait until all sources are live."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            sources = ask(port, "GET", "sources")
            assert isinstance(sources, list)
            if len(sources) == count and all(source["state"] == "live" for source in sources):
                return
        time.sleep(0.2)
    raise SystemExit("the sources did not come up within 60 s")


def table(rows: list[tuple[str, float, float, float]]) -> str:
    """Return the processes' costs as Markdown."""
    lines = ["| process | CPU, % of a core | memory at start | at end |", "|---|---|---|---|"]
    lines += [f"| {n} | {c:.1f} | {a:.0f} MiB | {b:.0f} MiB |" for n, c, a, b in rows]
    return "\n".join(lines)


def watch(port: int, pids: dict[str, int], card: SoundCard, ends: list[int], for_s: float) -> None:
    """Measure for a while and print."""
    heard = Heard()
    before = {name: usage(pid) for name, pid in pids.items()}
    began = time.monotonic()
    asyncio.run(listen(port, card, ends, began + for_s, heard))
    took = time.monotonic() - began
    rows = []
    for name, pid in pids.items():
        cpu, memory = usage(pid)
        rows.append((name, 100 * (cpu - before[name][0]) / took, before[name][1], memory))
    delays = sorted(heard.delays_ms)
    print(f"{took / 60:.1f} min, {CHANNELS} channels at {RATE_HZ} Hz\n")
    print(table(rows))
    print(f"\nmeter snapshots received: {heard.frames / took:.1f} a second")
    print(f"gaps: {len(heard.gaps)}", *heard.gaps, sep="\n  ")
    print(f"steps of the ladder: {len(heard.thinned)}", *heard.thinned, sep="\n  ")
    if delays:
        p99 = delays[min(len(delays) - 1, int(len(delays) * 0.99))]
        print(
            f"clip leaving the card to alert in the client: {len(delays)} alerts, median "
            f"{statistics.median(delays):.0f} ms, p99 {p99:.0f} ms, most {delays[-1]:.0f} ms"
        )


def clip_of(folder: Path, rate: int) -> Path:
    """Return ten seconds of moving, noisy 1080p pictures at 12 Mb/s."""
    return Clips(folder).make(
        ".ts", "-f", "lavfi", "-i", f"testsrc2=size=1920x1080:rate={rate},noise=alls=6:allf=t",
        "-frames:v", str(10 * rate), "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "12M",
        "-maxrate", "12M", "-bufsize", "6M", "-g", str(rate), "-pix_fmt", "yuv420p",
    )  # fmt: skip


def sender_of(clip: Path, port: int) -> list[str]:
    """Return the command that sends a clip again and again."""
    read = [ffmpeg(), "-loglevel", "quiet", "-nostdin", "-re", "-stream_loop", "-1", "-i"]
    return [*read, str(clip), "-c", "copy", "-f", "mpegts", f"udp://127.0.0.1:{port}?pkt_size=1316"]


def main(minutes: float, feeds: int, rate: int) -> None:
    """Set all up, watch it, print."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        samples, ends = sound()
        ports, port = [free_udp_port() for _ in range(feeds)], free_udp_port()
        clip = clip_of(folder, rate)
        settings = folder / "settings.toml"
        cameras = [FEED.format(number=n, port=at) for n, at in enumerate(ports, 1)]
        settings.write_text("".join([SETTINGS.format(port=port), *cameras]))
        service = [sys.executable, "-m", "api", "run", str(settings), "--folder", name + "/journal"]
        card = stack.enter_context(SoundCard(folder, build(folder), samples))
        sending = [stack.enter_context(running(sender_of(clip, at))) for at in ports]
        serving = stack.enter_context(running(service, environment(card)))
        wait_live(port, 1 + feeds)
        ask(port, "POST", "takes", {"scene": "1", "slate": "1"})
        time.sleep(12)  # past the grace after a roll
        workers = {f"worker {n}": pid for n, pid in enumerate(children(serving), 1)}
        senders = {f"(sender {n}, not ours)": pid for n, pid in enumerate(sending, 1)}
        print(f"{feeds} feeds of 1080p{rate}; ", end="")
        watch(port, {"service": serving, **workers, **senders}, card, ends, minutes * 60)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        float(given[0]) if given else 10,
        int(given[1]) if len(given) > 1 else 1,
        int(given[2]) if len(given) > 2 else 25,
    )
