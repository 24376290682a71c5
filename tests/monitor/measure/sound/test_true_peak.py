import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import upfirdn

from monitor.measure.pipeline import Pipeline
from monitor.measure.sound.columns import Columns
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.true_peak import (
    DELAY,
    PHASES,
    TAPS,
    Interpolation,
    cuts_of,
    interpolator,
)
from tests.monitor.measure.signals import blocks, channel, run, stream_of

PHASES_TRIED = np.linspace(0, np.pi, 24, endpoint=False)


RATES = (32000, 44100, 48000, 96000, 192000)


def true_peaks(samples: Samples, pieces: int = 1, rate: int = 48000) -> Samples:
    """The true peaks of pieces of one length each, with silence before and after the samples."""
    columns = Columns(len(samples), rate)
    turned = columns.feed(np.pad(samples, ((0, 0), (0, -samples.shape[1] % columns.cell))))
    assert turned is not None
    blocks = turned.shape[2] - columns.before
    cuts = cuts_of(np.arange(blocks) * pieces // blocks)
    peaks = np.zeros((len(samples), pieces), np.float32)
    Interpolation(columns.block).raise_peaks(turned, columns.before, cuts, peaks)
    return peaks


def true_peak(samples: Samples, rate: int = 48000) -> Samples:
    return true_peaks(samples, rate=rate)[:, 0]


def interpolated(samples: Samples) -> NDArray[np.float64]:
    """The magnitudes at four times the rate, the obvious way, from silence on."""
    taps = interpolator().T.ravel()
    slow = upfirdn(taps, samples.astype(np.float64), up=PHASES)
    return np.asarray(np.abs(slow[:, : PHASES * samples.shape[1]]))


def faded_tones(frequency: float, frames: int = 4000) -> Samples:
    """Unit tones at 24 phases, faded so that their ends are no peaks of their own."""
    n = np.arange(frames)
    gain = np.minimum(np.minimum(n, frames - n) / 1500, 1.0)
    tones = gain * np.sin(2 * np.pi * frequency * n + PHASES_TRIED[:, None])
    return np.asarray(tones.astype(np.float32))


@pytest.mark.parametrize("rate", RATES)
def test_tones_to_0_45_of_any_rate_are_within_0_05_db(rate: int) -> None:
    for frequency in (0.01, 0.1, 1 / 6, 0.2, 0.25, 1 / 3, 0.4, 0.44, 0.45):
        error_db = 20 * np.log10(true_peak(faded_tones(frequency), rate))
        assert np.abs(error_db).max() <= 0.05, frequency


@pytest.mark.parametrize("rate", RATES)
def test_the_product_equals_the_textbook_interpolator(rate: int) -> None:
    columns = Columns(3, rate)
    samples = np.random.default_rng(1).standard_normal((3, 2 * columns.cell)).astype(np.float32)
    turned = columns.feed(samples)
    assert turned is not None
    _, y = Interpolation(columns.block).values(turned, columns.before)
    size = len(y) // (PHASES - 1)
    blocks = turned.shape[2] - columns.before
    # Rows 3 j + p - 1, columns (half, channel, block): back into order of time.
    in_time = y[:-1].reshape(size, PHASES - 1, -1, 3, blocks).transpose(3, 4, 2, 0, 1)
    expected = interpolated(samples).reshape(3, -1, PHASES)[:, :, 1:]
    assert in_time.reshape(3, -1, PHASES - 1) == pytest.approx(expected, abs=3e-6)


@pytest.mark.parametrize("rate", RATES)
def test_every_top_is_raised_once_with_both_its_neighbours(rate: int) -> None:
    """The obvious way: every value of the 4x grid that is no lower than either neighbour."""
    cell = Columns(1, rate).cell
    samples = np.random.default_rng(2).standard_normal((2, 3 * cell)).astype(np.float32)
    values = interpolated(samples)
    left, middle, right = values[:, :-2], values[:, 1:-1], values[:, 2:]
    rise = (left - right) ** 2 / (8 * np.maximum(2 * middle - left - right, 1e-30))
    tops = np.where((middle >= left) & (middle >= right), middle + rise, 0)
    assert true_peak(samples, rate) == pytest.approx(tops.max(axis=1), rel=1e-5)


def test_pieces_have_the_peaks_that_lie_in_them() -> None:
    samples = np.zeros((2, 1440), np.float32)
    samples[0, 100] = 0.5
    samples[1, 700] = 0.25
    found = true_peaks(samples, 3)
    assert found == pytest.approx(np.array([[0.5, 0, 0], [0, 0.25, 0]]), abs=1e-6)


def test_the_first_phase_is_the_samples_themselves() -> None:
    delayed = np.zeros(TAPS)
    delayed[DELAY] = 1.0
    assert interpolator()[0] == pytest.approx(delayed, abs=1e-15)


def test_true_peak_is_never_less_than_sample_peak() -> None:
    """Not even while the newest samples wait for their cell."""
    samples = np.zeros((140, 1), np.float32)
    samples[-1] = 0.5
    pipeline = Pipeline("a", [stream_of(1)])
    pipeline.feed(next(blocks(samples)))
    (reading,) = pipeline.readings(0)
    for key in ("true_peak_dbtp", "true_peak_max_dbtp"):
        assert channel(reading, key, 0) == pytest.approx(-6.02, abs=0.01)


def test_what_lies_between_the_last_samples_of_all_is_found() -> None:
    tone = np.sin(2 * np.pi * (np.arange(130) / 4 + 0.125))[:, None].astype(np.float32)
    reading, _ = run(tone, stream_of(1), 130)
    assert channel(reading, "true_peak_dbtp", 0) == pytest.approx(0.0, abs=0.4)


def test_of_two_tones_the_one_with_the_higher_parabola_counts() -> None:
    """The larger value of the 4x grid need not be the larger peak."""
    tones = faded_tones(0.45)
    turned = np.roll(tones, 12, axis=0)
    expected = np.maximum(true_peak(tones), true_peak(turned))
    assert true_peak(np.concatenate([tones, turned], axis=1)) == pytest.approx(expected, abs=1e-6)


def test_silence_has_no_peak() -> None:
    assert true_peak(np.zeros((4, 480), np.float32)).tolist() == [0.0] * 4
