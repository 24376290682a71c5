from dataclasses import replace
from fractions import Fraction

import numpy as np

from capture.source import Changed, Ended, Lost, StreamInfo
from monitor.lines import Event, Gap
from monitor.measure.pipeline import Pipeline
from tests.monitor.measure.signals import blocks, noise, run, stream_of

VIDEO = StreamInfo(index=7, kind="data", time_base=Fraction(1, 1000))


def test_a_stream_with_nothing_new_gives_no_reading() -> None:
    pipeline = Pipeline("a", [stream_of(2), VIDEO])
    assert pipeline.readings(0) == []
    for block in blocks(noise(960, 2)):
        pipeline.feed(block)
    assert [reading.stream for reading in pipeline.readings(0)] == [0]
    assert pipeline.readings(0) == []


def test_readings_are_numbered_and_their_intervals_join() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    spans = []
    for block in blocks(noise(4800, 1), 960, start=500):
        pipeline.feed(block)
        spans += [(r.seq, r.start, r.end) for r in pipeline.readings(5)]
    assert spans == [(i, 500 + 960 * i, 500 + 960 * (i + 1)) for i in range(5)]


def test_a_loss_becomes_a_gap_line_with_its_reason() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    lost = Lost(
        stream=0, epoch=0, start=96, amount=480, unit="samples", reason="overflow", t_arrival_ns=3
    )
    pipeline.feed(lost)
    (gap,) = pipeline.events()
    assert isinstance(gap, Gap)
    assert (gap.start, gap.amount, gap.unit, gap.reason) == (96, 480, "samples", "overflow")
    assert gap.time_base == "1/48000"


def test_a_file_that_ends_early_leaves_a_gap_in_seconds() -> None:
    pipeline = Pipeline("a", [stream_of(1)], live=False)
    pipeline.feed(Ended(reason="end of file", t_arrival_ns=0, short_by_s=2.5))
    (gap,) = pipeline.events()
    assert isinstance(gap, Gap)
    assert (gap.amount, gap.unit, gap.reason) == (2.5, "s", "file ends 2.5 s early")


def test_a_changed_format_begins_an_epoch_and_says_from_what_to_what() -> None:
    pipeline = Pipeline("a", [stream_of(2)], epoch=4)
    for block in blocks(noise(960, 2)):
        pipeline.feed(block)
    new = replace(stream_of(1), codec="aac")
    pipeline.feed(Changed(epoch=1, streams=(new,), reason="new parameters", t_arrival_ns=9))
    opened, closed = pipeline.events()
    assert isinstance(opened, Event)
    assert isinstance(closed, Event)
    assert (opened.phase, closed.phase, opened.detector) == ("open", "close", "format_changed")
    assert opened.id == closed.id
    assert (opened.epoch, opened.start, pipeline.epoch) == (4, 960, 5)
    assert opened.detail == "codec from None to aac, channels from 2 to 1"
    for block in blocks(noise(960, 1), epoch=1):
        pipeline.feed(block)
    (reading,) = pipeline.readings(0)
    assert (reading.epoch, reading.start, len(reading.values["rms_dbfs"] or [])) == (5, 0, 1)  # type: ignore[arg-type]


def test_stamps_that_jump_begin_an_epoch_without_a_changed_format() -> None:
    pipeline = Pipeline("a", [stream_of(2)])
    pipeline.feed(Changed(epoch=1, streams=(stream_of(2),), reason="jump", t_arrival_ns=9))
    assert pipeline.events() == []
    assert pipeline.epoch == 1


def test_reset_says_the_tick_at_which_it_took_effect() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    for block in blocks(noise(1000, 1), 100, start=50):
        pipeline.feed(block)
    assert pipeline.reset() == {0: 1050}


def test_maxima_since_reset_restart_and_the_interval_keeps_its_own() -> None:
    pipeline = Pipeline("a", [stream_of(1)])
    loud = np.full((480, 1), 0.5, np.float32)
    for block in blocks(np.concatenate([loud, loud / 2])):
        pipeline.feed(block)
    pipeline.reset()
    for block in blocks(loud / 4, start=960):
        pipeline.feed(block)
    (reading,) = pipeline.readings(0)
    assert reading.values["sample_peak_dbfs"] == [np.float64(20 * np.log10(0.5))]
    assert reading.values["sample_peak_max_dbfs"] == [np.float64(20 * np.log10(0.125))]


def test_the_programme_is_all_of_a_known_layout_and_none_of_separate_tracks() -> None:
    def programme(channels: int, layout: str | None) -> tuple[int, ...] | None:
        return Pipeline("a", [stream_of(channels, layout=layout)]).programme

    assert programme(1, None) == (0,)
    assert programme(2, None) == (0, 1)
    assert programme(6, "5.1(side)") == tuple(range(6))
    assert programme(8, "7.1") == tuple(range(8))
    assert programme(6, None) is None
    assert programme(8, "8 channels") is None
    assert Pipeline("a", [stream_of(8)], programme=(0, 1)).programme == (0, 1)
    assert Pipeline("a", [stream_of(1)], programme=(0, 1)).programme is None


def test_items_of_streams_nobody_described_are_ignored() -> None:
    pipeline = Pipeline("a", [VIDEO])
    for block in blocks(noise(960, 1)):
        pipeline.feed(block)
    assert pipeline.readings(0) == []


def test_finishing_closes_what_is_open() -> None:
    samples = noise(48000, 1)
    samples[24000:] = 0
    _, events = run(samples, stream_of(1))
    assert [(e.phase, e.start, e.end) for e in events if isinstance(e, Event)] == [
        ("open", 24000, None),
        ("close", 24000, 48000),
    ]
