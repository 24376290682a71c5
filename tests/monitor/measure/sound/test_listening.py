import numpy as np
import pytest

from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import blocks, sine, stream_of

RATE = 48000
FLAT_AT = RATE


@pytest.mark.parametrize("channels", [1, 8])
def test_listeners_hear_within_a_tenth_of_a_second_though_nobody_takes_readings(
    channels: int,
) -> None:
    tone = np.clip(sine(3.0, -3.0, 300.0), -0.4, 0.4)
    tone[:FLAT_AT] = sine(1.0, -20.0, 300.0)
    samples = np.repeat(tone[:, None], channels, axis=1).astype(np.float32)
    pipeline = Pipeline("a", [stream_of(channels)])
    told = None
    for block in blocks(samples, 960):
        pipeline.feed(block)
        events = [e for e in pipeline.events() if isinstance(e, Event)]
        if told is None and any(e.detector == "flat_tops" for e in events):
            told = block.start + 960
    assert told is not None
    three_tops = 2 * RATE // 300
    assert told - FLAT_AT - three_tops <= 0.1 * RATE + 960
