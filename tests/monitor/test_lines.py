"""What a worker's line may hold: numbers that the journal can keep; and where it ends."""

import pytest

from monitor.lines import LINE_LIMIT_BYTES, Splitter, Stream, decode_out


@pytest.mark.parametrize("base", ["1/48000", "1", "1001/24000"])
def test_a_time_base_is_a_fraction_or_a_whole_number(base: str) -> None:
    assert Stream(index=0, kind="audio", time_base=base).time_base == base


@pytest.mark.parametrize("base", ["1/0", "x", "1/-5", "", "1e9"])
def test_a_time_base_that_cannot_be_counted_in_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="time_base"):
        Stream(index=0, kind="audio", time_base=base)


@pytest.mark.parametrize("t_ns", [2**62 + 1, -(2**62) - 1, 10**30])
def test_a_time_that_no_journal_can_hold_is_refused(t_ns: int) -> None:
    line = '{"line":"state","source":"a","state":"live","t_mono_ns":%d}'
    with pytest.raises(ValueError, match="t_mono_ns"):
        decode_out(line % t_ns)
    assert decode_out(line % 2**62).line == "state"


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_lines_do_not_depend_on_how_the_bytes_are_split(size: int) -> None:
    text = b"one\n\ntwo\n" + b"x" * 5000 + b"\nthree\nrest"
    splitter = Splitter(limit_bytes=1000)
    found = []
    for at in range(0, len(text), size):
        found += splitter.feed(text[at : at + size])
    assert found == [b"one", b"two", b"three"]
    assert splitter.over_long == 4  # 5000 bytes: four times past another 1000
    assert LINE_LIMIT_BYTES > 64 * 1024
