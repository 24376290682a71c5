"""Sound files made by hand: the wave module for PCM, a header of our own for float."""

import os
import struct
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 48000
Samples = NDArray[np.float64]


def sine(seconds: float, level_dbfs: float = -23.0, channels: int = 2) -> Samples:
    """Return a 1 kHz sine, shape (frames, channels), whose peak has that level."""
    t = np.arange(round(seconds * RATE)) / RATE
    mono = 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * 1000 * t)
    return np.repeat(mono[:, None], channels, axis=1)


def write_pcm24(path: Path, samples: Samples) -> Path:
    """Write 24-bit PCM; full scale is 1."""
    codes = np.clip(np.round(samples * 2**23), -(2**23), 2**23 - 1).astype("<i4")
    data = codes.view(np.uint8).reshape(*codes.shape, 4)[:, :, :3].tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(samples.shape[1])
        out.setsampwidth(3)
        out.setframerate(RATE)
        out.writeframes(data)
    return path


def write_silence(path: Path, seconds: int) -> Path:
    """Write 24-bit stereo of zeros, however long: the file is a hole and takes no room."""
    write_pcm24(path, np.zeros((0, 2)))
    head = bytearray(path.read_bytes())
    size = seconds * RATE * 6
    head[4:8] = struct.pack("<I", len(head) - 8 + size)
    head[-4:] = struct.pack("<I", size)
    path.write_bytes(head)
    os.truncate(path, len(head) + size)
    return path


def write_float(path: Path, samples: Samples) -> Path:
    """Write 32-bit float; values may lie beyond 1."""
    data = samples.astype("<f4").tobytes()
    channels = samples.shape[1]
    chunk = struct.pack("<HHIIHHH", 3, channels, RATE, RATE * channels * 4, channels * 4, 32, 0)
    head = b"WAVEfmt " + struct.pack("<I", len(chunk)) + chunk
    body = head + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def clipped(samples: Samples, channel: int, starts: tuple[int, ...], run: int = 5) -> Samples:
    """Return the sound with runs of full-scale samples on one channel."""
    out = samples.copy()
    for start in starts:
        out[start : start + run, channel] = 1.0
    return out
