"""The measured rate lies within its error bar of the true one, and the bar is narrow enough."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.source import Frame, Packet
from monitor.measure.picture.frame_rate import estimate_rate
from tests.monitor.measure.feeding import make, measure_file, packet, picture, run, video
from tests.rigs.clips import Clips, run_ffmpeg

RATES = [Fraction(24_000, 1001), Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(30)]
RATES += [Fraction(50), Fraction(60_000, 1001), Fraction(60)]
BASES = [Fraction(1, 1_000), Fraction(1, 90_000), Fraction(1, 12_800), Fraction(1, 24_000)]


def stamps(rate: Fraction, base: Fraction, count: int, offset: int = 0) -> list[int]:
    return [round(n / (rate * base)) + offset for n in range(count)]


def measured(pts: list[int], base: Fraction) -> tuple[float, float]:
    outcome = run(make("frame_rate", video(None, base)), [picture(tick) for tick in pts])
    return outcome.number("frame_rate_hz"), outcome.number("frame_rate_error_hz")


@given(st.sampled_from(RATES), st.sampled_from(BASES), st.integers(-(10**6), 10**9))
def test_the_true_rate_is_inside_the_error_bar(rate: Fraction, base: Fraction, offset: int) -> None:
    found, error = measured(stamps(rate, base, int(rate * 3), offset), base)
    assert abs(found - float(rate)) <= error + 1e-9


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(
    ("true", "other"), [(RATES[0], RATES[1]), (RATES[1], RATES[0]), (RATES[3], RATES[4])]
)
def test_23976_is_told_from_24_within_two_seconds_both_ways(
    true: Fraction, other: Fraction, base: Fraction
) -> None:
    found, error = measured(stamps(true, base, int(true * 2) + 2), base)
    assert abs(found - float(other)) > error


def test_nothing_is_said_before_two_seconds_of_a_running_feed() -> None:
    made = make("frame_rate", video())
    for n in range(49):
        made.feed(picture(3_600 * n))
    assert "frame_rate_hz" not in made.drain()
    for n in range(49, 52):
        made.feed(picture(3_600 * n))
    assert made.drain()["frame_rate_hz"] == pytest.approx(25)


def test_missing_pictures_do_not_change_the_rate() -> None:
    pts = [
        tick for n, tick in enumerate(stamps(Fraction(25), BASES[1], 80)) if n not in (7, 30, 31)
    ]
    assert measured(pts, BASES[1])[0] == pytest.approx(25, abs=1e-3)


def test_pictures_without_stamps_at_the_start_are_passed_over() -> None:
    frames = [picture(None)] * 3 + [picture(3_600 * n) for n in range(60)]
    assert run(make("frame_rate", video()), frames).number("frame_rate_hz") == pytest.approx(25)


def test_a_wrap_of_33_bits_is_no_change_of_rate() -> None:
    pts = [(tick + (1 << 33) - 100_000) % (1 << 33) for tick in stamps(RATES[2], BASES[1], 100)]
    assert measured(pts, BASES[1])[0] == pytest.approx(25, abs=1e-3)


def test_jitter_shows_as_a_wide_error_bar() -> None:
    rng = np.random.default_rng(3)
    pts = sorted(int(tick + rng.normal(0, 300)) for tick in stamps(Fraction(25), BASES[1], 100))
    found, error = measured(pts, BASES[1])
    assert abs(found - 25) <= error
    assert 0.001 < error < 0.2


def test_a_feed_without_stamps_is_measured_by_arrivals_with_an_honest_bar() -> None:
    rng = np.random.default_rng(4)
    inside = 0
    for _ in range(40):
        arrivals = np.sort(np.arange(100) / 25 + rng.exponential(0.004, 100))
        frames = [picture(None, t_ns=int(t * 1e9)) for t in arrivals]
        outcome = run(make("frame_rate", video(None)), frames)
        error = outcome.number("frame_rate_error_hz")
        inside += abs(outcome.number("frame_rate_hz") - 25) <= error
        assert error < 0.5
    assert inside == 40


def test_a_new_rate_is_alone_in_the_window_after_four_seconds() -> None:
    first = [3_600 * n for n in range(100)]
    second = [first[-1] + 3_750 * n for n in range(1, 110)]
    assert measured(first + second, BASES[1])[0] == pytest.approx(24, abs=1e-3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi"])
@pytest.mark.parametrize("rate", ["24000/1001", "24", "25"])
def test_files_of_every_container_measure_what_they_were_made_at(
    clips: Clips, suffix: str, rate: str
) -> None:
    b_frames = ("-c:v", "libx264", "-bf", "0" if suffix == ".avi" else "2")
    outcome = measure_file(
        "frame_rate", clips.picture(suffix, rate=rate, frames=75, codec=b_frames)
    )
    error = outcome.number("frame_rate_error_hz")
    assert abs(outcome.number("frame_rate_hz") - float(Fraction(rate))) <= error + 1e-6
    assert error < 0.012
    assert outcome.number("frame_rate_declared_hz") == pytest.approx(
        float(Fraction(rate)), abs=1e-3
    )


def test_two_pictures_have_no_rate() -> None:
    assert estimate_rate(np.array([0.0, 1.0]), 1.0, 1.0) is None


def cadence(pts: list[int], base: Fraction, *, live: bool = True) -> str:
    made = make("frame_rate", video(None, base), live=live)
    return str(run(made, [picture(tick) for tick in pts]).values["cadence"])


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("rate", RATES)
def test_every_usual_rate_is_constant_in_every_time_base(
    rate: Fraction, base: Fraction, live: bool
) -> None:
    assert cadence(stamps(rate, base, int(rate * 5)), base, live=live) == "constant"


@pytest.mark.parametrize("base", BASES[:2])
def test_film_in_3_2_pulldown_is_told_and_counts_films_pictures(base: Fraction) -> None:
    fields = np.cumsum([0] + [2, 3] * 80)
    pts = [round(n * Fraction(1001, 60_000) / base) for n in fields.tolist()]
    assert cadence(pts, base) == "pulldown 3:2"
    found, error = measured(pts, base)
    assert abs(found - 24_000 / 1001) <= error + 1e-9
    assert error < 0.01


def test_pulldown_flagged_in_a_real_stream_is_told(clips: Clips, tmp_path: Path) -> None:
    whole = clips.picture(
        ".m2v", rate="24000/1001", frames=100, codec=("-c:v", "mpeg2video", "-bf", "0")
    )
    flagged = tmp_path / "film.m2v"
    flagged.write_bytes(with_repeated_fields(whole.read_bytes()))
    wrapped = tmp_path / "film.ts"
    run_ffmpeg("-fflags", "+genpts", "-i", str(flagged), "-c", "copy", str(wrapped))
    outcome = measure_file("frame_rate", wrapped)
    assert outcome.values["cadence"] == "pulldown 3:2"
    assert outcome.number("frame_rate_hz") == pytest.approx(23.976, abs=0.01)


def with_repeated_fields(stream: bytes) -> bytes:
    """Set the flags of 3:2 pulldown in the picture coding extensions, and 29.97 in the header."""
    data = bytearray(stream)
    at, count = data.find(b"\x00\x00\x01\xb5"), 0
    while at >= 0:
        if data[at + 4] >> 4 == 1:  # sequence extension: not a progressive sequence
            data[at + 5] &= ~0x08 & 0xFF
        if data[at + 4] >> 4 == 8:
            top, repeat = ((1, 1), (0, 0), (0, 1), (1, 0))[count % 4]
            data[at + 7] = data[at + 7] & ~0x82 & 0xFF | top << 7 | repeat << 1
            count += 1
        at = data.find(b"\x00\x00\x01\xb5", at + 4)
    at = data.find(b"\x00\x00\x01\xb3")
    while at >= 0:
        data[at + 7] = data[at + 7] & 0xF0 | 4  # frame_rate_code: 30000/1001
        at = data.find(b"\x00\x00\x01\xb3", at + 4)
    return bytes(data)


def test_a_phones_wandering_rate_is_variable() -> None:
    rng = np.random.default_rng(8)
    steps = rng.choice([33, 33, 34, 41, 25], 150)
    pts = [int(tick) for tick in np.cumsum(steps)]
    assert cadence(pts, BASES[0], live=False) == "variable"
    assert cadence(pts, BASES[0], live=True) == "variable"


def test_a_file_with_every_fifth_picture_left_out_is_variable_and_two_lost_ones_are_not(
    clips: Clips,
) -> None:
    for left_out, expected in (("eq(mod(n,5),3)", "variable"), ("eq(n,37)", "constant")):
        path = clips.picture(
            frames=99, filters=f"select='not({left_out})'", output=("-fps_mode", "passthrough")
        )
        assert measure_file("frame_rate", path).values["cadence"] == expected


def test_a_camera_that_stamps_with_jitter_is_constant_on_a_feed() -> None:
    rng = np.random.default_rng(9)
    pts = [round(n * 3_600 + rng.uniform(-400, 400)) for n in range(120)]
    made = run(make("frame_rate", video()), [picture(tick) for tick in pts])
    assert made.values["cadence"] == "constant"
    assert 2 < made.number("stamp_jitter_ms") < 9


def test_a_feeds_arrivals_are_measured_beside_its_stamps() -> None:
    rng = np.random.default_rng(4)
    frames = [
        picture(3_600 * n, t_ns=round((n / 24 + rng.exponential(0.002)) * 1e9)) for n in range(120)
    ]
    outcome = run(make("frame_rate", video()), frames)
    assert outcome.number("frame_rate_hz") == pytest.approx(25)
    found, error = (outcome.number(f"frame_rate_arrival_{key}") for key in ("hz", "error_hz"))
    assert abs(found - 24) <= error < 0.2


def test_invented_stamps_of_an_mjpeg_feed_are_passed_over_for_arrivals() -> None:
    stream = replace(video(), codec="mjpeg")
    frames = [picture(3_600 * n, t_ns=round(n / 24 * 1e9)) for n in range(120)]
    outcome = run(make("frame_rate", stream), frames)
    assert outcome.number("frame_rate_hz") == pytest.approx(24, abs=1e-3)
    assert "cadence" not in outcome.values


def test_packets_stand_for_pictures_that_are_not_decoded() -> None:
    order = [0, 3, 1, 2]  # coded with B pictures
    coded = [4 * group + n for group in range(40) for n in order]
    packets = [
        replace(packet(3_600 * n), pts=3_600 * pts, t_arrival_ns=n * 40_000_000)
        for n, pts in enumerate(coded)
    ]
    keys = [picture(3_600 * n, t_ns=n * 40_000_000) for n in range(0, 160, 25)]
    mixed: list[Packet | Frame] = [*packets, *keys]
    for items in (packets, sorted(mixed, key=lambda item: item.t_arrival_ns)):
        outcome = run(make("frame_rate", video()), items)
        assert outcome.number("frame_rate_hz") == pytest.approx(25, abs=1e-3)
        assert outcome.values["cadence"] == "constant"
