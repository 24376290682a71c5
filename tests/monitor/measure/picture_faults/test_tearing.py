"""A torn picture is told from one that partly stands still, and from one that is repeated."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.monitor.measure.feeding import Outcome, make, measure_file, picture, run, video
from tests.rigs.clips import Clips

HEIGHT, WIDTH = 216, 128
RNG = np.random.default_rng(7)
WALL = np.clip(RNG.normal(120, 25, (HEIGHT, WIDTH * 3)), 0, 255)


def panned(n: int, step: int = 2) -> NDArray[np.uint8]:
    """A textured wall that moves sideways, and a little sensor noise."""
    shot = WALL[:, n * step % WIDTH : n * step % WIDTH + WIDTH]
    noise = np.random.default_rng(n).normal(0, 0.5, shot.shape)
    return np.clip(shot + noise, 0, 255).astype(np.uint8)


def watched(lumas: list[NDArray[Any]]) -> Outcome:
    return run(make("tearing", video()), [picture(3_600 * n, x) for n, x in enumerate(lumas)])


def torn(shots: list[NDArray[np.uint8]], n: int, line: int, *, above: bool = False) -> None:
    side = slice(0, line) if above else slice(line, None)
    shots[n] = shots[n].copy()
    shots[n][side] = shots[n - 1][side]


@pytest.mark.parametrize("line", [30, 72, 108, 150, 190])
@pytest.mark.parametrize("above", [False, True])
def test_a_torn_picture_is_found_with_its_frame_and_place(line: int, above: bool) -> None:
    shots = [panned(n) for n in range(30)]
    torn(shots, 12, line, above=above)
    outcome = watched(shots)
    (episode,) = outcome.closed("tearing")
    assert (episode.start, episode.end) == (12 * 3_600, 13 * 3_600)
    assert episode.detail == "torn: frame 12"
    assert outcome.values["frames_torn"] == 1
    assert episode.place is not None
    share = line / HEIGHT
    expected = (0, 0, 1, share) if above else (0, share, 1, 1)
    assert episode.place == pytest.approx(expected, abs=0.05)


def test_tears_that_roll_through_the_picture_are_one_episode() -> None:
    shots = [panned(n) for n in range(40)]
    for n in range(10, 30, 2):
        torn(shots, n, 20 + 10 * (n - 10))
    (episode,) = watched(shots).closed("tearing")
    assert episode.count >= 8


def test_a_table_that_stands_still_under_what_moves_is_not_torn() -> None:
    shots = [panned(n) for n in range(40)]
    for n, shot in enumerate(shots):
        shot[120:] = panned(0)[120:]
        shot[100:120] = panned(n // 2)[100:120]
    assert watched(shots).steps == []


def test_what_stops_and_stays_is_not_torn() -> None:
    shots = [panned(n) for n in range(40)]
    for n in range(20, 40):
        shots[n][100:] = shots[19][100:]
    assert watched(shots).steps == []


def test_repeated_pictures_cuts_and_flashes_are_not_torn() -> None:
    shots = [panned(n) for n in range(60)]
    shots[10] = shots[9]
    shots[20] = np.full_like(shots[0], 250)
    for n in range(30, 60):
        shots[n] = np.roll(shots[n], 77, axis=0)
    assert watched(shots).steps == []


def test_coded_pictures_of_a_file_are_whole_until_one_is_torn(clips: Clips) -> None:
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "20")
    moving = "scroll=horizontal=0.01"
    whole = clips.picture(frames=75, filters=moving, codec=codec)
    assert measure_file("tearing", whole).steps == []
    held = "[a]tpad=start=1:start_mode=clone,crop=iw:ih/2:0:ih/2[b]"
    graph = f"{moving},split[x][a];{held};[x][b]overlay=0:H/2:enable='eq(n,40)'"
    (episode,) = measure_file(
        "tearing", clips.picture(frames=75, filters=graph, codec=codec)
    ).closed("tearing")
    assert episode.detail == "torn: frame 40"


@pytest.mark.parametrize("shape", [(10, 10), (92, 64), (1, 1)])
def test_a_picture_of_few_rows_is_not_judged(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    shots = [rng.integers(0, 255, shape).astype(np.uint8) for _ in range(20)]
    assert watched(shots).steps == []
