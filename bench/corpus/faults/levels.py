"""A level that is wrong for long: gain far too low, a microphone that died."""

import numpy as np

from bench.corpus.faults.fault import FIRST_S, Label, fault, floor_rms
from bench.corpus.material import RATE
from bench.corpus.takes import Take, codes

LEFT_S = 12.0  # of the take after a microphone died, at least


@fault(
    "level too low",
    says="one lavalier 25 to 35 dB under where it should be, its wearer speaking",
    detectors=["level_low"],
    within_s=45.0,
    seconds=90.0,
    roles=("boom", "lav", "lav", "lav"),
)
def too_low(take: Take, generator: np.random.Generator) -> list[Label]:
    """Turn one worn lavalier's gain down before the converter, whose noise stays."""
    labels = []
    for channel in [c for c, role in enumerate(take.roles) if role == "lav"]:
        speech = take.speech_of(channel)
        if sum(span.end - span.start for span in speech) < 12 * RATE:
            continue
        down = 10 ** (-generator.uniform(25, 35) / 20)
        samples = take.get(channel) * np.float32(down)
        hiss = generator.standard_normal(len(samples), np.float32) * np.float32(10 ** (-84 / 20))
        take.samples[:, channel] = codes(samples + hiss)
        first = min(span.start for span in speech)
        end = len(take.samples)
        labels.append(Label(fault="level too low", start=first, end=end, channels=(channel,)))
        break
    return labels


@fault(
    "dead microphone",
    says="a capsule dies: only electronics noise is left, 12 to 25 dB under the floor it had",
    detectors=["dead", "dead_microphone", "noise_floor"],
    within_s=10.0,
)
def dead(take: Take, generator: np.random.Generator) -> list[Label]:
    """Leave nothing but noise on two microphones from some moment on."""
    labels: list[Label] = []
    if len(take.samples) < (FIRST_S + LEFT_S) * RATE:
        return labels
    for channel in generator.choice(take.microphones, 2, replace=False):
        start = round(generator.uniform(FIRST_S, len(take.samples) / RATE - LEFT_S) * RATE)
        level = floor_rms(take.get(channel)) * 10 ** (-generator.uniform(12, 25) / 20)
        left = generator.standard_normal(len(take.samples) - start, np.float32) * np.float32(level)
        take.put(int(channel), start, left)
        end = len(take.samples)
        labels.append(
            Label(fault="dead microphone", start=start, end=end, channels=(int(channel),))
        )
    return labels
