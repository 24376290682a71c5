"""What holds for every kind of source: open, read and close mean the same everywhere."""

import re
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

import capture.sources  # noqa: F401  (fills the registry)
from capture.source import (
    KINDS,
    Block,
    Ended,
    Frame,
    Item,
    Lost,
    OpenFailed,
    Packet,
    Source,
)
from tests.rigs.clips import Clips

ITEMS = 60
PATIENCE_S = 15.0
# Options with which nothing can be opened, for every kind. Kinds without any are in ALWAYS_OPENS.
IMPOSSIBLE: dict[str, dict[str, object]] = {
    "media_file": {"path": "no/such/file.wav"},
    "network_feed": {"address": "rtsp://127.0.0.1:9/nothing", "open_timeout_s": 1.0},
    "camera": {"device": "no such camera"},
    "audio_device": {"device": "no such device"},
}
ALWAYS_OPENS = {"synthetic"}


def make(kind: str, options: dict[str, object]) -> Source:
    registered = KINDS[kind]
    return registered.make(registered.options.model_validate(options))


@pytest.fixture(params=["media_file", "synthetic"])
def good(request: pytest.FixtureRequest, clips: Clips) -> Source:
    """A source that opens here without a device or a server; those have tests of their own."""
    if request.param == "media_file":
        return make("media_file", {"path": str(clips.both())})
    return make("synthetic", {"scene": "camera_a", "real_time": False, "duration_s": 4.0})


def gather(source: Source) -> list[Item]:
    items: list[Item] = []
    deadline = time.monotonic() + PATIENCE_S
    while len(items) < ITEMS and time.monotonic() < deadline:
        item = source.read(0.1)
        if item is not None:
            items.append(item)
        if isinstance(item, Ended):
            break
    return items


def test_every_kind_is_held_to_this_contract() -> None:
    assert set(KINDS) == (set(IMPOSSIBLE) | ALWAYS_OPENS) & set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_options_nobody_knows_are_refused(kind: str) -> None:
    options = {**IMPOSSIBLE.get(kind, {}), "colour_of_the_cable": "blue"}
    with pytest.raises(ValidationError, match="colour_of_the_cable"):
        KINDS[kind].options.model_validate(options)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - ALWAYS_OPENS))
def test_what_cannot_be_opened_is_said_in_one_line_and_closes_twice(kind: str) -> None:
    source = make(kind, IMPOSSIBLE[kind])
    with pytest.raises(OpenFailed) as caught:
        source.open()
    assert re.fullmatch(r"[^\n]{10,400}", str(caught.value))
    source.close()
    source.close()


def test_items_belong_to_described_streams_and_keep_their_shapes(good: Source) -> None:
    streams = {info.index: info for info in good.open()}
    try:
        items = gather(good)
    finally:
        good.close()
    assert items
    for item in items:
        if isinstance(item, Block | Packet | Frame | Lost):
            assert item.stream in streams
        if isinstance(item, Block):
            assert item.samples.shape[1] == streams[item.stream].channels
            assert item.samples.flags.c_contiguous
            assert item.samples.dtype.name in {"int16", "int32", "float32"}
        if isinstance(item, Frame):
            assert item.luma.shape == (item.height_px, item.width_px)


def test_arrivals_never_go_back(good: Source) -> None:
    good.open()
    try:
        arrivals = [item.t_arrival_ns for item in gather(good)]
    finally:
        good.close()
    assert arrivals == sorted(arrivals)


def test_closing_in_the_middle_and_twice_is_safe(good: Source) -> None:
    good.open()
    assert gather(good)
    good.close()
    good.close()


def test_stall_time_and_latency_are_stated(good: Source) -> None:
    assert 0 < good.stall_s <= 60
    assert good.latency_s >= 0


def test_a_source_can_be_made_again_and_gives_the_same_start(clips: Clips) -> None:
    path: Path = clips.both()
    starts = []
    for _ in range(2):
        source = make("media_file", {"path": str(path)})
        source.open()
        starts.append([type(item) for item in gather(source)])
        source.close()
    assert starts[0] == starts[1]
