from hypothesis import given
from hypothesis import strategies as st

from monitor.hub.wall_clock import JUMP_NS, WallClock

SECOND = 1_000_000_000


def test_the_pair_with_the_least_error_gives_the_mapping() -> None:
    clock = WallClock()
    clock.observe(0, 1000 * SECOND, 1_000_000)
    clock.observe(SECOND, 1001 * SECOND + 500, 100)
    clock.observe(2 * SECOND, 1002 * SECOND + 900_000, 1_000_000)
    assert clock.utc(0) == 1000 * SECOND + 500
    assert clock.error_ns == 100


@given(jump_s=st.floats(min_value=0.5, max_value=1e6), sign=st.sampled_from([-1, 1]))
def test_a_jump_of_the_wall_clock_is_told_once_and_followed(jump_s: float, sign: int) -> None:
    clock = WallClock()
    jump = sign * round(jump_s * SECOND)
    for second in range(5):
        assert clock.observe(second * SECOND, 10**18 + second * SECOND, 1000) == 0
    assert clock.observe(5 * SECOND, 10**18 + 5 * SECOND + jump, 1000) == jump
    assert clock.observe(6 * SECOND, 10**18 + 6 * SECOND + jump, 1000) == 0
    assert clock.utc(6 * SECOND) == 10**18 + 6 * SECOND + jump


@given(ppm=st.floats(min_value=-50, max_value=50))
def test_an_honest_crystal_is_no_jump(ppm: float) -> None:
    clock = WallClock()
    for second in range(600):
        t = second * SECOND
        assert clock.observe(t, 10**18 + t + round(t * ppm / 1e6), 1000) == 0
    assert abs(clock.utc(t) - (10**18 + t + round(t * ppm / 1e6))) < JUMP_NS


def test_before_the_first_pair_nothing_is_known() -> None:
    assert WallClock().error_ns is None
