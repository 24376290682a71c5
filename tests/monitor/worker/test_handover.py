"""The hand-over inside a worker: bounded, in order, and every loss counted."""

from fractions import Fraction

import numpy as np

from capture.source import Block, Frame, Item, Lost, StreamInfo
from monitor.lines import Credit
from monitor.worker.handover import COMMANDS_LIMIT, HELD_FRAMES, HandOver, Outcome

RATE = 48_000
STREAM = StreamInfo(index=0, kind="audio", time_base=Fraction(1, RATE), sample_rate_hz=RATE)


def block(number: int) -> Block:
    samples = np.zeros((960, 2), np.int32)
    return Block(stream=0, epoch=3, start=number * 960, samples=samples, t_arrival_ns=number)


def frame(number: int) -> Frame:
    luma = np.zeros((2, 2), np.uint8)
    return Frame(
        stream=1,
        epoch=3,
        pts=number,
        luma=luma,
        planes=(),
        width_px=2,
        height_px=2,
        pixel_format="gray",
        bit_depth=8,
        full_range=False,
        interlaced=False,
        key=False,
        corrupt=False,
        t_arrival_ns=number,
        bgr=lambda width_px: np.zeros((1, width_px, 3), np.uint8),
    )


def everything(door: HandOver) -> list[Item]:
    items: list[Item] = []
    while found := door.take(0.0).items:
        items += found
    return items


def test_two_seconds_of_sound_are_held_and_the_rest_is_one_loss_in_its_place() -> None:
    door = HandOver()
    door.opened([STREAM])
    for number in range(110):
        door.put(block(number))
    door.take(0.0)  # makes room for 16 blocks
    door.put(block(110))
    items = everything(door)
    lost = next(item for item in items if isinstance(item, Lost))
    assert (lost.start, lost.amount, lost.unit, lost.reason, lost.epoch) == (
        96_000,
        10 * 960.0,
        "samples",
        "compute",
        3,
    )
    at = items.index(lost)
    before, after = items[at - 1], items[at + 1]
    assert isinstance(before, Block)
    assert isinstance(after, Block)
    assert (before.start, after.start) == (99 * 960, 110 * 960)


def test_sound_does_not_take_the_pictures_room() -> None:
    door = HandOver()
    door.opened([STREAM])
    for number in range(120):
        door.put(block(number))
    assert door.has_room(frame(0))


def test_pictures_are_bounded_by_number_and_counted_without_being_copied() -> None:
    door = HandOver()
    for number in range(HELD_FRAMES):
        assert door.has_room(frame(number))
        door.put(frame(number))
    assert not door.has_room(frame(99))
    door.lose(frame(99))
    door.lose(frame(100))
    door.finish(Outcome("ended", "over"))
    items = everything(door)
    assert len(items) == HELD_FRAMES + 1
    assert isinstance(items[-1], Lost)
    assert (items[-1].start, items[-1].amount, items[-1].unit) == (99, 2.0, "frames")


def test_the_end_is_told_after_everything_that_came_before_it() -> None:
    door = HandOver()
    door.opened([STREAM])
    for number in range(40):
        door.put(block(number))
    door.finish(Outcome("lost", "gone"))
    first = door.take(0.0)
    assert first.opened == (STREAM,)
    assert first.outcome is None
    seen = len(first.items)
    while (taken := door.take(0.0)).outcome is None:
        seen += len(taken.items)
    assert seen + len(taken.items) == 40
    assert taken.outcome == Outcome("lost", "gone")


def test_commands_are_bounded_and_come_with_the_next_look() -> None:
    door = HandOver()
    accepted = [door.command(Credit(readings=1)) for _ in range(COMMANDS_LIMIT + 5)]
    assert accepted.count(True) == COMMANDS_LIMIT
    assert len(door.take(0.0).commands) == COMMANDS_LIMIT
    assert door.take(0.0).commands == []


def test_pictures_that_wait_give_way_where_sound_would_soon_be_lost() -> None:
    door = HandOver()
    door.opened([STREAM])
    for number in range(HELD_FRAMES):
        door.put(frame(number))
    for number in range(100):
        door.put(block(number))
    door.put(frame(99))
    items = everything(door)
    assert [item.start for item in items if isinstance(item, Block)] == [
        n * 960 for n in range(100)
    ]
    lost = [(item.start, item.amount, item.unit) for item in items if isinstance(item, Lost)]
    assert lost == [(0, float(HELD_FRAMES), "frames")]
    assert isinstance(items[-1], Frame)
