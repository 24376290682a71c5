"""What every registered viewer must do, whatever it viewers for."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.source import Frame
from monitor.measure.measurement import Measurement
from monitor.measure.picture.viewer import VIEWERS
from monitor.metrics import METRICS
from tests.monitor.measure.feeding import make, picture, run, video

viewers = pytest.mark.parametrize("name", sorted(VIEWERS))


def scene(count: int = 60, shape: tuple[int, int] = (72, 128), bits: int = 8) -> list[Frame]:
    """Noise over a ramp, black for a while, then white, then held."""
    rng = np.random.default_rng(5)
    base = np.linspace(20, 220, shape[0] * shape[1]).reshape(shape)
    made = []
    for n in range(count):
        luma: NDArray[Any] = np.clip(base + rng.normal(0, 6, shape), 0, 255)
        if 20 <= n < 30:
            luma = np.full(shape, 16.0)
        if 30 <= n < 36:
            luma = np.full(shape, 255.0)
        if n >= 46:
            luma = base
        eight = luma.astype(np.uint8)
        deep = eight.astype(np.uint16) << (bits - 8)
        made.append(picture(3_600 * n, eight if bits == 8 else deep, bits=bits))
    return made


def steps_of(measurement: Measurement, frames: Iterable[Frame], every: int) -> list[object]:
    return list(run(measurement, frames, every).steps)


@viewers
def test_metrics_are_declared_and_finite(name: str) -> None:
    for drained in run(make(name, video()), scene(), 7).drains:
        for key, value in drained.items():
            assert METRICS[key].shape in ("scalar", "vector")
            for number in value if isinstance(value, list) else [value]:
                assert number is None or isinstance(number, str) or np.isfinite(number), key


@viewers
def test_events_are_its_own_and_open_and_close_once(name: str) -> None:
    steps = run(make(name, video()), scene()).steps
    for step in steps:
        assert step.detector in VIEWERS[name].detectors
        assert step.key.startswith(step.detector)
        assert step.place is None or all(0 <= side <= 1 for side in step.place)
    for key in {step.key for step in steps}:
        phases = [step.phase for step in steps if step.key == key]
        assert (phases[0], phases[-1]) == ("open", "close")
        assert set(phases[1:-1]) <= {"update"}


@viewers
def test_events_do_not_depend_on_when_it_is_drained(name: str) -> None:
    assert steps_of(make(name, video()), scene(), 1) == steps_of(make(name, video()), scene(), 60)


@viewers
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 5), (16, 17)])
def test_pictures_of_any_size_are_looked_at(name: str, shape: tuple[int, int]) -> None:
    run(make(name, video()), [*scene(30, shape), *scene(30, shape, bits=10)])


@viewers
def test_a_change_of_size_or_depth_in_mid_stream_raises_nothing(name: str) -> None:
    other = scene(8, (64, 64), bits=10)
    run(make(name, video()), [*scene(8), *other, *scene(8), *scene(8, (1, 1))])


@viewers
def test_it_can_be_drained_reset_and_finished_before_any_picture(name: str) -> None:
    measurement = make(name, video())
    measurement.reset()
    measurement.drain()
    measurement.finish()
    assert measurement.events() == []
