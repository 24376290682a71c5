from typing import cast

import numpy as np
import pytest

from capture.source import Ended
from monitor.lines import Event
from monitor.measure.pipeline import Pipeline
from monitor.metrics import Value
from tests.monitor.measure.signals import Signal, blocks, noise, stream_of

RATE = 8000
ROOM_DBFS = -50.0
AT = 10 * RATE


def room(seconds: float, channels: int = 3) -> Signal:
    return noise(round(seconds * RATE), channels, 10 ** (ROOM_DBFS / 20))


def told(
    samples: Signal,
    size: int = 800,
    floors: list[float | None] | None = None,
    programme: tuple[int, ...] = (),
) -> list[Event]:
    channels = samples.shape[1]
    learned = cast(Value, [ROOM_DBFS] * channels if floors is None else floors)
    pipeline = Pipeline(
        "a", [stream_of(channels, RATE)], baseline={"noise_floor_dbfs": learned},
        programme=programme,
    )  # fmt: skip
    for block in blocks(samples, size):
        pipeline.feed(block)
    pipeline.feed(Ended(reason="end", t_arrival_ns=0))
    wanted = ("dead_microphone", "floor_raised")
    return [e for e in pipeline.events() if isinstance(e, Event) and e.detector in wanted]


def moved(gain_db: float, seconds: float = 20.0, channel: int = 1) -> Signal:
    samples = room(seconds)
    samples[AT:, channel] *= 10 ** (gain_db / 20)
    return samples


def words(events: list[Event]) -> list[tuple[str, str, int]]:
    return [(e.detector, e.phase, e.channels[0]) for e in events]


@pytest.mark.parametrize("size", [37, 800, 48000])
def test_a_microphone_that_dies_is_told_from_where_it_died(size: int) -> None:
    samples = moved(-14.0)[AT - 4 * RATE :][: 10 * RATE]
    opened, closed = told(samples, size)
    assert words([opened, closed]) == [
        ("dead_microphone", "open", 1),
        ("dead_microphone", "close", 1),
    ]
    assert (opened.start, closed.end) == (4 * RATE, 10 * RATE)
    assert opened.worst == pytest.approx(14.0, abs=0.7)
    assert opened.unit == "dB"


def test_it_ends_when_the_microphone_is_back_and_not_with_a_knock() -> None:
    samples = moved(-20.0, 40.0)
    samples[20 * RATE : 20 * RATE + 400, 1] = 0.1
    samples[30 * RATE :, 1] *= 10
    (_, closed) = told(samples)
    assert closed.end == 30 * RATE


@pytest.mark.parametrize(
    ("gain_db", "seconds"), [(-8.0, 20.0), (-14.0, 14.5), (8.0, 50.0), (14.0, 39.0)]
)
def test_what_is_little_or_short_is_not_told(gain_db: float, seconds: float) -> None:
    assert told(moved(gain_db, seconds)) == []


def test_a_voice_is_heard_over_the_floor_of_a_microphone_that_lives() -> None:
    samples = moved(-14.0, 30.0)
    for at in range(AT, 30 * RATE, 4 * RATE):
        samples[at : at + 2 * RATE, 1] += noise(2 * RATE, 1, 0.05)[:, 0]
    assert told(samples) == []


def test_a_floor_that_rose_for_half_a_minute_is_told() -> None:
    opened, closed = told(moved(15.0, 60.0))
    assert words([opened, closed]) == [("floor_raised", "open", 1), ("floor_raised", "close", 1)]
    assert opened.start == AT
    assert opened.worst == pytest.approx(15.0, abs=0.7)


def test_lines_without_a_pause_for_less_than_half_a_minute_are_no_raised_floor() -> None:
    samples = moved(25.0, 60.0)
    for at in range(AT, 60 * RATE, 10 * RATE):
        samples[at : at + RATE, 1] *= 10 ** (-25.0 / 20)
    assert told(samples) == []


@pytest.mark.parametrize("gain_db", [-14.0, 14.0])
def test_a_room_that_changed_is_no_microphone_that_did(gain_db: float) -> None:
    samples = room(60.0)
    samples[AT:, :2] *= 10 ** (gain_db / 20)
    assert told(samples) == []


def test_closed_faders_of_a_mix_do_not_speak_for_the_room() -> None:
    samples = moved(-14.0)
    samples[AT:, 0] *= 0.01
    events = told(samples, programme=(0,))
    assert {e.channels[0] for e in events} == {1}


def test_a_mix_whose_faders_close_is_no_dead_microphone() -> None:
    assert told(moved(-30.0, channel=2), programme=(2,)) == []


def test_a_lone_microphone_in_a_room_that_falls_silent_is_heard_again() -> None:
    samples = moved(-14.0, seconds=34.0)[:, 1:2]
    samples[AT + 12 * RATE : AT + 13 * RATE] *= 10 ** (24 / 20)  # somebody speaks
    assert told(samples) == []


def test_a_lone_microphone_that_dies_is_told_after_a_quarter_of_a_minute() -> None:
    opened, closed = told(moved(-14.0, seconds=27.0)[:, 1:2])
    assert words([opened, closed]) == [
        ("dead_microphone", "open", 0),
        ("dead_microphone", "close", 0),
    ]
    assert (opened.start, closed.end) == (AT, 27 * RATE)


def test_without_a_line_up_nothing_is_judged() -> None:
    assert told(moved(-20.0), floors=[ROOM_DBFS, None, ROOM_DBFS]) == []
    assert told(moved(-20.0), floors=[]) == []


def test_digital_silence_is_left_to_silence() -> None:
    samples = room(20.0)
    samples[AT:, 1] = 0
    assert told(samples) == []


def test_a_line_up_made_anew_is_what_counts() -> None:
    pipeline = Pipeline("a", [stream_of(1, RATE)])
    events = []
    for block in blocks(np.asarray(moved(0.0, 24.0)[:, :1]), 800):
        if block.start == 8 * RATE:
            pipeline.learn({"noise_floor_dbfs": [ROOM_DBFS + 20]})
        pipeline.feed(block)
        pipeline.readings(0)
        events += [e for e in pipeline.events() if isinstance(e, Event)]
    assert [(e.detector, e.start) for e in events] == [("dead_microphone", 8 * RATE)]
