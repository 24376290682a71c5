"""Blocks of a file joined before they are measured."""

from collections.abc import Iterable

import numpy as np

from capture.source import Block, Ended, Item, Lost, Packet
from monitor.check.joining import JoinedBlocks
from tests.monitor.measure.feeding import packet
from tests.monitor.measure.signals import blocks, noise

SAMPLES = noise(1000, 2)
LOST = Lost(stream=0, epoch=0, start=500, amount=9, unit="samples", reason="", t_arrival_ns=0)
END = Ended(reason="end", t_arrival_ns=0)


def joined(items: Iterable[Item], limit: int) -> list[Item]:
    joining = JoinedBlocks()
    joining.limits = {0: limit}
    out = [one for item in items for one in joining.put(item)]
    assert not joining.holds
    return out


def starts(items: Iterable[Item]) -> list[tuple[int, int]]:
    return [(one.start, len(one.samples)) for one in items if isinstance(one, Block)]


def test_blocks_come_out_joined_with_every_sample_in_order() -> None:
    out = joined([*blocks(SAMPLES, 96), END], 300)
    assert starts(out) == [(0, 384), (384, 384), (768, 232)]
    parts = [one.samples for one in out if isinstance(one, Block)]
    assert np.array_equal(np.concatenate(parts), SAMPLES)
    assert out[-1] is END


def test_a_loss_keeps_its_place_in_the_sound() -> None:
    before, after = blocks(SAMPLES[:500], 100), blocks(SAMPLES[500:], 100, start=509)
    out = joined([*before, LOST, *after, END], 10_000)
    assert [type(one).__name__ for one in out] == ["Block", "Lost", "Block", "Ended"]
    assert starts(out) == [(0, 500), (509, 500)]


def test_blocks_that_do_not_follow_one_another_stay_apart() -> None:
    hole = [*blocks(SAMPLES[:200], 100), *blocks(SAMPLES[200:400], 100, start=300)]
    epoch = blocks(SAMPLES[400:500], 100, start=500, epoch=1)
    form = blocks(SAMPLES[500:600].astype(np.float64), 100, start=600, epoch=1)
    out = joined([*hole, *epoch, *form, END], 10_000)
    assert starts(out) == [(0, 200), (300, 200), (500, 100), (600, 100)]


def test_packets_pass_and_streams_without_a_limit_too() -> None:
    rest = blocks(SAMPLES[100:], 450, start=100)
    out = joined([*blocks(SAMPLES[:100], 50), packet(7), *rest, END], 1000)
    assert isinstance(out[0], Packet)
    assert starts(out) == [(0, 1000)]
    assert starts(joined([*blocks(SAMPLES, 500), END], 0)) == [(0, 500), (500, 500)]
