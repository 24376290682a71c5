"""What is said, and what falls silent, where fewer pictures are decoded than come."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from capture.source import RUNGS, Frame, Item, Packet, Rung, Thinned
from monitor.lines import Event
from monitor.measure.picture.decoding import DETECTORS, unmade
from monitor.measure.picture.viewer import VIEWERS, detectors_at
from monitor.measure.pipeline import Pipeline
from monitor.metrics import Value, merge_values
from tests.monitor.measure.feeding import packet, picture, video

BASE = Fraction(1, 1000)
RNG = np.random.default_rng(3)
NOISE = [RNG.integers(40, 200, (48, 64)).astype(np.uint8) for _ in range(25)]


def thinned(rung: Rung) -> Thinned:
    return Thinned(stream=0, epoch=0, rung=rung, t_arrival_ns=0)


def live(
    first: int, count: int, *, every: int = 1, key: int = 25, lost: frozenset[int] = frozenset()
) -> Iterator[Item]:
    """Packets of 25 a second, of which one in ``every`` is decoded, key frames among them."""
    for n in range(first, first + count):
        if n in lost:
            continue
        yield packet(40 * n, key=n % key == 0)
        if every and n % every == 0:
            yield picture(40 * n, NOISE[n % 25], key=n % key == 0)


def measured(*items: Item, live: bool = True) -> tuple[dict[str, Value], list[Event]]:
    pipeline = Pipeline("cam", [video(Fraction(25), BASE)], live=live)
    events, values = [], dict[str, Value]()
    for item in items:
        pipeline.feed(item)
        events += [line for line in pipeline.events() if isinstance(line, Event)]
        for reading in pipeline.readings(0):
            values = merge_values(values, reading.values)
    return values, events


def test_a_live_stream_says_that_all_its_frames_are_decoded_and_a_file_says_nothing() -> None:
    assert measured(*live(0, 5))[0]["decoding"] == "all frames"
    assert "decoding" not in measured(*live(0, 5), live=False)[0]


def test_each_rung_is_an_episode_with_its_exact_time_and_the_checks_it_leaves_unmade() -> None:
    values, events = measured(
        *live(0, 50),
        thinned("key frames"), *live(50, 75, every=25),
        thinned("packets only"), *live(125, 25, every=0),
        thinned("all frames"), *live(150, 10),
    )  # fmt: skip
    events = [e for e in events if e.detector in DETECTORS.values()]
    told = [(e.detector, e.phase, e.start, e.end) for e in events]
    assert told == [
        ("decoding_key_frames", "open", 49 * 40, None),
        ("decoding_key_frames", "close", 49 * 40, 124 * 40),
        ("decoding_packets_only", "open", 124 * 40, None),
        ("decoding_packets_only", "close", 124 * 40, 149 * 40),
    ]
    assert events[1].worst == pytest.approx(3.0)
    assert "freeze" in str(events[0].detail)
    assert "black" not in str(events[0].detail)
    assert "black" in str(events[2].detail)
    assert values["decoding"] == "all frames"


def test_who_needs_every_picture_is_silent_and_all_are_where_packets_alone_are_followed() -> None:
    assert detectors_at("all frames") == []
    few = {"freeze", "frames_repeated", "tearing", "flicker"}
    assert few <= set(detectors_at("reference frames"))
    assert set(detectors_at("reference frames")) == set(detectors_at("key frames"))
    assert not {"black", "overexposed", "legal_range"} & set(detectors_at("key frames"))
    every = {detector for kind in VIEWERS.values() for detector in kind.detectors}
    assert set(detectors_at("packets only")) == every
    assert unmade("key frames").startswith("not checked: ")
    assert list(DETECTORS) == list(RUNGS[1:])


def test_a_picture_that_stands_still_in_key_frames_is_no_freeze() -> None:
    same = [picture(1_000 * n, NOISE[0]) for n in range(4, 40)]
    _, events = measured(*live(0, 100), thinned("key frames"), *same)
    assert [e.detector for e in events if e.detector == "freeze"] == []


def test_a_freeze_that_was_open_closes_where_checking_stops_and_its_metrics_are_unknown() -> None:
    still = [picture(4_000 + 40 * n, NOISE[0]) for n in range(100)]
    values, events = measured(*live(0, 100), *still, thinned("key frames"), picture(9_000))
    freezes = [(e.phase, e.end) for e in events if e.detector == "freeze"]
    assert freezes == [("open", None), ("close", 8_000)]
    assert values["frames_repeated_total"] is None
    assert values["black_ratio"] == 0.0


def test_black_is_told_from_key_frames() -> None:
    dark = np.full((48, 64), 16, np.uint8)
    _, events = measured(
        *live(0, 50), thinned("key frames"), *(picture(1_000 * n, dark) for n in range(2, 6))
    )
    assert "black" in {event.detector for event in events}


@pytest.mark.parametrize("rung", RUNGS[1:])
def test_conformance_is_the_same_on_every_rung(rung: Rung) -> None:
    lost = frozenset({231, 232})
    every = {"reference frames": 3, "key frames": 25, "packets only": 0}[rung]
    thin, events = measured(*live(0, 100), thinned(rung), *live(100, 200, every=every, lost=lost))
    full, expected = measured(*live(0, 300, lost=lost))
    for key in (
        "bit_rate_1s_bps", "bit_rate_mean_bps", "key_frame_interval_max_s", "frame_rate_hz",
        "cadence", "frames_dropped_total", "picture_size_px",
    ):  # fmt: skip
        assert thin[key] == full[key], key
    dropped = [(e.phase, e.start, e.end) for e in expected if e.detector == "frames_dropped"]
    assert [(e.phase, e.start, e.end) for e in events if e.detector == "frames_dropped"] == dropped


def test_pictures_left_out_are_not_missing_on_the_feed_on_the_way_down_or_up() -> None:
    values, events = measured(
        *live(0, 60), thinned("reference frames"), *live(60, 60, every=3),
        thinned("key frames"), *live(120, 100, every=25), thinned("all frames"), *live(220, 60),
    )  # fmt: skip
    assert values["frames_dropped_total"] == 0
    assert not [e for e in events if e.detector in ("frames_dropped", "freeze", "tearing")]


def test_damage_latches_and_heals_by_packets_where_few_pictures_are_decoded() -> None:
    def some(first: int, count: int, bad: int) -> Iterator[Packet]:
        for n in range(first, first + count):
            yield packet(40 * n, key=n % 25 == 0, corrupt=n == bad)

    _, events = measured(*live(0, 50), thinned("packets only"), *some(50, 100, 60))
    told = [(e.phase, e.start, e.end, e.count) for e in events if e.detector == "picture_damaged"]
    assert told == [("open", 2_400, None, 1), ("close", 2_400, 3_000, 15)]


def test_a_new_epoch_goes_on_at_the_same_rung() -> None:
    pipeline = Pipeline("cam", [video(Fraction(25), BASE)])
    pipeline.feed(thinned("key frames"))
    again = Pipeline("cam", [video(Fraction(25), BASE)], epoch=1)
    again.thin(pipeline.thinned)
    again.feed(picture(0))
    assert again.readings(0)[0].values["decoding"] == "key frames"


def test_frames_are_told_where_nothing_is_thinned() -> None:
    frames = [item for item in live(0, 3) if isinstance(item, Frame)]
    assert measured(*frames)[0]["frames_total"] == 3
