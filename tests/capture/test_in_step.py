"""Whatever comes out late is put back where one thread would have given it."""

from hypothesis import given
from hypothesis import strategies as st

from capture.in_step import InStep
from capture.source import Item, Lost

SOUND, PICTURE = 0, 1


def item(stream: int, number: int, what: int) -> Item:
    """Return something to tell apart: of a stream, a packet's number, itself or what it gave."""
    return Lost(
        stream=stream, epoch=what, start=number, amount=1, unit="packets", reason="", t_arrival_ns=0
    )


@given(
    st.lists(st.sampled_from((SOUND, PICTURE)), max_size=40),
    st.lists(st.integers(0, 2), min_size=40, max_size=40),
    st.integers(1, 5),
)
def test_order_is_that_of_one_thread_however_late_pictures_come(
    streams: list[int], pictures: list[int], behind: int
) -> None:
    counts = [1 if stream == SOUND else pictures[at] for at, stream in enumerate(streams)]
    # The end is told as one picture a packet: what of it came with which packet nobody says.
    late = [at for at, stream in enumerate(streams) if stream == PICTURE][-behind:]
    counts = [1 if at in late else count for at, count in enumerate(counts)]
    packets = [[item(stream, at, 0)] for at, stream in enumerate(streams)]
    gave = [
        [[item(stream, at, 1 + k)] for k in range(counts[at])] for at, stream in enumerate(streams)
    ]
    expected = [
        one for at in range(len(streams)) for part in (packets[at], *gave[at]) for one in part
    ]
    assert taken_late(streams, packets, gave, behind) == expected


def taken_late(
    streams: list[int], packets: list[list[Item]], gave: list[list[list[Item]]], behind: int
) -> list[Item]:
    """Put everything in with pictures so many packets late, and take it all out."""
    step = InStep({PICTURE: behind})
    inside: list[int] = []
    out: list[Item] = []
    for at, stream in enumerate(streams):
        if stream == PICTURE:
            inside.append(at)
        ready = inside.pop(0) if len(inside) > behind else None
        came = gave[at] if stream == SOUND else [] if ready is None else gave[ready]
        step.put(stream, packets[at], came)
        out += step.take()
    assert step.waiting == bool(inside)
    step.end(SOUND, [])
    step.end(PICTURE, [items for at in inside for items in gave[at]])
    assert not step.waiting
    return out + step.take()


def test_what_the_decoder_held_back_comes_after_the_last_packet() -> None:
    step = InStep({PICTURE: 1})
    packets = [[item(PICTURE, number, 0)] for number in range(3)]
    pictures = [[item(PICTURE, number, 1)] for number in range(3)]
    step.put(PICTURE, packets[0], [])
    step.put(PICTURE, packets[1], [])  # of the first packet: it was held back
    assert not step.begun(PICTURE)
    step.put(PICTURE, packets[2], pictures[:1])
    assert step.begun(PICTURE)
    step.end(PICTURE, pictures[1:])
    given = [packets[0], packets[1], pictures[0], packets[2], pictures[1], pictures[2]]
    assert step.take() == [one for part in given for one in part]
