"""Every viewer sees each picture once, with the one before it, and shares what is worked out."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from capture.source import Item, Lost
from monitor.measure.measurement import Setup
from monitor.measure.picture.view import View, halved
from monitor.measure.picture.viewer import VIEWERS, Viewer, ViewerKind
from monitor.measure.picture.viewing import Viewing
from tests.monitor.measure.feeding import picture, video

BASE = Fraction(1, 1000)


class Notes:
    """A viewer that writes down what it is shown."""

    def __init__(self, setup: Setup) -> None:
        self.seen: list[tuple[int, float | None]] = []

    def see(self, view: View) -> None:
        self.seen.append((view.tick, view.difference))

    def drain(self) -> dict[str, float]:
        return {}

    def events(self) -> list[object]:
        return []

    def reset(self) -> None: ...

    def finish(self, end: int) -> None: ...


def shown(
    monkeypatch: pytest.MonkeyPatch, items: list[Item], every_s: float = 0
) -> list[tuple[int, float | None]]:
    made: list[Notes] = []

    def make(setup: Setup) -> Viewer:
        made.append(Notes(setup))
        return made[-1]  # type: ignore[return-value]

    kind = ViewerKind(name="notes", make=make, detectors=(), every_s=every_s)
    monkeypatch.setitem(VIEWERS, "notes", kind)
    viewing = Viewing(Setup(stream=video(base=BASE), only=frozenset(["notes"])))
    for item in items:
        viewing.feed(item)
    return made[0].seen


def grey(tick: int, code: int, shape: tuple[int, int] = (8, 8)) -> Item:
    return picture(tick, np.full(shape, code, np.uint8))


def test_a_picture_is_compared_with_the_one_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [grey(0, 20), grey(40, 23), grey(80, 23), grey(120, 20)]
    assert shown(monkeypatch, items) == [(0, None), (40, 3.0), (80, 0.0), (120, 3.0)]


def test_another_size_or_a_loss_of_ours_leaves_nothing_to_compare_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lost = Lost(stream=0, epoch=0, start=60, amount=1, unit="frames", reason="x", t_arrival_ns=0)
    items = [grey(0, 20), grey(40, 23, (4, 4)), lost, grey(80, 23, (4, 4)), grey(120, 24, (4, 4))]
    assert shown(monkeypatch, items) == [(0, None), (40, None), (80, None), (120, 1.0)]


def test_a_look_that_wants_five_pictures_a_second_gets_them_in_rounded_stamps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamps = [round(n * 1000 / 24) for n in range(48)]
    seen = shown(monkeypatch, [grey(tick, 20) for tick in stamps], every_s=0.2)
    assert [tick for tick, _ in seen] == stamps[::5]


def test_stamps_that_jump_back_do_not_silence_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = shown(monkeypatch, [grey(9_000_000, 20), grey(0, 20), grey(40, 20)], every_s=0.2)
    assert [tick for tick, _ in seen] == [9_000_000, 0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (2, 2), (5, 5), (17, 31)])
@pytest.mark.parametrize("bits", [8, 10])
def test_every_part_of_a_view_exists_for_the_smallest_pictures(
    shape: tuple[int, int], bits: int
) -> None:
    luma = np.full(shape, 100 << (bits - 8), np.uint8 if bits == 8 else np.uint16)
    frame = picture(0, luma, bits=bits)
    view = View(frame, tick=0, number=0, duration=1, before=None)
    for small in (view.half, view.quarter, view.eighth):
        assert small.ndim == 2
        assert small.dtype == np.uint8
        assert set(small.ravel().tolist()) == {100}
    assert view.histogram[100] == view.histogram.sum() == view.rows.size
    assert view.chroma_means is None


def test_half_a_picture_is_the_means_of_two_by_two() -> None:
    rng = np.random.default_rng(1)
    luma = rng.integers(0, 256, (36, 64)).astype(np.uint8)
    means = luma.reshape(18, 2, 32, 2).mean(axis=(1, 3))
    assert np.abs(halved(luma) - means).max() <= 0.5
    whole = cv2.resize(luma, (16, 9), interpolation=cv2.INTER_AREA)
    view = View(picture(0, luma), tick=0, number=0, duration=1, before=None)
    assert np.abs(view.quarter.astype(int) - whole).max() <= 1
