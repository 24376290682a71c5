"""Music that hums of its own is told by its length and rid of it."""

import numpy as np
import pytest

from bench.corpus.own_hum import Samples, fundamental_of, without_hum

RATE = 8000
SECONDS = 20


def tones(*hz_and_levels: tuple[float, float]) -> Samples:
    """Noise under tones that last."""
    time_s = np.arange(SECONDS * RATE) / RATE
    noise = 0.01 * np.random.default_rng(1).standard_normal(len(time_s))
    sines = sum(level * np.sin(2 * np.pi * hz * time_s) for hz, level in hz_and_levels)
    return np.asarray(noise + sines, np.float32)


def level_at(samples: Samples, hz: float) -> float:
    time_s = np.arange(len(samples)) / RATE
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * hz * time_s))))


@pytest.mark.parametrize("hz", [50.03, 59.97])
def test_hum_of_its_own_is_taken_out_and_the_music_stays(hz: float) -> None:
    music = tones((hz, 0.003), (3 * hz, 0.01), (3 * hz + 2, 0.02))
    found = fundamental_of(music, RATE)
    assert found == pytest.approx(hz, abs=0.02)
    assert found is not None
    cleaned = without_hum(music, RATE, found)
    assert level_at(cleaned, 3 * hz) < 0.001
    assert level_at(cleaned, 3 * hz + 2) == pytest.approx(0.02, rel=0.05)
    assert fundamental_of(cleaned, RATE) is None


def test_notes_beside_the_mains_and_short_recordings_have_none() -> None:
    assert fundamental_of(tones((49.0, 0.1), (61.7, 0.1), (120.4, 0.1)), RATE) is None
    assert fundamental_of(tones((50.0, 0.1))[: 4 * RATE], RATE) is None
