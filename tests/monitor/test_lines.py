"""What a worker's line may hold: numbers that the journal can keep."""

import pytest

from monitor.lines import Stream, decode_out


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
