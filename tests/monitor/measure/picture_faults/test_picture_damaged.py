"""Damage is latched until a clean key frame, and a whole file has none."""

from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from capture.source import Frame, Item
from tests.monitor.measure.feeding import (
    make,
    measure_file,
    packet,
    picture,
    run,
    stream_items,
    video,
)
from tests.rigs.clips import Clips

TS_BYTES = 188


def pairs(flags: list[tuple[bool, bool]]) -> list[Item]:
    """A packet and its picture for each (key, corrupt)."""
    made = (
        (packet(n, key=key, corrupt=corrupt), picture(n, key=key, corrupt=corrupt))
        for n, (key, corrupt) in enumerate(flags)
    )
    return list(chain.from_iterable(made))


def test_damage_lasts_until_a_clean_key_frame() -> None:
    flags = [(n % 10 == 0, n == 13) for n in range(40)]
    (episode,) = run(make("picture_damaged", video()), pairs(flags)).closed("picture_damaged")
    assert (episode.start, episode.end) == (13, 20)
    assert episode.count == 7


def test_a_key_frame_right_behind_the_damage_does_not_heal_it() -> None:
    flags = [(n % 10 == 0, n == 19) for n in range(40)]
    (episode,) = run(make("picture_damaged", video()), pairs(flags)).closed("picture_damaged")
    assert (episode.start, episode.end) == (19, 30)


def test_a_whole_file_is_whole(clips: Clips) -> None:
    outcome = measure_file("picture_damaged", clips.both(".ts"))
    assert outcome.steps == []
    assert outcome.values["packets_corrupt"] == 0


def lossy(path: Path, out: Path, seed: int) -> Path:
    """Take whole TS packets out of the middle of a file, as a bad link does."""
    rng = np.random.default_rng(seed)
    data = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, TS_BYTES)
    keep = np.ones(len(data), bool)
    for at in rng.integers(len(data) // 5, len(data) * 4 // 5, 3):
        keep[at : at + 2] = False
    out.write_bytes(data[keep].tobytes())
    return out


def pictures(path: Path) -> dict[int, int]:
    """Every picture of a file by its stamp, as a hash of its luma."""
    _, items = stream_items(path)
    frames = (item for item in items if isinstance(item, Frame))
    return {frame.pts or 0: hash(frame.luma.tobytes()) for frame in frames}


@pytest.mark.parametrize(
    ("codec", "precision"),
    [
        (("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-b:v", "3M"), 0.95),
        (("-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-b:v", "2M"), 0.6),
        (("-c:v", "mpeg2video", "-g", "12", "-b:v", "3M"), 0.6),
    ],
)
def test_damaged_pictures_of_a_lossy_stream_are_all_inside_episodes(
    clips: Clips, tmp_path: Path, codec: tuple[str, ...], precision: float
) -> None:
    whole = clips.picture(".ts", frames=100, codec=codec)
    true = pictures(whole)
    damaged_total = missed = marked = 0
    for seed in range(4):
        path = lossy(whole, tmp_path / f"{seed}.ts", seed)
        shown = pictures(path)
        damaged = {pts for pts, digest in shown.items() if true.get(pts) != digest}
        spans = [
            (e.start, e.end or 0)
            for e in measure_file("picture_damaged", path).closed("picture_damaged")
        ]
        damaged_total += len(damaged)
        missed += sum(not any(a <= pts < b for a, b in spans) for pts in damaged)
        marked += sum(any(a <= pts < b for a, b in spans) for pts in shown)
    assert damaged_total > 20
    assert missed == 0
    assert damaged_total / marked > precision


def test_damage_that_is_shown_before_the_packet_it_was_flagged_with_is_inside() -> None:
    coded = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11]  # flagged: 6; damaged: 4 and what follows
    packets = [packet(n, key=n == 0, corrupt=n == 6) for n in coded]
    shown = [picture(n) for n in range(13)]
    items: list[Item] = []
    for at, one in enumerate(packets):
        items += [one, *shown[at - 1 : at]]
    (episode,) = run(make("picture_damaged", video()), items).closed("picture_damaged")
    assert episode.start == 4


def test_a_decoder_that_shows_nothing_any_more_is_damage_too() -> None:
    items: list[Item] = [packet(0, key=True), picture(0, key=True), packet(1, corrupt=True)]
    items += [packet(n) for n in range(2, 60)]
    made = make("picture_damaged", video())
    for item in items:
        made.feed(item)
    (opened,) = made.events()
    assert (opened.phase, opened.start) == ("open", 1)


def test_a_flagged_packet_that_damaged_nothing_before_a_key_frame_is_no_episode() -> None:
    items: list[Item] = []
    for n in range(6):
        items += [packet(n, key=n in (0, 3), corrupt=n == 0)]
        items += [picture(n)] if n in (0, 3, 4, 5) else []
    assert run(make("picture_damaged", video()), items).closed("picture_damaged") == []
