"""The picture corpus proves itself: labels are where pictures differ, and nowhere else."""

from collections import deque
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

import bench.pictures.faults
import bench.pictures.scenes  # noqa: F401  both fill a registry
from bench.corpus.material import HALVES
from bench.pictures.coders import BY_NAME, CODERS, Coder, Segment, encoded, starved
from bench.pictures.faults.fault import FAULTS
from bench.pictures.paint import Canvas, Picture
from bench.pictures.scenes.scene import SCENES, scenes_of
from bench.pictures.score import Heard, Result, Run, auc, hear, judge
from bench.pictures.shots import Label, Shot, Wanted, shot
from capture.source import Frame, Packet

PAINTED = sorted(name for name in SCENES if not name.startswith("recorded"))  # needs no network
PLAIN = "turntable"  # cheap, and it moves
RAW = Wanted(
    seconds=8.0,
    scenes=lambda scene: scene.name == PLAIN,
    coders=lambda coder: coder.codec is None,
    heights=(180,),
)
# They change stamps, arrivals or the coder, and not what is painted.
OFF_PICTURE = {
    "dropped by stamp",
    "stall",
    *(name for name in FAULTS if name.startswith("pixellation")),
    *("packets lost on the link", "bits turned on the link", "format change"),
    "block loss baked in",
}
# Labelled from where they can be seen on.
COMES_ON = {
    "over-exposed",
    "under-exposed",
    "illegal levels",
    "torn pictures",
    "freeze under noise",
}


def coded(coder: Coder) -> Shot:
    """Half a second through one coder."""
    made = shot(1, "tune", Wanted(seconds=0.6, coders=lambda one: one is coder, heights=(180,)))
    return replace(made, scene=SCENES[PLAIN])


def test_every_half_has_at_least_ten_scenes_of_its_own() -> None:
    names = [{scene.name for scene in scenes_of(half)} for half in HALVES]
    assert all(len(one) >= 10 for one in names)
    assert not names[0] & names[1]


@pytest.mark.parametrize("name", PAINTED)
def test_a_scene_paints_the_canvas_it_is_given_and_the_same_again(name: str) -> None:
    canvas = Canvas(width=160, height=96, rate=25, frames=6)
    once, again = (
        list(islice(SCENES[name].paint(canvas, np.random.default_rng(5)), 3)) for _ in range(2)
    )
    for one, two in zip(once, again, strict=True):
        assert [p.shape for p in one] == [(96, 160), (48, 80), (48, 80)]
        assert all(p.dtype == np.uint8 for p in one)
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_a_shot_is_the_same_every_time_and_another_in_the_other_half() -> None:
    first, again = (list(islice(shot(3, "tune", RAW).pictures(), 4)) for _ in range(2))
    assert all(np.array_equal(a.y, b.y) for a, b in zip(first, again, strict=True))
    assert shot(3, "held_out").scene != shot(3, "tune").scene


@pytest.mark.parametrize("name", [c.name for c in CODERS])
def test_what_a_coder_sends_comes_back_through_the_demuxer(name: str) -> None:
    made = coded(BY_NAME[name])
    items = list(made.items()[1])
    frames = [item for item in items if isinstance(item, Frame)]
    assert len(frames) == made.frames
    assert not any(item.corrupt for item in items if isinstance(item, Frame | Packet))
    stamps = [frame.pts for frame in frames]
    assert stamps == sorted(set(stamps), key=lambda pts: pts or 0)


@pytest.mark.parametrize("name", sorted(set(FAULTS) - OFF_PICTURE))
def test_a_fault_changes_the_pictures_inside_its_labels_and_no_others(name: str) -> None:
    made, pristine = next(pair for seed in range(9) if (pair := small(name, seed))[0].labels)
    before, after = list(pristine.pictures()), list(made.pictures())
    inside = np.zeros(made.frames, np.bool_)
    for label in made.labels:
        inside[label.start : label.end] = True
    changed = np.array([not same(*pair) for pair in zip(before, after, strict=True)])
    assert changed[inside].mean() > 0.8
    assert name in COMES_ON or not changed[~inside].any()


def small(name: str, seed: int) -> tuple[Shot, Shot]:
    """A small shot with a fault in it, its pictures made so that it is labelled; and without."""
    wanted = replace(RAW, seconds=7.0)
    made = shot(seed, "tune", wanted)
    FAULTS[name].inject(made, np.random.default_rng(seed))
    deque(made.pictures(), maxlen=0)
    made.labels[:] = list(dict.fromkeys(made.labels))
    return made, shot(seed, "tune", wanted)


