import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.measure.sound_faults.episodes import Episodes

RATE = 1000
"""Ticks a second: an update at most every 50, closed 1000 after the last."""

gaps_and_lengths = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 60, 999, 1100]), st.integers(1, 40)), max_size=60
)


@given(faults=gaps_and_lengths, cuts=st.lists(st.integers(0, 60), max_size=4))
@settings(max_examples=60, deadline=None)
def test_faults_told_together_make_the_steps_of_each_told_alone(
    faults: list[tuple[int, int]], cuts: list[int]
) -> None:
    starts = np.cumsum([gap + length for gap, length in faults], dtype=np.int64)
    ends = starts + np.array([length for _, length in faults], np.int64)
    alone, together = (Episodes("clipping", 0, RATE, None) for _ in range(2))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        alone.fault(start, end)
    for part in np.split(np.arange(len(starts)), sorted(cuts)):
        together.faults(starts[part], ends[part])
    for one in (alone, together):
        one.close()
    assert together.steps == alone.steps


def test_the_most_in_any_second_is_told() -> None:
    episodes = Episodes("clipping", 0, RATE, None)
    starts = np.concatenate([np.arange(0, 900, 90), 2 * np.arange(600) + 1100])
    episodes.faults(starts, starts + 1)
    episodes.close()
    assert (episodes.steps[-1].count, episodes.steps[-1].count_1s) == (610, 500)
