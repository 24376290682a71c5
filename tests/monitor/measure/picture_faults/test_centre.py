"""The middle of the picture: a card's level and colour, at any depth, size and range."""

from dataclasses import replace

import numpy as np
import pytest

from monitor.measure.measurement import MEASUREMENTS, Setup
from tests.monitor.measure.feeding import Outcome, picture, run, video


def read(luma: int, cb: int, cr: int, *, bits: int = 8, full: bool = False) -> Outcome:
    """A card in the middle of a white picture with other colours around it."""
    kind = np.uint8 if bits == 8 else np.uint16
    planes = []
    for code, size in ((luma, (72, 128)), (cb, (36, 64)), (cr, (36, 64))):
        plane = np.full(size, (235 << (bits - 8)), kind)
        height, width = size
        plane[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = code
        planes.append(plane)
    frame = replace(
        picture(0, planes[0], bits=bits), planes=(planes[1], planes[2]), full_range=full
    )
    setup = Setup(stream=video(), only=frozenset(["centre"]))
    return run(MEASUREMENTS["viewing"].make(setup), [frame])


@pytest.mark.parametrize(
    ("bits", "codes", "full", "wanted"),
    [
        (8, (16, 128, 128), False, (0.0, 0.0, 0.0)),
        (8, (235, 128, 128), False, (1.0, 0.0, 0.0)),
        (10, (64 + 438, 512 - 224, 512 + 448), False, (0.5, -0.25, 0.5)),
        (8, (51, 128, 128), True, (0.2, 0.0, 0.0)),
    ],
)
def test_the_card_in_the_middle_is_read_on_the_nominal_scale(
    bits: int, codes: tuple[int, int, int], full: bool, wanted: tuple[float, float, float]
) -> None:
    found = read(*codes, bits=bits, full=full)
    keys = ("centre_luma", "centre_cb", "centre_cr")
    assert [found.number(key) for key in keys] == pytest.approx(wanted, abs=1e-3)


def test_a_picture_without_colour_has_none_and_one_pixel_is_a_middle() -> None:
    setup = Setup(stream=video(), only=frozenset(["centre"]))
    for shape in ((72, 128), (1, 1), (2, 3)):
        grey = picture(0, np.full(shape, 126, np.uint8))
        found = run(MEASUREMENTS["viewing"].make(setup), [replace(grey, planes=())])
        assert found.number("centre_luma") == pytest.approx(110 / 219, abs=1e-3)
        assert found.values["centre_cb"] is None
