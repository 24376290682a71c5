import numpy as np
import pytest
from scipy.signal import upfirdn

from monitor.measure.sound.hops import HISTORY, Samples, Scratch
from monitor.measure.sound.levels import magnitude_peaks
from monitor.measure.sound.true_peak import (
    BLOCK,
    DELAY,
    PHASES,
    TAPS,
    Interpolation,
    interpolator,
    magnitudes,
)

PHASES_TRIED = np.linspace(0, np.pi, 24, endpoint=False)


def true_peaks(samples: Samples, borders: tuple[int, ...]) -> Samples:
    peaks = magnitude_peaks(samples[:, HISTORY:], np.array(borders))
    Interpolation().raise_peaks(samples, np.array(borders), peaks)
    return peaks


def true_peak(samples: Samples) -> Samples:
    return true_peaks(samples, (0,))[:, 0]


def faded_tones(frequency: float, frames: int = 4000) -> Samples:
    """Unit tones at 24 phases, faded so that their ends are no peaks of their own."""
    n = np.arange(frames)
    gain = np.minimum(np.minimum(n, frames - n) / 1500, 1.0)
    tones = gain * np.sin(2 * np.pi * frequency * n + PHASES_TRIED[:, None])
    return np.asarray(tones.astype(np.float32))


@pytest.mark.parametrize("frequency", [0.01, 0.1, 1 / 6, 0.2, 0.25, 1 / 3, 0.4, 0.44, 0.45])
def test_tones_to_0_45_of_the_rate_are_within_0_05_db(frequency: float) -> None:
    error_db = 20 * np.log10(true_peak(faded_tones(frequency)))
    assert np.abs(error_db).max() <= 0.05


def test_the_product_equals_the_textbook_interpolator() -> None:
    frames = 30 * BLOCK + 5
    samples = np.random.default_rng(1).standard_normal((3, TAPS - 1 + frames)).astype(np.float32)
    taps = interpolator().T.ravel()
    slow = upfirdn(taps, samples.astype(np.float64), up=PHASES)
    steady = slow[:, PHASES * (TAPS - 1) : PHASES * (TAPS - 1 + frames)]
    columns = magnitudes(samples, Scratch(), Scratch()).reshape(3, PHASES, BLOCK, -1)
    in_time = columns.transpose(0, 3, 2, 1).reshape(3, -1)[:, : PHASES * frames]
    assert in_time == pytest.approx(np.abs(steady), abs=3e-6)


@pytest.mark.parametrize("frames", [1, 5, BLOCK - 1, BLOCK, 1000])
def test_only_tops_with_both_neighbours_are_raised_and_every_top_once(frames: int) -> None:
    """The obvious way: every value of the 4x grid that is no lower than either neighbour."""
    samples = np.random.default_rng(2).standard_normal((2, HISTORY + frames)).astype(np.float32)
    taps = interpolator().T.ravel()
    slow = np.abs(upfirdn(taps, samples.astype(np.float64), up=PHASES))
    values = slow[:, PHASES * (TAPS - 1) : PHASES * (HISTORY + frames)]
    left, middle, right = values[:, :-2], values[:, 1:-1], values[:, 2:]
    rise = (left - right) ** 2 / (8 * np.maximum(2 * middle - left - right, 1e-30))
    tops = np.where((middle >= left) & (middle >= right), middle + rise, 0)
    newest = np.abs(samples[:, HISTORY:]).max(axis=1)
    expected = np.maximum(np.maximum(tops.max(axis=1), values.max(axis=1)), newest)
    assert true_peak(samples) == pytest.approx(expected, rel=1e-5)


def test_pieces_have_the_peaks_that_lie_in_them() -> None:
    samples = np.zeros((2, HISTORY + 64 * BLOCK), np.float32)
    samples[0, HISTORY + 100] = 0.5
    samples[1, HISTORY + 400] = 0.25
    found = true_peaks(samples, (0, 16 * BLOCK, 32 * BLOCK))
    assert found == pytest.approx(np.array([[0.5, 0, 0], [0, 0.25, 0]]), abs=1e-6)


def test_the_first_phase_is_the_samples_themselves() -> None:
    delayed = np.zeros(TAPS)
    delayed[DELAY] = 1.0
    assert interpolator()[0] == pytest.approx(delayed, abs=1e-15)


def test_true_peak_is_never_less_than_sample_peak() -> None:
    samples = np.zeros((1, HISTORY + 40), np.float32)
    samples[0, -1] = 0.5  # too new for the interpolator, which lags
    assert true_peak(samples)[0] == 0.5


def test_of_two_tones_the_one_with_the_higher_parabola_counts() -> None:
    """The larger value of the 4x grid need not be the larger peak."""
    tones = faded_tones(0.45)
    turned = np.roll(tones, 12, axis=0)
    expected = np.maximum(true_peak(tones), true_peak(turned))
    assert true_peak(np.concatenate([tones, turned], axis=1)) == pytest.approx(expected, abs=1e-6)


def test_silence_has_no_peak() -> None:
    assert true_peak(np.zeros((4, HISTORY + 100), np.float32)).tolist() == [0.0] * 4
