"""List sound inputs, in a process of its own.

PortAudio sees a new device only after it was terminated and initialised again, which would kill
every stream of the process; so whoever wants the list starts ``python -m capture.sound_devices``,
which prints it as JSON and ends.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from capture.source import LibraryMissing, OpenFailed

LIST_LIMIT_S = 10.0  # a sound server that does not answer would keep us for ever
MISSING_STATUS = 3
INSTALL = (
    "PortAudio is not installed: apt install libportaudio2 (Debian, Ubuntu), "
    "dnf install portaudio (Fedora)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundInput:
    """One sound input as PortAudio describes it."""

    name: str
    channels: int
    sample_rate_hz: int
    api: str


def list_here() -> list[SoundInput]:
    """Return the inputs this process sees; once PortAudio is running that never changes.

    Raises ``LibraryMissing``.
    """
    try:
        import sounddevice
    except OSError as fault:
        raise LibraryMissing(INSTALL) from fault
    apis = sounddevice.query_hostapis()
    return [
        SoundInput(
            name=device["name"],
            channels=device["max_input_channels"],
            sample_rate_hz=round(device["default_samplerate"]),
            api=apis[device["hostapi"]]["name"],
        )
        for device in sounddevice.query_devices()
        if device["max_input_channels"] > 0
    ]


def list_inputs() -> list[SoundInput]:
    """Return the inputs there are now. Raises ``LibraryMissing``, ``OpenFailed``."""
    command = [sys.executable, "-m", "capture.sound_devices"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIST_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as fault:
        raise OpenFailed(f"the sound system did not answer within {LIST_LIMIT_S:.0f} s") from fault
    if done.returncode == MISSING_STATUS:
        raise LibraryMissing(INSTALL)
    if done.returncode != 0:
        raise OpenFailed(f"listing sound inputs failed: {done.stderr.strip()[-200:]}")
    return [SoundInput(**entry) for entry in json.loads(done.stdout.splitlines()[-1])]


def main() -> int:
    """Print the list as one line of JSON."""
    try:
        found = list_here()
    except LibraryMissing:
        return MISSING_STATUS
    sys.stdout.write(json.dumps([asdict(entry) for entry in found]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
