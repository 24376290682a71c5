import numpy as np
import pytest

from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import Signal, blocks, noise, run, stream_of

RATE = 48000
ONLY = ("listening", "clap")
AT = 2 * RATE + 777
DELAYS = (0, 300, 900, 40)


def room(channels: int = 4, seconds: float = 4.0) -> Signal:
    return noise(round(seconds * RATE), channels, 0.002)


def bang(decay_s: float = 0.012, level: float = 0.4) -> Signal:
    """Sticks: broad-band, at its height at once."""
    t = np.arange(RATE) / RATE
    return (noise(RATE, 1, level, 5)[:, 0] * np.exp(-t / decay_s)).astype(np.float32)


def clapped(
    made: Signal, heard_by: int = 4, channels: int = 4, over: Signal | None = None
) -> Signal:
    samples = room(channels) if over is None else over
    for channel in range(heard_by):
        start = AT + DELAYS[channel % len(DELAYS)]
        samples[start : start + len(made), channel] += made
    return samples


def told(samples: Signal, sizes: int | list[int] = 960) -> list[Event]:
    _, events = run(samples, stream_of(samples.shape[1]), sizes, only=ONLY)
    return [e for e in events if isinstance(e, Event) and e.detector == "clap"]


@pytest.mark.parametrize("sizes", [64, 960, 48000, [1, 4000, 77]])
def test_a_clap_is_told_with_its_first_sample_whatever_the_blocks(sizes: int | list[int]) -> None:
    opened, closed = told(clapped(bang()), sizes)
    assert (opened.phase, closed.phase) == ("open", "close")
    assert abs(opened.start - AT) <= 3  # noise may begin with a small sample
    assert opened.channels == [0, 1, 2, 3]
    assert opened.unit == "dB"
    assert opened.worst is not None
    assert 35 < opened.worst < 50


def test_it_is_told_within_350_ms_of_its_first_sample() -> None:
    pipeline = Pipeline("a", [stream_of(4)], only=ONLY)
    found = None
    for block in blocks(clapped(bang()), 960):
        pipeline.feed(block)
        pipeline.readings(0)
        if found is None and any(isinstance(e, Event) for e in pipeline.events()):
            found = block.start + 960
    assert found is not None
    assert (found - AT) / RATE < 0.35


@pytest.mark.parametrize(("heard_by", "claps"), [(1, 0), (2, 1), (3, 1)])
def test_half_of_the_microphones_must_hear_it(heard_by: int, claps: int) -> None:
    assert len(told(clapped(bang(), heard_by))) == 2 * claps


def test_one_microphone_alone_is_enough_where_there_is_only_one() -> None:
    assert len(told(clapped(bang(), 1, 1))) == 2


def test_a_sound_that_stays_is_none() -> None:
    assert told(clapped(bang(decay_s=0.5))) == []


def test_a_thump_without_treble_is_none() -> None:
    t = np.arange(RATE) / RATE
    thump = 0.5 * np.sin(2 * np.pi * 70 * t) * np.exp(-t / 0.02)
    assert told(clapped(thump.astype(np.float32))) == []


def test_a_sound_that_swells_is_none() -> None:
    swell = np.concatenate([bang()[:4800][::-1], bang()[:4800]]).astype(np.float32)
    assert told(clapped(swell)) == []


def test_something_put_down_between_loud_lines_is_none() -> None:
    over = room()
    over[: 3 * RATE // 2] += noise(3 * RATE // 2, 1, 0.3, 8)
    assert told(clapped(bang(level=0.05), over=over)) == []


def test_a_clap_raises_no_alert_and_hides_none_of_the_detectors() -> None:
    samples = clapped(bang(level=2.0))
    np.clip(samples, -1, 1, out=samples)
    _, events = run(samples, stream_of(4))
    found = {e.detector for e in events if isinstance(e, Event)}
    assert found == {"clap", "clipping"}
