"""The SRT child process: receives one stream and writes its bytes to standard output.

Run as a file of its own, isolated and without this package: ``python -I -S srt_bridge.py``. What
to do comes as one JSON line on standard input, so that no process list and no environment ever
holds a passphrase; when standard input ends, so does it. What went wrong is the last line on
standard error.

It receives by libsrt, which comes with ``srt-live-transmit``. Where that is not installed it
becomes the FFmpeg it was told of, which reads the address from a pipe too, as a one-line concat
script; FFmpeg cannot pass SRT on untouched that way, so it remuxes.
"""

import ctypes
import json
import os
import signal
import socket
import sys
import threading
from typing import Any

LIBRARIES = (
    "libsrt-gnutls.so.1.5",
    "libsrt-openssl.so.1.5",
    "libsrt.so.1.5",
    "libsrt.so.1",
    "libsrt.dylib",
)
ANY_HOST = "0.0.0.0"  # noqa: S104  (asked for by an address without a host)
MESSAGE_BYTES = 1_456  # the largest SRT message in live mode
PR_SET_PDEATHSIG = 1
EXIT_FAILED = 1
ERROR = -1
LOG_SILENT = 0  # LOG_EMERG
# SRT_SOCKOPT of srt.h
REASONS_UNKNOWN = (0, 1, 16)  # SRT_REJ_UNKNOWN, _SYSTEM, _TIMEOUT
LATENCY, PASSPHRASE, PBKEYLEN, CONNTIMEO, STREAMID = 23, 26, 27, 36, 46


class Failed(Exception):
    """What stops the bridge, in words."""


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere end of input must do."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def watch_input() -> None:
    """End the process as soon as standard input ends."""

    def wait() -> None:
        while os.read(0, 4_096):
            pass
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()


def library() -> "ctypes.CDLL | None":
    """Return libsrt, or None where it is not installed."""
    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


class Link:
    """One SRT socket. Raises ``Failed`` with libsrt's reason."""

    def __init__(self, srt: ctypes.CDLL, job: dict[str, Any]) -> None:
        self.srt = srt
        srt.srt_getlasterror_str.restype = ctypes.c_char_p
        srt.srt_rejectreason_str.restype = ctypes.c_char_p
        srt.srt_startup()
        srt.srt_setloglevel(LOG_SILENT)
        self.socket = srt.srt_create_socket()
        self.number(CONNTIMEO, int(job["open_s"] * 1000))
        if job.get("latency_ms") is not None:
            self.number(LATENCY, job["latency_ms"])
        if job.get("pbkeylen") is not None:
            self.number(PBKEYLEN, job["pbkeylen"])
        for option, text in ((PASSPHRASE, job.get("passphrase")), (STREAMID, job.get("streamid"))):
            if text:
                raw = text.encode()
                self.check(srt.srt_setsockflag(self.socket, option, raw, len(raw)))

    def number(self, option: int, value: int) -> None:
        """Set an option that is a number."""
        kept = ctypes.c_int32(value)
        self.check(self.srt.srt_setsockflag(self.socket, option, ctypes.byref(kept), 4))

    def check(self, answer: int) -> int:
        """Return the answer. Raises ``Failed`` where it is an error."""
        if answer == ERROR:
            raise Failed(self.srt.srt_getlasterror_str().decode(errors="replace"))
        return answer

    def call(self, place: bytes) -> None:
        """Connect to a peer that listens."""
        if self.srt.srt_connect(self.socket, place, len(place)) == ERROR:
            why = self.srt.srt_getrejectreason(self.socket)
            words = self.srt.srt_rejectreason_str(why).decode(errors="replace")
            known = why not in REASONS_UNKNOWN
            raise Failed(f"refused: {words}" if known else "nothing answers")

    def listen(self, place: bytes) -> None:
        """Wait for a peer that calls."""
        self.check(self.srt.srt_bind(self.socket, place, len(place)))
        self.check(self.srt.srt_listen(self.socket, 1))
        self.socket = self.check(self.srt.srt_accept(self.socket, None, None))

    def pump(self, out: int) -> None:
        """Write what comes until it ends, which is a failure of the peer."""
        buffer = ctypes.create_string_buffer(MESSAGE_BYTES)
        while True:
            view = memoryview(buffer)[
                : self.check(self.srt.srt_recvmsg(self.socket, buffer, MESSAGE_BYTES))
            ]
            while view:
                view = view[os.write(out, view) :]


def sockaddr(host: str, port: int) -> bytes:
    """Return the native address structure of a host. Raises ``Failed``."""
    try:
        family, *_, place = socket.getaddrinfo(host or ANY_HOST, port, type=socket.SOCK_DGRAM)[0]
    except OSError as error:
        raise Failed(f"no host called {host} is known here") from error
    head = int(family).to_bytes(2, sys.byteorder)
    if sys.platform == "darwin":
        head = bytes((28 if family == socket.AF_INET6 else 16, int(family)))
    raw = socket.inet_pton(family, str(place[0]).partition("%")[0])
    if family == socket.AF_INET6:
        return head + port.to_bytes(2, "big") + bytes(4) + raw + bytes(4)
    return head + port.to_bytes(2, "big") + raw + bytes(8)


def receive(srt: ctypes.CDLL, job: dict[str, Any]) -> None:
    """Receive through libsrt until the peer goes."""
    link = Link(srt, job)
    place = sockaddr(job["host"], job["port"])
    if job["listen"]:
        link.listen(place)
    else:
        link.call(place)
    link.pump(1)


def quoted(text: str) -> str:
    """Return a word of a concat script."""
    return "'" + text.replace("'", "'\\''") + "'"


def become(ffmpeg: str, job: dict[str, Any]) -> None:
    """Become FFmpeg, with the address and its secrets in a pipe on standard input."""
    host = f"[{job['host']}]" if ":" in job["host"] else job["host"] or ANY_HOST
    options = {
        "mode": "listener" if job["listen"] else "caller",
        "passphrase": job.get("passphrase"),
        "pbkeylen": job.get("pbkeylen"),
        "streamid": job.get("streamid"),
        "latency": None if job.get("latency_ms") is None else job["latency_ms"] * 1000,
        "connect_timeout": int(job["open_s"] * 1000),
    }
    script = f"ffconcat version 1.0\nfile 'srt://{host}:{job['port']}'\n" + "".join(
        f"option {name} {quoted(str(value))}\n" for name, value in options.items() if value
    )
    reading, writing = os.pipe()
    os.write(writing, script.encode())  # a script is far smaller than a pipe
    os.close(writing)
    os.dup2(reading, 0)
    source = "-f concat -safe 0 -protocol_whitelist pipe,srt -i pipe:0"
    quick = "-hide_banner -loglevel error -fflags nobuffer -flags low_delay"
    out = "-map 0 -c copy -copyts -flush_packets 1 -muxdelay 0 -f mpegts pipe:1"
    os.execv(ffmpeg, ["ffmpeg", *f"{quick} {source} {out}".split()])  # noqa: S606


def main() -> int:
    """Read the job and bridge; return the exit status."""
    die_with_parent()
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return EXIT_FAILED
        line += byte
    job = json.loads(line)
    srt = None if job.get("without_library") else library()
    try:
        if srt is not None:
            watch_input()
            receive(srt, job)
        elif job.get("ffmpeg"):
            become(job["ffmpeg"], job)
        else:
            raise Failed(
                "SRT needs libsrt (Debian: sudo apt-get install srt-tools) or imageio-ffmpeg"
            )
    except (Failed, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    os._exit(main())
