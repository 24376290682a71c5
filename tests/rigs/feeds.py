"""Feeds from real server processes on loopback: RTSP by GStreamer, everything else by FFmpeg."""

import os
import random
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.rigs.clips import ffmpeg

SYSTEM_PYTHON = "/usr/bin/python3"
START_S = 20.0
UDP_PORTS = (20_000, 32_000)


def free_udp_port() -> int:
    """Return an even UDP port that was free a moment ago, and the next one too, for RTCP.

    Below the ports the kernel gives to whoever names none: there another story's sender could
    take it before its receiver is up, and speak to it.
    """
    while True:
        port = random.randrange(*UDP_PORTS, 2)
        with suppress(OSError), ExitStack() as probes:
            for wanted in (port, port + 1):
                probe = probes.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                probe.bind(("127.0.0.1", wanted))
            return port


def free_tcp_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_listening(port: int) -> None:
    """Wait until somebody listens at a TCP port, without connecting: some take one peer only."""
    _await_socket("/proc/net/tcp", f":{port:04X} 00000000:0000 0A ", port)


def await_bound(port: int) -> None:
    """Wait until somebody has a UDP port."""
    _await_socket("/proc/net/udp", f":{port:04X} 00000000:0000 07 ", port)


def _await_socket(table: str, wanted: str, port: int) -> None:
    deadline = time.monotonic() + START_S
    while wanted not in Path(table).read_text():
        assert time.monotonic() < deadline, f"nobody listens at {port} within {START_S} s"
        select.select([], [], [], 0.02)


class Server:
    """A child process that serves a feed; killed at the latest when the block ends."""

    address: str

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    def freeze(self) -> None:
        """Stop it without closing anything: the worst peer there is."""
        os.kill(self.process.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.kill()
        if self.process.stdout is not None:
            self.process.stdout.close()


class RtspServer(Server):
    """GStreamer's RTSP server: 320×180 H.264 at 25 pictures a second, and stereo AAC at 48 kHz.

    ``arguments``: user and password, ``--changing``, ``--lossy``.
    """

    def __init__(self, *arguments: str) -> None:
        script = Path(__file__).with_name("rtsp_server.py")
        super().__init__([SYSTEM_PYTHON, str(script), *arguments])
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], START_S)
        line = self.process.stdout.readline() if ready else b""
        assert line.strip().isdigit(), "no RTSP server: see tests/system-packages.txt"
        self.port = int(line)
        self.address = f"rtsp://127.0.0.1:{self.port}/camera"


class TsSender(Server):
    """FFmpeg sending MPEG-TS over UDP in real time; ``file`` sends a clip, by default a camera."""

    def __init__(
        self, port: int, *, host: str = "127.0.0.1", local: str = "", file: Path | None = None
    ) -> None:
        camera = ("-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25")
        tone = ("-re", "-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000")
        coded = ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "12")
        live = (*camera, *tone, *coded, "-c:a", "aac")
        media = live if file is None else ("-re", "-i", str(file), "-c", "copy", "-copyts")
        target = f"udp://{host}:{port}?pkt_size=1316" + (f"&localaddr={local}" if local else "")
        quiet = [ffmpeg(), "-loglevel", "quiet", "-nostdin"]
        super().__init__([*quiet, *media, "-f", "mpegts", target])
        self.address = f"udp://{host}:{port}"


class ClipSender(Server):
    """FFmpeg sending a clip in real time, over and over, to wherever ``output`` says.

    ``spoilt`` damages one packet of nine on its way out.
    """

    def __init__(self, clip: Path, output: tuple[str, ...], *, spoilt: bool = False) -> None:
        endless = ("-re", "-stream_loop", "-1", "-i", str(clip), "-map", "0", "-c", "copy")
        some = r"noise=amount=if(eq(mod(n\,9)\,4)*gt(n\,0)\,40\,0)"
        noise = ("-bsf:v", some) if spoilt else ()
        super().__init__([ffmpeg(), "-loglevel", "quiet", "-nostdin", *endless, *noise, *output])


class WebFolder(Server):
    """Python's own web server over a folder, on loopback."""

    def __init__(self, folder: Path, port: int) -> None:
        where = ("--bind", "127.0.0.1", "--directory", str(folder))
        super().__init__([sys.executable, "-m", "http.server", str(port), *where])
        await_listening(port)
