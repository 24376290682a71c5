"""The corpus proves itself on made-up voices, so that it needs no network."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import bench.corpus.faults  # noqa: F401  fills the registry
from bench.corpus.faults.fault import FAULTS, Label
from bench.corpus.material import HALVES, RATE, half_of
from bench.corpus.score import Heard, Result, judge, rate_bound, recall_bound, spoil
from bench.corpus.synthetic import material
from bench.corpus.takes import FULL_SCALE, Take, take

SECONDS = 28.0
CHANNELS = 5
SECONDS_OF_FRAMES = round(SECONDS) * 50
END_CODES = (FULL_SCALE - 1, -FULL_SCALE)
# Samples beside a label that are touched too: gain ramps, filtered windows, a receiver's edges.
MARGINS = {
    "clip at full scale": round(0.2 * RATE),
    "clip, then low-pass, 1 %": 3 * RATE,
    "clip, then low-pass, 0.3 %": 3 * RATE,
    "dropout": RATE // 4000,
}
LABELLED_FROM_SPEECH_ON = "level too low"  # a gain is wrong all along; nobody can tell before


@pytest.fixture(scope="module")
def takes() -> list[Take]:
    """Two takes whose stereo pairs are set up differently."""
    found: dict[str, Take] = {}
    seed = 0
    while len(found) < 2:
        made = take(seed, "tune", seconds=SECONDS, channels=CHANNELS, material=material())
        found.setdefault(made.stereo, made)
        seed += 1
    return list(found.values())


def spoilt_by(name: str, takes: list[Take]) -> tuple[Take, Take, list[Label]]:
    """The clean take, the spoilt one and the labels; the first take that has a place for it."""
    for clean in takes:
        spoilt, labels = spoil(clean, FAULTS[name])
        if labels:
            return clean, spoilt, labels
    pytest.fail(f"no take has a place for {name}")


def labelled(take_: Take, labels: list[Label], margin: int) -> NDArray[np.bool_]:
    inside = np.zeros(take_.samples.shape, np.bool_)
    for label in labels:
        for channel in label.channels:
            inside[max(0, label.start - margin) : label.end + margin, channel] = True
    return inside


def test_a_take_is_the_same_every_time_and_another_in_the_other_half() -> None:
    first, again = (take(5, "tune", seconds=11, channels=2, material=material()) for _ in range(2))
    other = take(5, "held_out", seconds=11, channels=2, material=material())
    assert np.array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples, other.samples)


@pytest.mark.parametrize("seconds", [10.5, 16.0])
def test_a_take_may_end_at_any_moment(seconds: float) -> None:
    for seed in range(4):
        made = take(seed, "tune", seconds=seconds, channels=3, material=material())
        frames = round(seconds * RATE)
        assert made.samples.shape == (frames, 3)
        speech = [span for span in made.happenings if span.kind == "speech"]
        assert all(span.start < span.end <= frames for span in speech)


def test_halves_share_no_source_file() -> None:
    used: dict[str, set[str]] = {half: set() for half in HALVES}
    for half in HALVES:
        for seed in range(2):
            made = take(seed, half, seconds=13, channels=1, material=material())
            used[half] |= made.sources
            assert {half_of(name) for name in made.sources} == {half}
    assert used["tune"]
    assert used["held_out"]
    assert not used["tune"] & used["held_out"]


@pytest.mark.parametrize("name", sorted(set(FAULTS) - {LABELLED_FROM_SPEECH_ON}))
def test_nothing_is_spoilt_but_what_the_labels_say(name: str, takes: list[Take]) -> None:
    clean, spoilt, labels = spoilt_by(name, takes)
    if spoilt.as_float is None:
        changed = np.asarray(clean.samples != spoilt.samples)
    else:
        changed = ~np.isfinite(spoilt.as_float)
    assert not (changed & ~labelled(clean, labels, MARGINS.get(name, 0))).any()
    for label in labels:
        touched = changed[label.start : label.end, list(label.channels)]
        assert touched.any(), f"{label} changed nothing"


def test_full_scale_labels_span_the_runs_at_the_end_codes(takes: list[Take]) -> None:
    _, spoilt, labels = spoilt_by("clip at full scale", takes)
    for label in labels:
        column = spoilt.samples[:, label.channels[0]]
        ends = np.isin(column[label.start : label.end] >> 8, END_CODES)
        assert ends[:3].all()
        assert ends[-3:].all()
    outside = ~labelled(spoilt, labels, 0)
    for code in END_CODES:
        there = (spoilt.samples >> 8 == code) & outside
        runs_of_three = there[2:] & there[1:-1] & there[:-2]
        assert not runs_of_three[12 * RATE :].any()


def test_flat_tops_below_full_scale_are_as_many_as_the_label_says(takes: list[Take]) -> None:
    _, spoilt, labels = spoilt_by("clip below full scale", takes)
    for label in labels:
        column = np.abs(spoilt.samples[label.start : label.end, label.channels[0]].astype(np.int64))
        flat = np.sum(column >= column.max() - 256)
        assert flat / (3 * RATE) == pytest.approx(label.amount, rel=0.1, abs=3e-5)
        assert column.max() < 0.95 * 2**31


@pytest.mark.parametrize("name", ["digital zeros", "stuck sample"])
def test_what_stands_still_stands_still_exactly_there(name: str, takes: list[Take]) -> None:
    _, spoilt, labels = spoilt_by(name, takes)
    for label in labels:
        column = spoilt.samples[:, label.channels[0]]
        assert (column[label.start : label.end] == column[label.start]).all()
        assert (column[label.start] == 0) == (name == "digital zeros")


def test_a_repeated_buffer_equals_what_was_before_it(takes: list[Take]) -> None:
    _, spoilt, labels = spoilt_by("repeated buffer", takes)
    for label in labels:
        size = round(label.amount)
        before = spoilt.samples[label.start - size : label.end - size]
        assert np.array_equal(before, spoilt.samples[label.start : label.end])


def test_a_dropout_lies_20_db_under_the_room(takes: list[Take]) -> None:
    clean, spoilt, labels = spoilt_by("dropout", takes)
    for label in labels:
        channel = label.channels[0]
        frames = clean.get(channel)[: SECONDS_OF_FRAMES * 960].reshape(-1, 960)
        quietest = float(np.quantile(np.sqrt(np.mean(frames**2, axis=1)), 0.1))
        left = spoilt.get(channel, label.start, label.end)
        assert float(np.sqrt(np.mean(left**2))) < quietest / 9


@pytest.mark.parametrize("level_dbfs", [-60, -70])
def test_hum_is_as_loud_as_it_says_and_on_the_mains(level_dbfs: int, takes: list[Take]) -> None:
    clean, spoilt, labels = spoilt_by(f"hum at {level_dbfs} dBFS", takes)
    label = labels[0]
    channel, start, end = label.channels[0], label.start + RATE, label.start + 11 * RATE
    added = spoilt.get(channel, start, end) - clean.get(channel, start, end)
    spectrum = np.abs(np.fft.rfft(added * np.hanning(len(added)))) * 4 / len(added)
    top = int(spectrum.argmax())
    rms = np.sqrt(np.sum(spectrum[top - 3 : top + 4] ** 2) / 1.5 / 2)
    assert 20 * np.log10(rms) == pytest.approx(level_dbfs, abs=0.5)
    hz = top / 10
    assert min(abs(hz / base - round(hz / base)) for base in (50, 60)) < 0.005


@pytest.mark.parametrize("stereo", ["coincident", "spaced"])
def test_polarity_is_inverted_from_the_label_on(stereo: str, takes: list[Take]) -> None:
    clean, spoilt, labels = spoilt_by(f"polarity, {stereo} pair", takes)
    assert clean.stereo == stereo
    right = labels[0].channels[1]
    start = labels[0].start
    assert np.array_equal(spoilt.get(right, start), -clean.get(right, start))


def test_sixteen_bits_and_dc_are_there_from_the_label_on(takes: list[Take]) -> None:
    _, spoilt, labels = spoilt_by("16 bits in 24", takes)
    for label in labels:
        assert not (spoilt.samples[label.start :, label.channels[0]] & 0xFFFF).any()
    _, spoilt, labels = spoilt_by("DC step", takes)
    for label in labels:
        mean = float(spoilt.get(label.channels[0], label.start).mean())
        assert abs(mean) == pytest.approx(label.amount, rel=0.1)


def result_of(name: str, takes: list[Take], heard: list[Heard]) -> Result:
    _, spoilt, labels = spoilt_by(name, takes)
    return judge(spoilt, FAULTS[name], labels, heard)


def at(label: Label, detector: str = "dropout") -> Heard:
    start, end = label.start, label.end
    return Heard(detector=detector, channels=label.channels, start=start, end=end, told=[end])


def test_a_detector_that_says_nothing_recalls_nothing(takes: list[Take]) -> None:
    result = result_of("dropout", takes, [])
    assert result.labels > 10
    assert (result.hits, result.false) == (0, {})
    assert recall_bound(result.hits, result.labels) == 0


def test_a_detector_that_cries_always_scores_badly(takes: list[Take]) -> None:
    everywhere = [
        Heard(detector="dropout", channels=(c,), start=at, end=at + 100, told=[at + 100])
        for at in range(0, round(SECONDS * RATE), RATE // 10)
        for c in range(CHANNELS)
    ]
    result = result_of("dropout", takes, everywhere)
    assert result.hits == result.labels
    hours = result.channel_s / 3600
    assert rate_bound(result.false["dropout"], hours) > 1000
    clean = judge(takes[0], None, [], everywhere)
    assert clean.false["dropout"] == len(everywhere)


def test_a_detector_that_is_right_scores_fully_and_a_late_or_misplaced_one_does_not(
    takes: list[Take],
) -> None:
    _, spoilt, labels = spoilt_by("dropout", takes)
    right = judge(spoilt, FAULTS["dropout"], labels, [at(label) for label in labels])
    assert (right.hits, right.late, right.false) == (len(labels), 0, {})
    told_late = [replace(at(label), told=[label.end + RATE]) for label in labels]
    late = judge(spoilt, FAULTS["dropout"], labels, told_late)
    assert (late.hits, late.late) == (0, len(labels))
    elsewhere = [replace(at(label), channels=((label.channels[0] + 1) % 5,)) for label in labels]
    wrong = judge(spoilt, FAULTS["dropout"], labels[:1], elsewhere[:1])
    assert (wrong.hits, wrong.false) == (0, {"dropout": 1})
    others = judge(spoilt, FAULTS["dropout"], labels, [at(label, "hum") for label in labels])
    assert (others.hits, others.others) == (0, {"hum": len(labels)})


def test_of_faults_told_as_one_episode_each_must_be_told(takes: list[Take]) -> None:
    _, spoilt, labels = spoilt_by("dropout", takes)
    first, second = labels[:2]
    assert first.channels == second.channels
    whole = replace(at(first), end=second.end)
    once = judge(spoilt, FAULTS["dropout"], [first, second], [whole])
    assert (once.hits, len(once.missed), once.false) == (1, 1, {})
    twice = replace(whole, told=[first.end, second.end])
    assert judge(spoilt, FAULTS["dropout"], [first, second], [twice]).hits == 2


def test_the_bounds_are_the_textbook_ones() -> None:
    assert recall_bound(299, 299) == pytest.approx(0.05 ** (1 / 299))
    assert rate_bound(0, 1.0) == pytest.approx(-np.log(0.05))
    assert recall_bound(90, 100) == pytest.approx(0.8363, abs=1e-3)
