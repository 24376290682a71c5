"""A virtual sound card: an ALSA plugin in C (``card.c``) and the Python side that drives it.

Needs gcc and libasound2-dev; ``build`` compiles it in half a second. ``SoundCard`` writes what the
card shall play and a private asoundrc; give its ``env`` to the process that captures.
"""

import mmap
import os
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

SOURCE = Path(__file__).parent / "card.c"
SYSTEM_CONFIGURATION = "/usr/share/alsa/alsa.conf"
CONTROL = struct.Struct("=iiiiqqq")
FIELDS = {"unplug": 0, "stall": 4, "xruns": 8, "ppm": 12}

Format = Literal["S32_LE", "S24_3LE", "S16_LE", "FLOAT_LE"]

WITHOUT_PORTAUDIO = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
sys.meta_path.insert(0, Missing())
"""
"""Code that makes a process as it is where libportaudio2 is not installed."""

ASOUNDRC = """
pcm_type.takewatch_card {{ lib "{library}" }}
pcm.{name} {{
    type takewatch_card
    data "{data}"
    control "{control}"
    format "{format}"
    channels {channels}
    rate {rate}
    hint {{ show on description "{name}" }}
}}
"""


def build(folder: Path) -> Path:
    """Compile the plugin into a folder and return the library's path."""
    library = folder / "libasound_module_pcm_takewatch_card.so"
    command = ["gcc", "-std=gnu11", "-Wall", "-Werror", "-O2", "-shared", "-fPIC", "-DPIC"]
    subprocess.run([*command, "-o", str(library), str(SOURCE), "-lasound"], check=True)
    return library


def encode(samples: NDArray[np.int32], form: Format) -> bytes:
    """Return left-justified int32 samples in the card's own format."""
    if form == "S32_LE":
        return samples.astype("<i4").tobytes()
    if form == "FLOAT_LE":
        return (samples / 2**31).astype("<f4").tobytes()
    if form == "S16_LE":
        return (samples >> 16).astype("<i2").tobytes()
    raw: NDArray[Any] = np.ascontiguousarray(samples.astype("<i4")).view(np.uint8)
    return raw.reshape(-1, 4)[:, 1:].tobytes()


class SoundCard:
    """One card in a folder of its own. ``samples`` are (frames, channels) int32, left-justified."""

    def __init__(
        self,
        folder: Path,
        library: Path,
        samples: NDArray[np.int32],
        *,
        form: Format = "S32_LE",
        rate_hz: int = 48_000,
        name: str = "cart",
    ) -> None:
        self.name, self.rate_hz = name, rate_hz
        self.samples = samples
        data, control, asoundrc = folder / "data", folder / "control", folder / "asoundrc"
        data.write_bytes(encode(samples, form))
        control.write_bytes(bytes(CONTROL.size))
        asoundrc.write_text(
            ASOUNDRC.format(
                library=library,
                name=name,
                data=data,
                control=control,
                format=form,
                channels=samples.shape[1],
                rate=rate_hz,
            )
        )
        self.env = {"ALSA_CONFIG_PATH": f"{SYSTEM_CONFIGURATION}:{asoundrc}"}
        self._file = control.open("r+b")
        self._control = mmap.mmap(self._file.fileno(), CONTROL.size)

    def _set(self, field: str, value: int) -> None:
        struct.pack_into("=i", self._control, FIELDS[field], value)

    def unplug(self) -> None:
        """Make the device vanish: reading fails, opening fails."""
        self._set("unplug", 1)

    def plug_in(self) -> None:
        """Make the device come back."""
        self._set("unplug", 0)

    def stall(self, on: bool = True) -> None:
        """Stop the card's clock without any error, as some real cards do when pulled."""
        self._set("stall", int(on))

    def overrun(self, times: int = 1) -> None:
        """Let the card overrun: what is in its buffer is lost, each time."""
        now = struct.unpack_from("=i", self._control, FIELDS["xruns"])[0]
        self._set("xruns", now + times)

    def clock_offset(self, ppm: int) -> None:
        """Make the card's clock fast (positive) or slow, in parts per million."""
        self._set("ppm", ppm)

    @property
    def started(self) -> tuple[int, int]:
        """When the card last started (monotonic ns, 0 if never), and its file's frame then."""
        fields = CONTROL.unpack_from(self._control, 0)
        return int(fields[4]), int(fields[5])

    @property
    def overruns(self) -> int:
        """Overruns the card has had."""
        return int(CONTROL.unpack_from(self._control, 0)[6])

    def leaves_ns(self, frame: int) -> int:
        """Return when a frame of the file (in its first round) leaves the card; monotonic ns."""
        start_ns, start_frame = self.started
        return start_ns + (frame - start_frame) * 1_000_000_000 // self.rate_hz

    def close(self) -> None:
        """Let the control file go."""
        self._control.close()
        self._file.close()

    def __enter__(self) -> "SoundCard":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def environment(card: SoundCard) -> dict[str, str]:
    """Return the environment of a process that sees the card."""
    return {**os.environ, **card.env}


def await_true(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Look every 10 ms until a condition holds. Raises ``AssertionError`` after ``within_s``."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.01)
