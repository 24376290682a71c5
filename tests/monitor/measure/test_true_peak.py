import numpy as np
import pytest
from scipy.signal import upfirdn

from monitor.measure.hops import HISTORY, Samples
from monitor.measure.true_peak import DELAY, PHASES, TAPS, interpolator, magnitudes, raise_true_peak

PHASES_TRIED = np.linspace(0, np.pi, 24, endpoint=False)


def true_peak(samples: Samples) -> Samples:
    peak = np.zeros(samples.shape[1], np.float32)
    raise_true_peak(samples, peak)
    return peak


def faded_tones(frequency: float, frames: int = 4000) -> Samples:
    """Unit tones at 24 phases, faded so that their ends are no peaks of their own."""
    n = np.arange(frames)[:, None]
    gain = np.minimum(np.minimum(n, frames - n) / 1500, 1.0)
    tones = gain * np.sin(2 * np.pi * frequency * n + PHASES_TRIED)
    return np.asarray(tones.astype(np.float32))


@pytest.mark.parametrize("frequency", [0.01, 0.1, 1 / 6, 0.2, 0.25, 1 / 3, 0.4, 0.44, 0.45])
def test_tones_to_0_45_of_the_rate_are_within_0_05_db(frequency: float) -> None:
    error_db = 20 * np.log10(true_peak(faded_tones(frequency)))
    assert np.abs(error_db).max() <= 0.05


def test_the_product_equals_the_textbook_interpolator() -> None:
    samples = np.random.default_rng(1).standard_normal((500, 3)).astype(np.float32)
    taps = interpolator().T.ravel()
    slow = upfirdn(taps, samples.astype(np.float64), up=PHASES, axis=0)
    steady = slow[PHASES * (TAPS - 1) : PHASES * len(samples)]
    assert magnitudes(samples) == pytest.approx(np.abs(steady), abs=3e-6)


def test_the_first_phase_is_the_samples_themselves() -> None:
    delayed = np.zeros(TAPS)
    delayed[DELAY] = 1.0
    assert interpolator()[0] == pytest.approx(delayed, abs=1e-15)


def test_true_peak_is_never_less_than_sample_peak() -> None:
    samples = np.zeros((HISTORY + 40, 1), np.float32)
    samples[-1] = 0.5  # too new for the interpolator, which lags
    assert true_peak(samples)[0] == 0.5


def test_of_two_tones_the_one_with_the_higher_parabola_counts() -> None:
    """The larger value of the 4x grid need not be the larger peak."""
    tones = faded_tones(0.45)
    turned = np.roll(tones, 12, axis=1)
    expected = np.maximum(true_peak(tones), true_peak(turned))
    assert true_peak(np.concatenate([tones, turned])) == pytest.approx(expected, abs=1e-6)


def test_silence_has_no_peak() -> None:
    assert true_peak(np.zeros((HISTORY + 100, 4), np.float32)).tolist() == [0.0] * 4
