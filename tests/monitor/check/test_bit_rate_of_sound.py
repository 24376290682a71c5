"""Bit rates of compressed sound in real files, against the packet sizes another FFmpeg reads."""

from fractions import Fraction
from pathlib import Path

import pytest

from config.spec import Limit, Spec, StageSpec
from monitor.check.one_file import check_file
from tests.rigs.clips import Clips, run_ffmpeg

SECONDS = 6
RESTLESS = (
    f"anoisesrc=d={SECONDS}:c=pink:r=48000:a=0.5:seed=7,"
    "volume='0.001+gt(mod(t,2),1)':eval=frame,aformat=channel_layouts=stereo"
)
"""A second of noise after a second of next to nothing: rates that vary, where they may."""
CODECS = {
    "aac": (".m4a", "-c:a", "aac", "-b:a", "128k"),
    "opus": (".opus", "-c:a", "libopus", "-b:a", "96k"),
    "opus, variable": (".mkv", "-c:a", "libopus", "-b:a", "64k", "-vbr", "on"),
    "mp3": (".mp3", "-c:a", "libmp3lame", "-q:a", "4"),
    "ac3": (".ac3", "-c:a", "ac3", "-b:a", "192k"),
    "flac": (".flac", "-c:a", "flac"),
}


def clip(clips: Clips, codec: str) -> Path:
    suffix, *options = CODECS[codec]
    return clips.make(suffix, "-f", "lavfi", "-i", RESTLESS, *options)


def packets_of(path: Path, folder: Path) -> list[tuple[Fraction, Fraction, int]]:
    """Return decoding time and duration in seconds, and bytes, of every packet."""
    out = folder / "packets.txt"
    run_ffmpeg("-i", str(path), "-c", "copy", "-f", "framecrc", str(out))
    lines = out.read_text().splitlines()
    (base,) = [Fraction(line.split()[-1]) for line in lines if line.startswith("#tb 0:")]
    rows = [line.split(",") for line in lines if not line.startswith("#")]
    return [(int(row[1]) * base, int(row[3]) * base, int(row[4])) for row in rows]


def bits_between(
    packets: list[tuple[Fraction, Fraction, int]], begin: Fraction, end: Fraction
) -> Fraction:
    """Return the bits in a stretch of time: those of a packet are spread over its duration."""
    bits = Fraction(0)
    for start, duration, size in packets:
        inside = min(end, start + duration) - max(begin, start)
        if inside > 0:
            bits += 8 * size * inside / duration
    return bits


@pytest.mark.parametrize("codec", CODECS)
def test_mean_least_and_most_are_those_of_the_packets(
    clips: Clips, tmp_path: Path, codec: str
) -> None:
    path = clip(clips, codec)
    packets = packets_of(path, tmp_path)
    begin, end = packets[0][0], packets[-1][0] + packets[-1][1]
    ends = [start + duration for start, duration, _ in packets]
    windows = [bits_between(packets, at - 1, at) for at in ends if at - 1 >= begin]
    (audio,) = check_file(path, None, None, "delivery").audio
    found = audio.bit_rate_bps
    assert found.mean == pytest.approx(
        float(bits_between(packets, begin, end) / (end - begin)), rel=2e-3
    )
    assert found.min_1s == pytest.approx(float(min(windows)), rel=5e-3)
    assert found.max_1s == pytest.approx(float(max(windows)), rel=5e-3)


@pytest.mark.parametrize(("least_bps", "fails"), [(120_000, False), (256_000, True)])
def test_a_rate_below_the_spec_is_told(clips: Clips, least_bps: int, fails: bool) -> None:
    limits = {"audio.bitrate": Limit(min=least_bps)}
    spec = Spec(title="t", source="s", delivery=StageSpec(limits=limits))
    path = clips.make(".ac3", "-f", "lavfi", "-i", RESTLESS, "-c:a", "ac3", "-b:a", "192k")
    document = check_file(path, spec, "t", "delivery")
    told = [alert for alert in document.alerts if alert.rule == "audio.bitrate"]
    assert bool(told) is fails
    assert "audio.bitrate" not in document.not_checked
    for alert in told:
        assert alert.severity == "CHECK"
        assert alert.worst == pytest.approx(192_000, rel=0.01)


def test_a_file_too_short_for_a_second_has_a_mean_and_no_extremes(clips: Clips) -> None:
    path = clips.sound(".m4a", duration_s=0.5, codec=("-c:a", "aac", "-b:a", "96k"))
    (audio,) = check_file(path, None, None, "recording").audio
    assert audio.bit_rate_bps.mean
    assert (audio.bit_rate_bps.min_1s, audio.bit_rate_bps.max_1s) == (None, None)
