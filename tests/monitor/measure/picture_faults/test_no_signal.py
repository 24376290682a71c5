"""A converter's card is told from a grey wall, a fogged sky and a clipped picture."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from capture.source import Frame
from tests.monitor.measure.feeding import Outcome, make, measure_file, picture, run, video
from tests.rigs.clips import Clips

CARDS = [(41, 240, 110), (126, 128, 128), (81, 90, 240)]


def card(n: int, codes: tuple[int, int, int], *, spread: int = 0) -> Frame:
    """An even picture of Y, Cb, Cr, or one whose luma is spread over a few codes."""
    luma: NDArray[Any] = np.full((36, 64), codes[0], np.uint8)
    luma[:, 32:] += np.uint8(spread)
    planes = tuple(np.full((18, 32), code, np.uint8) for code in codes[1:])
    return replace(picture(3_600 * n, luma), planes=planes)


def watched(frames: list[Frame]) -> Outcome:
    return run(make("no_signal", video()), frames)


@pytest.mark.parametrize("codes", CARDS)
def test_an_even_card_is_no_signal_from_its_first_look_to_its_last(
    codes: tuple[int, int, int],
) -> None:
    scene = [picture(3_600 * n, np.arange(64 * 36, dtype=np.uint8).reshape(36, 64)) for n in (0, 1)]
    after = replace(scene[0], pts=3_600 * 60)
    (episode,) = watched(scene + [card(n, codes) for n in range(2, 60)] + [after]).closed(
        "no_signal"
    )
    assert episode.end == 3_600 * 60
    assert episode.start <= 3_600 * 6  # it looks every 0.2 s


@pytest.mark.parametrize("codes", [(16, 128, 128), (30, 128, 128), (235, 128, 128)])
def test_black_and_clipped_pictures_are_other_faults(codes: tuple[int, int, int]) -> None:
    assert watched([card(n, codes) for n in range(60)]).steps == []


def test_a_wall_with_a_slope_of_a_few_codes_is_a_picture() -> None:
    assert watched([card(n, CARDS[1], spread=3) for n in range(60)]).steps == []


def test_colour_that_varies_over_even_luma_is_a_picture() -> None:
    frames = [card(n, CARDS[1]) for n in range(60)]
    for frame in frames:
        frame.planes[0][:, 16:] += np.uint8(9)
    assert watched(frames).steps == []


def test_sensor_noise_over_grey_is_a_picture() -> None:
    rng = np.random.default_rng(3)
    lumas = [np.clip(rng.normal(126, 1.5, (72, 128)), 0, 255).astype(np.uint8) for _ in range(50)]
    assert watched([picture(3_600 * n, luma) for n, luma in enumerate(lumas)]).steps == []


def test_a_blue_card_that_was_coded_is_still_even(clips: Clips) -> None:
    path = clips.picture(
        frames=50,
        filters="drawbox=c=0x0000FF:t=fill",
        codec=("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30"),
    )
    (episode,) = measure_file("no_signal", path).closed("no_signal")
    assert episode.worst == pytest.approx(2.0)
