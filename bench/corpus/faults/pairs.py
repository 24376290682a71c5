"""Faults between tracks: polarity, dual mono, a duplicate, two cables swapped."""

import numpy as np

from bench.corpus.faults.fault import FIRST_S, Label, fault
from bench.corpus.material import RATE
from bench.corpus.takes import Take, codes

A_PAIR = ("stereo left", "stereo right")
PAIR_S = 36.0


def _some_start(take: Take, generator: np.random.Generator) -> int:
    """Return 0 or a moment in the take's first half."""
    late = generator.random() < 0.5
    return round(generator.uniform(FIRST_S, len(take.samples) / RATE / 2) * RATE) * late


def _pair_labels(name: str, take: Take, start: int) -> list[Label]:
    end = len(take.samples)
    return [Label(fault=name, start=start, end=end, channels=pair) for pair in take.pairs]


def _inverted(name: str, take: Take, generator: np.random.Generator, stereo: str) -> list[Label]:
    if take.stereo != stereo:
        return []
    start = _some_start(take, generator)
    for _, right in take.pairs:
        take.samples[start:, right] = codes(-take.get(right, start))
    return _pair_labels(name, take, start)


@fault(
    "polarity, coincident pair",
    says="one microphone of a declared coincident pair inverted",
    detectors=["polarity"],
    recall=1.0,
    false_per_h=0.1,
    within_s=20.0,
    seconds=PAIR_S,
    roles=A_PAIR,
)
def polarity_coincident(take: Take, generator: np.random.Generator) -> list[Label]:
    """Invert the right channel of a coincident pair."""
    return _inverted("polarity, coincident pair", take, generator, "coincident")


@fault(
    "polarity, spaced pair",
    says="one microphone of a declared pair 0.2 to 2 m apart inverted",
    detectors=["polarity"],
    recall=0.95,
    false_per_h=0.1,
    within_s=20.0,
    seconds=PAIR_S,
    roles=A_PAIR,
)
def polarity_spaced(take: Take, generator: np.random.Generator) -> list[Label]:
    """Invert the right channel of a spaced pair."""
    return _inverted("polarity, spaced pair", take, generator, "spaced")


@fault(
    "dual mono",
    says="both channels of a declared pair carry exactly the same",
    detectors=["dual_mono"],
    also=["duplicate"],
    recall=1.0,
    false_per_h=0.1,
    within_s=5.0,
    seconds=PAIR_S,
    roles=A_PAIR,
)
def dual_mono(take: Take, generator: np.random.Generator) -> list[Label]:
    """Copy left to right."""
    start = _some_start(take, generator)
    for left, right in take.pairs:
        take.samples[start:, right] = take.samples[start:, left]
    return _pair_labels("dual mono", take, start)


@fault(
    "duplicate track",
    says="the right channel of a declared pair is the left one at another gain",
    detectors=["dual_mono"],
    also=["duplicate"],
    recall=1.0,
    false_per_h=0.1,
    within_s=10.0,
    seconds=PAIR_S,
    roles=A_PAIR,
)
def duplicate(take: Take, generator: np.random.Generator) -> list[Label]:
    """Copy left to right at another gain, rounded anew."""
    start = _some_start(take, generator)
    gain = np.float32(10 ** (generator.uniform(-12, -1) / 20))
    for left, right in take.pairs:
        take.samples[start:, right] = codes(take.get(left, start) * gain)
    return _pair_labels("duplicate track", take, start)


@fault(
    "swapped channels",
    says="two lavaliers' cables swapped after line-up, for the rest of the take",
    detectors=["swapped"],
    recall=1.0,
    false_per_h=0.1,
    within_s=30.0,
    seconds=75.0,
    roles=("boom", "lav", "lav"),
)
def swapped(take: Take, generator: np.random.Generator) -> list[Label]:
    """Swap two lavaliers from a moment in the take's first half on."""
    worn = [channel for channel, role in enumerate(take.roles) if role == "lav"][:2]
    if len(worn) < 2:
        return []
    start = round(generator.uniform(FIRST_S, len(take.samples) / RATE / 2) * RATE)
    take.samples[start:, worn] = take.samples[start:, worn[::-1]]
    end = len(take.samples)
    return [Label(fault="swapped channels", start=start, end=end, channels=(worn[0], worn[1]))]
