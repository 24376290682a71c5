"""Join the short blocks of a file's sound: what a block costs is shared by more samples. Pure.

Decoders give 10 to 90 ms at a time. Every block passes all measurements and the rules, which takes
as long as measuring 10 ms of two channels.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from capture.source import Block, Frame, Item, Packet


def follows(block: Block, before: Block) -> bool:
    """Say whether a block goes on where another ended, in the same form."""
    same_form = block.samples.dtype == before.samples.dtype
    same_width = block.samples.shape[1] == before.samples.shape[1]
    goes_on = block.start == before.start + len(before.samples)
    return same_form and same_width and goes_on and block.epoch == before.epoch


class JoinedBlocks:
    """Holds blocks back until as many frames of their stream have come as ``limits`` says.

    Packets and pictures pass at once; before anything else, whatever is held comes out first, so
    that losses, changes and the end keep their place in the sound.
    """

    def __init__(self) -> None:
        self.limits: dict[int, int] = {}
        """Frames to join, by stream; blocks of other streams pass."""
        self._held: dict[int, list[Block]] = {}

    @property
    def holds(self) -> bool:
        """Whether blocks are held back."""
        return any(self._held.values())

    def put(self, item: Item) -> Iterator[Item]:
        """Take the next item; yield what can go on."""
        if isinstance(item, Block):
            yield from self._join(item)
        elif isinstance(item, Packet | Frame):
            yield item
        else:
            yield from self.flush()
            yield item

    def flush(self) -> Iterator[Block]:
        """Yield all that is held."""
        for stream in self._held:
            yield from self._release(stream)

    def _join(self, block: Block) -> Iterator[Block]:
        held = self._held.setdefault(block.stream, [])
        if held and not follows(block, held[-1]):
            yield from self._release(block.stream)
        held.append(block)
        if block.start + len(block.samples) - held[0].start >= self.limits.get(block.stream, 0):
            yield from self._release(block.stream)

    def _release(self, stream: int) -> Iterator[Block]:
        held = self._held[stream]
        blocks = held.copy()
        held.clear()
        if len(blocks) == 1:
            yield blocks[0]
        elif blocks:
            yield replace(blocks[0], samples=np.concatenate([block.samples for block in blocks]))