def same(one: Picture, two: Picture) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def by_frame(name: str) -> Result:
    """What comes of a link that fails under a plain shot of x264."""
    wanted = replace(RAW, coders=lambda coder: coder.name == "x264 live 2 Mb/s", seconds=8.0)
    made = shot(1, "tune", wanted)
    FAULTS[name].inject(made, np.random.default_rng(2))
    return judge(made, FAULTS[name], hear(made, detectors=FAULTS[name].detectors))


def test_pictures_spoilt_by_the_link_are_found_by_comparing_with_the_whole_stream() -> None:
    result = by_frame("packets lost on the link")
    assert result.labels > 0
    assert result.frames_bad > 0
    assert result.frames_right == result.frames_bad


def test_damage_baked_in_is_labelled_where_it_is_seen() -> None:
    made, _ = next(
        pair for seed in range(5) if (pair := small("block loss baked in", seed))[0].labels
    )
    assert all(0 < label.end - label.start < made.frames for label in made.labels)


def test_another_size_in_mid_stream_is_labelled_at_its_first_picture() -> None:
    wanted = replace(FAULTS["format change"].wanted, seconds=6.0, heights=(180,))
    made = replace(shot(2, "tune", wanted), scene=SCENES[PLAIN])
    FAULTS["format change"].inject(made, np.random.default_rng(1))
    shapes = [
        (item.luma.shape, item.bit_depth) for item in made.items()[1] if isinstance(item, Frame)
    ]
    start = made.labels[0].start
    assert len(set(shapes[:start])) == len(set(shapes[start:])) == 1
    assert shapes[start] != shapes[start - 1]


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video", "mjpeg", "libx265"])
def test_a_starved_encoder_sends_less_and_worse(codec: str) -> None:
    coder = next(c for c in CODERS if c.codec == codec)
    made = coded(coder)
    sent = list(made.sent())
    segment = Segment(start=0, coder=coder)
    well = encoded(sent, made.rate, [segment])
    badly = encoded(sent, made.rate, [starved(segment, sent, made.rate, 0.05)])
    assert len(badly) < 0.7 * len(well)


def run_of(*episodes: tuple[str, int, int], told: int) -> Run:
    heard = [Heard(detector=d, start=a, end=b, told=[told]) for d, a, b in episodes]
    return Run(heard=heard, frames=200)


def test_an_episode_on_a_label_finds_it_and_one_off_every_label_is_false() -> None:
    made = shot(1, "tune", RAW)
    made.labels.append(Label(fault="freeze", start=100, end=130))
    result = judge(
        made, FAULTS["freeze"], run_of(("freeze", 101, 130), ("freeze", 20, 40), told=111)
    )
    assert (result.hits, result.latencies, result.false) == (1, [11], {"freeze": 1})


def test_what_is_told_too_late_or_before_the_fault_does_not_find_it() -> None:
    made = shot(1, "tune", RAW)
    made.labels.append(Label(fault="black", start=50, end=60))
    late = judge(made, FAULTS["black"], run_of(("black", 50, 60), told=90))
    early = judge(made, FAULTS["black"], run_of(("black", 10, 90), told=12))
    assert (late.hits, late.late, early.hits) == (0, 1, 0)


def test_a_fade_through_black_may_be_told_as_black_and_a_freeze_in_it_may_not() -> None:
    made = shot(1, "tune", RAW)
    made.canvas.happens("fade through black", 40, 80)
    result = judge(made, None, run_of(("black", 55, 65), ("freeze", 55, 65), told=60))
    assert result.false == {"freeze": 1}


def test_area_under_the_curve_counts_pairs_and_ties_by_half() -> None:
    assert auc([3.0, 4.0], [1.0, 2.0]) == 1.0
    assert auc([1.0], [1.0, 1.0]) == 0.5
    assert auc([1.0], [2.0, 3.0], less=True) == 1.0
    assert auc([], [1.0]) is None


def test_the_pipeline_hears_black_where_black_was_put() -> None:
    made = shot(4, "tune", RAW)
    FAULTS["black"].inject(made, np.random.default_rng(1))
    result = judge(made, FAULTS["black"], hear(made, detectors={"black"}))
    assert result.labels > 0
    assert result.hits == result.labels
