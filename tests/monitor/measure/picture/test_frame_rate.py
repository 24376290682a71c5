"""The measured rate lies within its error bar of the true one, and the bar is narrow enough."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.measure.picture.frame_rate import estimate_rate
from tests.monitor.measure.feeding import make, measure_file, picture, run, video
from tests.rigs.clips import Clips

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
    assert estimate_rate(np.array([0.0, 1.0]), 1.0) is None
