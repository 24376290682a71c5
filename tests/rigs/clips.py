"""Test media, made once a session with the FFmpeg program that imageio-ffmpeg ships.

It is another FFmpeg (9) than the libraries inside PyAV (8), so that it can also be an oracle.
"""

import hashlib
import os
import subprocess
from pathlib import Path

import imageio_ffmpeg

TIMEOUT_S = 60


def ffmpeg() -> str:
    """Return the program's path."""
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def run_ffmpeg(*arguments: str) -> str:
    """Run it to the end and return its log."""
    done = subprocess.run(
        [ffmpeg(), "-hide_banner", "-nostdin", "-y", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stderr


class Clips:
    """A folder of clips; the same arguments give the same file, made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, suffix: str, *arguments: str) -> Path:
        """Return the clip that these arguments (all but the output) make."""
        digest = hashlib.sha256("\0".join((suffix, *arguments)).encode()).hexdigest()[:16]
        path = self.folder / f"{digest}{suffix}"
        if not path.exists():
            part = self.folder / f"{digest}.{os.getpid()}.part{suffix}"
            run_ffmpeg("-loglevel", "error", *arguments, str(part))
            part.rename(path)
        return path

    def picture(
        self,
        suffix: str = ".mp4",
        *,
        rate: str = "25",
        size: str = "320x180",
        frames: int = 50,
        source: str = "testsrc2",
        filters: str = "",
        codec: tuple[str, ...] = ("-c:v", "libx264", "-preset", "ultrafast"),
        output: tuple[str, ...] = (),
    ) -> Path:
        """Return a clip of pictures only."""
        graph = f"{source}{':' if '=' in source else '='}size={size}:rate={rate}" + (
            f",{filters}" if filters else ""
        )
        return self.make(
            suffix, "-f", "lavfi", "-i", graph, "-frames:v", str(frames), *codec, *output
        )

    def sound(
        self,
        suffix: str = ".wav",
        *,
        graph: str = "sine=frequency=1000:sample_rate=48000",
        duration_s: float = 2.0,
        codec: tuple[str, ...] = ("-c:a", "pcm_s24le"),
        output: tuple[str, ...] = (),
    ) -> Path:
        """Return a clip of sound only."""
        length = ("-t", str(duration_s))
        return self.make(suffix, "-f", "lavfi", "-i", graph, *length, *codec, *output)

    def both(self, suffix: str = ".mp4", *, seconds: int = 2, output: tuple[str, ...] = ()) -> Path:
        """Return a clip of 25 pictures a second and a 1 kHz tone at 48 kHz."""
        return self.make(
            suffix,
            *("-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"),
            *("-f", "lavfi", "-i", "sine=frequency=1000:sample_rate=48000"),
            *("-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-g", "25"),
            *("-c:a", "aac", "-b:a", "96k", *output),
        )
