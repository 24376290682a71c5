from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import sosfilt

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


@pytest.mark.parametrize("rate", RATES)
def test_quiet_noise_over_a_large_dc_offset_keeps_its_level(rate: int) -> None:
    """The textbook form in float32 is 7 dB wrong here."""
    generator = np.random.default_rng(3)
    samples = (0.5 + 1e-4 * generator.standard_normal((2, rate))).astype(np.float32)
    stages = np.array([np.concatenate(shelf(rate)), np.concatenate(high_pass(rate))])
    expected = sosfilt(stages, samples.astype(np.float64))[:, rate // 2 :]
    weighting = KWeighting(2, rate)
    parts = [weighting.feed(samples[:, at : at + 4801]).copy() for at in range(0, rate, 4801)]
    result = np.concatenate(parts, axis=1).astype(np.float64)[:, rate // 2 :]
    level_db = 10 * np.log10(np.mean(result**2, axis=1) / np.mean(expected**2, axis=1))
    assert np.abs(level_db).max() < 1e-4


def test_any_cut_into_hops_gives_the_same_samples() -> None:
    generator = np.random.default_rng(4)
    samples = generator.standard_normal((3, 30000)).astype(np.float32)
    whole = KWeighting(3, 48000).feed(samples)
    pieces = KWeighting(3, 48000)
    cuts = [0, 1, 32, 65, 700, 731, 2999, 3000, 30000]
    parts = [pieces.feed(samples[:, a:b]).copy() for a, b in pairwise(cuts)]
    assert np.concatenate(parts, axis=1) == pytest.approx(whole, abs=2e-6)
