import numpy as np
import pytest
from scipy.signal import sosfilt

from monitor.measure.sound.columns import Columns
from monitor.measure.sound.hops import Samples
from monitor.measure.sound.k_weighting import (
    KWeighting,
    balance,
    biquad,
    cascade,
    gramian,
    high_pass,
    shelf,
)
from tests.monitor.measure.oracle import TABLES

RATES = (32000, 44100, 48000, 96000, 192000)


def test_the_analogue_prototypes_give_the_standards_tables_at_48_khz() -> None:
    for row, (b, a) in zip(TABLES, (shelf(48000), high_pass(48000)), strict=True):
        assert np.concatenate([b, a]) == pytest.approx(row, abs=1e-13)


@pytest.mark.parametrize("rate", RATES)
def test_balanced_states_have_equal_diagonal_gramians(rate: int) -> None:
    system = balance(cascade(biquad(*shelf(rate)), biquad(*high_pass(rate))))
    reach, see = gramian(system.a, system.b), gramian(system.a.T, system.c.T)
    assert reach == pytest.approx(see, abs=1e-5)
    assert reach == pytest.approx(np.diag(np.diag(reach)), abs=1e-5)


def weighted(samples: Samples, rate: int, sizes: list[int]) -> Samples:
    """The weighted samples of whole cells, (channels, frames), fed in hops of each size in turn."""
    channels = len(samples)
    cells = Columns(channels, rate)
    weighting = KWeighting(channels, cells.block, cells.blocks_per_cell, rate)
    parts = []
    at = turn = 0
    while at < samples.shape[1]:
        hop = samples[:, at : at + sizes[turn % len(sizes)]]
        at, turn = at + hop.shape[1], turn + 1
        columns = cells.feed(hop)
        if columns is not None:
            out = weighting.feed(columns, cells.before)[:, :, cells.before :]
            parts.append(out.transpose(1, 2, 0).reshape(channels, -1).copy())
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("rate", RATES)
def test_quiet_noise_over_a_large_dc_offset_keeps_its_level(rate: int) -> None:
    """The textbook form in float32 is 7 dB wrong here."""
    generator = np.random.default_rng(3)
    samples = (0.5 + 1e-4 * generator.standard_normal((2, rate))).astype(np.float32)
    stages = np.array([np.concatenate(shelf(rate)), np.concatenate(high_pass(rate))])
    expected = sosfilt(stages, samples.astype(np.float64))[:, rate // 2 :]
    result = weighted(samples, rate, [4801]).astype(np.float64)[:, rate // 2 :]
    level_db = 10 * np.log10(np.mean(result**2, axis=1) / np.mean(expected**2, axis=1))
    assert np.abs(level_db).max() < 1e-4


@pytest.mark.parametrize("rate", [8000, 11025, 44056, 47900, 48000, 88200, 176400])
def test_every_rate_is_filtered_as_the_textbook_does(rate: int) -> None:
    """47,900 Hz has a prime number of samples in 10 ms."""
    samples = np.random.default_rng(5).standard_normal((2, rate // 2)).astype(np.float32)
    stages = np.array([np.concatenate(shelf(rate)), np.concatenate(high_pass(rate))])
    result = weighted(samples, rate, [rate])
    expected = sosfilt(stages, samples.astype(np.float64))[:, : result.shape[1]]
    assert result == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("channels", [1, 2, 7])
def test_any_cut_into_hops_gives_the_same_bits(channels: int) -> None:
    samples = np.random.default_rng(4).standard_normal((channels, 30000)).astype(np.float32)
    whole = weighted(samples, 48000, [30000])
    pieces = weighted(samples, 48000, [1, 31, 33, 635, 31, 2268, 1, 20000])
    assert (pieces == whole).all()
