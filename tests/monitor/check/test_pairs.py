"""Which channels of a file count as a pair, and what is told of them."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from capture.source import StreamInfo
from monitor.check.one_file import check_file
from monitor.check.pairs import pairs_of
from tests.monitor.check.sound_files import RATE, sine, write_pcm24


@pytest.mark.parametrize(
    ("channels", "names", "pairs"),
    [
        (2, (), ((0, 1),)),
        (2, ("", ""), ((0, 1),)),
        (2, ("MixL", "MixR"), ((0, 1),)),
        (2, ("Boom", "Lav Anna"), ()),
        (2, ("Boom R", "Boom L"), ()),
        (1, (), ()),
        (4, (), ()),
        (4, ("Mix Left", "Mix Right", "Boom", "Lav"), ((0, 1),)),
        (4, ("Boom", "Lav", "AMB-L", "AMB-R"), ((2, 3),)),
        (3, ("Carl", "Car", "Carr"), ()),
    ],
)
def test_pairs_are_what_the_names_say_and_a_stereo_file_without_any(
    channels: int, names: tuple[str, ...], pairs: tuple[tuple[int, int], ...]
) -> None:
    info = StreamInfo(
        index=0,
        kind="audio",
        time_base=Fraction(1, RATE),
        channels=channels,
        channel_names=names or None,
    )
    assert pairs_of(info) == pairs


def speech_like(seconds: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.asarray(rng.normal(0, 0.05, seconds * RATE))


def test_an_inverted_side_of_a_stereo_file_is_a_note_and_the_file_conforms(tmp_path: Path) -> None:
    one = speech_like(12)
    noise = np.random.default_rng(9).normal(0, 0.005, (len(one), 2))
    path = write_pcm24(tmp_path / "inverted.wav", np.stack([one, -one], axis=1) + noise)
    document = check_file(path, None, None, "recording")
    (alert,) = [alert for alert in document.alerts if alert.rule == "audio.polarity"]
    assert alert.severity == "NOTE"
    assert document.verdict == "pass"


def test_a_tone_on_both_sides_still_conforms(tmp_path: Path) -> None:
    document = check_file(write_pcm24(tmp_path / "tone.wav", sine(8)), None, None, "recording")
    assert document.verdict == "pass"
