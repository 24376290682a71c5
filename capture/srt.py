"""SRT addresses, and the bridge process that receives them: PyAV's FFmpeg has no SRT.

``srt://HOST:PORT?mode=listener&passphrase=…&latency=120&streamid=…&pbkeylen=16``: the parameters'
names and units (latency in milliseconds) are those of the SRT tools.
"""

import difflib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from capture.address import Address
from capture.source import AddressRefused
from config.secrets import scrub

PARAMETERS = ("mode", "passphrase", "latency", "streamid", "pbkeylen")
PASSPHRASE_CHARACTERS = range(10, 80)  # what libsrt takes
LATENCY_MS = range(20, 8_001)  # less is pointless, more than the receive buffer holds
KEY_BYTES = ("16", "24", "32")
STREAMID_CHARACTERS = 512
WORDS_LIMIT_BYTES = 2_000
END_S = 1.0  # a killed process is gone at once, unless the machine is
BRIDGE = Path(__file__).with_name("srt_bridge.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the bridge is told. ``passphrase`` and ``streamid`` are secret."""

    host: str
    port: int
    listen: bool
    open_s: float
    passphrase: str | None = None
    latency_ms: int | None = None
    streamid: str | None = None
    pbkeylen: int | None = None


def _refuse(address: Address, what: str, expected: str) -> AddressRefused:
    return AddressRefused(f"{address.shown}: {what}; expected {expected}")


def _parameters(address: Address) -> dict[str, str]:
    found = dict(parse_qsl(urlsplit(address.text).query, keep_blank_values=True))
    for name in found:
        if name not in PARAMETERS:
            near = difflib.get_close_matches(name, PARAMETERS, n=1)
            hint = f"did you mean {near[0]}" if near else ", ".join(PARAMETERS)
            raise _refuse(address, f"{name} is no parameter of SRT", hint)
    return found


def call_of(address: Address, *, listen: bool = False, open_s: float = 10.0) -> Call:
    """Return what an SRT address asks for. Raises ``AddressRefused`` without any secret."""
    found = _parameters(address)
    mode = found.get("mode", "listener" if listen else "caller")
    if mode not in ("caller", "listener"):
        raise _refuse(address, f"mode is {mode}", "caller or listener")
    passphrase = found.get("passphrase")
    if passphrase is not None and len(passphrase) not in PASSPHRASE_CHARACTERS:
        raise _refuse(address, f"a passphrase of {len(passphrase)} characters", "10 to 79")
    latency = found.get("latency")
    if latency is not None and not (latency.isdecimal() and int(latency) in LATENCY_MS):
        raise _refuse(address, f"latency is {latency}", "20 to 8000 ms")
    if found.get("pbkeylen", "16") not in KEY_BYTES:
        raise _refuse(address, f"pbkeylen is {found['pbkeylen']}", "16, 24 or 32 bytes")
    if len(found.get("streamid", "")) > STREAMID_CHARACTERS:
        raise _refuse(address, "a long streamid", f"at most {STREAMID_CHARACTERS} characters")
    return Call(
        host=address.host,
        port=address.port,
        listen=mode == "listener",
        open_s=open_s,
        passphrase=passphrase,
        latency_ms=int(latency) if latency else None,
        streamid=found.get("streamid"),
        pbkeylen=int(found["pbkeylen"]) if "pbkeylen" in found else None,
    )


def find_ffmpeg() -> str | None:
    """Return an FFmpeg program that may know SRT: imageio-ffmpeg's, else the system's."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return shutil.which("ffmpeg")


class Bridge:
    """The child process; ``fd`` reads the stream. It ends with this process, whatever happens.

    Create it in the thread that will read: Linux ends it with that thread.
    """

    def __init__(self, address: Address, call: Call, *, without_library: bool = False) -> None:
        self._address = address
        self._words = tempfile.TemporaryFile()  # noqa: SIM115  (closed by close)
        job = asdict(call) | {"ffmpeg": find_ffmpeg(), "without_library": without_library}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(BRIDGE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env={"PATH": os.defpath},
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.fd = self.process.stdout.fileno()
        self.process.stdin.write(json.dumps(job).encode() + b"\n")
        self.process.stdin.flush()

    def words(self) -> str | None:
        """Return why it ended, without secrets; None while it lives, or where it did not say."""
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            return None
        self._words.seek(0)
        said = self._words.read(WORDS_LIMIT_BYTES).decode(errors="replace").strip()
        if not said and self.process.returncode:
            return "the bridge that receives SRT was killed"
        return scrub(said.splitlines()[-1], self._address.text) if said else None

    def kill(self) -> None:
        """End it; whoever reads from it sees the end. May be called from any thread, and twice."""
        self.process.kill()

    def close(self) -> None:
        """Let everything of it go, when nobody reads from it any more."""
        self.kill()
        self.process.wait(END_S)
        for pipe in (self.process.stdin, self.process.stdout, self._words):
            if pipe is not None:
                pipe.close()
