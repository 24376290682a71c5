"""The same sound read by meters of other people's making."""

import re
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from tests.monitor.measure.signals import METERS, Signal, channel, number, run, stream_of
from tests.rigs import ebur128


def programme(seed: int, rate: int) -> Signal:
    """Twenty seconds of stereo noise whose level wanders between -45 and -15 dBFS."""
    generator = np.random.default_rng(seed)
    levels = 10 ** (generator.uniform(-45, -15, 80) / 20)
    gain = np.interp(np.arange(20 * rate) / rate, np.arange(80) / 4, levels)
    noise = generator.standard_normal((20 * rate, 2))
    return np.asarray((gain[:, None] * noise).astype(np.float32))


@pytest.mark.parametrize("rate", [44100, 48000])
def test_libebur128_agrees(rate: int) -> None:
    samples = programme(rate, rate)
    reading, _ = run(samples, stream_of(2, rate), 48000, only=METERS)
    integrated, peaks = ebur128.measured(samples, rate)
    assert number(reading, "programme_integrated_lufs") == pytest.approx(integrated, abs=0.01)
    for index, peak in enumerate(peaks):
        assert channel(reading, "true_peak_max_dbtp", index) == pytest.approx(peak, abs=0.25)


def test_ffmpeg_agrees() -> None:
    samples = programme(5, 48000)
    reading, _ = run(samples, stream_of(2), 48000, only=METERS)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", "-f", "f32le"]
    command += ["-ar", "48000", "-ac", "2", "-i", "-", "-af", "ebur128", "-f", "null", "-"]
    done = subprocess.run(command, input=samples.tobytes(), capture_output=True, check=True)
    found = re.findall(r"I:\s+(-?[\d.]+) LUFS", done.stderr.decode())
    assert number(reading, "programme_integrated_lufs") == pytest.approx(float(found[-1]), abs=0.1)
