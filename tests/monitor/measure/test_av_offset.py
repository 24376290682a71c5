"""Files of FFmpeg's in which sound is off by a known time, and what must not be taken for it."""

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from monitor.check.one_file import check_file
from monitor.lines import Event
from monitor.measure.av_offset import AvOffsets, Pair, agreed
from tests.rigs.clips import ffmpeg

OUT_OF_STEP_S = 1.0247
IN_STEP_S = 1.0
LENGTH_S = 13


def shown(path: Path, rate: str, late_ms: float, every_s: float, sound: str, where: str) -> Path:
    """Write flashes and beeps of 0.1 s, sound late by so much, pictures sampled at an instant."""
    noise = "noise=c0s=8:allf=t"
    lit = f"lt(mod(T,{every_s}),0.1)*{where}"
    picture = f"color=gray:s=320x180:r={rate},geq=lum='40+180*{lit}':cb=128:cr=128,{noise}"
    at = f"mod(t+{every_s}-{late_ms / 1000},{every_s})"
    beeps = f"0.2*sin(2*PI*1000*t)*lt({at},0.1)+0.003*(random(0)-0.5)"
    return written(path, picture, beeps, sound)


def written(path: Path, picture: str, heard: str, sound: str) -> Path:
    """Let FFmpeg write a file from two expressions."""
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"aevalsrc='{heard}':s=48000"]
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", *sound.split()]
    quiet = [ffmpeg(), "-loglevel", "error"]
    subprocess.run([*quiet, *inputs, "-t", str(LENGTH_S), *coded, str(path)], check=True)
    return path


@pytest.mark.parametrize(
    ("rate", "late_ms", "every_s", "sound", "where"),
    [
        ("24000/1001", 30.0, OUT_OF_STEP_S, "pcm_s16le", "1"),
        ("25", -100.0, OUT_OF_STEP_S, "aac -b:a 96k", "1"),
        ("25", 80.0, IN_STEP_S, "pcm_s16le", "1"),
        ("30", 100.0, OUT_OF_STEP_S, "aac -b:a 96k", "lt(X,40)*lt(Y,40)"),
        ("50", 0.0, OUT_OF_STEP_S, "pcm_s16le", "1"),
    ],
)
def test_a_file_s_offset_is_found_within_5_ms(
    tmp_path: Path, rate: str, late_ms: float, every_s: float, sound: str, where: str
) -> None:
    suffix = "mov" if sound.startswith("pcm") else "mp4"
    path = shown(tmp_path / f"it.{suffix}", rate, late_ms, every_s, sound, where)
    document = check_file(path, None, None, "recording")
    found = document.video[0].av_offset
    assert found is not None
    assert found.pairs >= 10
    assert found.offset_ms == pytest.approx(-late_ms, abs=5.0)
    if every_s == OUT_OF_STEP_S:
        assert abs(found.offset_ms + late_ms) <= found.error_ms <= 8.0
    told = [alert.rule for alert in document.alerts if alert.rule == "video.av_offset"]
    assert bool(told) == (not -40 <= late_ms <= 60)


def test_pairs_that_do_not_agree_say_nothing() -> None:
    rng = np.random.default_rng(3)
    by_chance = [Pair(float(late), 40.0) for late in rng.uniform(-400, 400, 20)]
    assert agreed(by_chance) is None
    assert agreed([Pair(12.0, 40.0)] * 4) is None


def test_a_stray_beep_does_not_move_what_the_others_agree_on() -> None:
    late = [30.0 - 40.0 * (turn * 0.618 % 1.0) for turn in range(12)]
    pairs = [Pair(one, 40.0) for one in late]
    clean, stray = agreed(pairs), agreed([*pairs, Pair(-250.0, 40.0)])
    assert clean is not None
    assert stray == clean
    assert clean.offset_ms == pytest.approx(-30.0, abs=clean.error_ms)


def event(detector: str, at_s: float, epoch: int = 0) -> Event:
    base = Fraction(1, 48_000) if detector == "beep" else Fraction(1, 90_000)
    return Event(
        source="cam", id=f"{detector}-{at_s}", phase="open", detector=detector,
        stream=int(detector == "beep"), epoch=epoch, start=round(at_s / base),
        time_base=f"1/{base.denominator}", worst=40.0, unit="ms", t_arrival_ns=round(at_s * 1e9),
    )  # fmt: skip


def test_a_feed_that_began_anew_is_measured_anew() -> None:
    offsets, found = AvOffsets(), []
    for epoch, late_s in ((0, 0.0), (1, 0.12)):
        for turn in range(5):
            offsets.take(event("flash", turn * 1.0, epoch))
            found.append(offsets.take(event("beep", turn * 1.0 + late_s, epoch)))
    known = [None if one is None else one.values["av_offset_ms"] for one in found]
    assert known == [None] * 4 + [0.0] + [None] * 4 + [-120.0]


def test_a_lamp_and_a_noise_are_no_flash_and_no_beep(tmp_path: Path) -> None:
    lamp = "color=gray:s=320x180:r=25,geq=lum='40+180*gt(mod(T,2.1),1)':cb=128:cr=128"
    bangs = "0.4*(random(0)-0.5)*lt(mod(t,2.1),0.1)+0.002*(random(1)-0.5)"
    path = written(tmp_path / "room.mov", lamp, bangs, "pcm_s16le")
    document = check_file(path, None, None, "recording")
    assert document.video[0].av_offset is None
    assert "video.av_offset" in document.not_checked
