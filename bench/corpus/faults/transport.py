"""Faults of a digital link: zeros, a stuck sample, a buffer twice, no numbers, a lost byte, DC."""

import numpy as np

from bench.corpus.faults.fault import FIRST_S, Label, fault, spots
from bench.corpus.material import RATE
from bench.corpus.takes import Take, codes

BUFFERS = (64, 128, 240, 256, 480, 512, 960, 1024, 2048)
LEFT_S = 12.0  # of the take after a fault that stays, at least
LOW_BYTES = np.int32(-(1 << 16))


@fault(
    "digital zeros",
    says="exact zeros for 0.3 to 3 s on a live microphone",
    detectors=["silence"],
    also=["dropout"],
    recall=1.0,
    false_per_h=0.0,
)
def zeros(take: Take, generator: np.random.Generator) -> list[Label]:
    """Write zeros."""
    labels = []
    for spot in spots(take, generator, (0.3, 3.0), apart_s=5.0):
        take.samples[spot.start : spot.end, spot.channel] = 0
        labels.append(
            Label(fault="digital zeros", start=spot.start, end=spot.end, channels=(spot.channel,))
        )
    return labels


@fault(
    "stuck sample",
    says="one value held for 0.3 to 3 s",
    detectors=["stuck"],
    also=["silence", "dropout"],
    recall=1.0,
    false_per_h=0.0,
)
def stuck(take: Take, generator: np.random.Generator) -> list[Label]:
    """Hold the sample at the spot's start."""
    labels = []
    for spot in spots(take, generator, (0.3, 3.0), apart_s=5.0):
        held = take.samples[spot.start, spot.channel] or np.int32(256)
        take.samples[spot.start : spot.end, spot.channel] = held
        labels.append(
            Label(fault="stuck sample", start=spot.start, end=spot.end, channels=(spot.channel,))
        )
    return labels


@fault(
    "repeated buffer",
    says="a buffer of 64 to 2048 samples on all channels delivered twice to six times",
    detectors=["repeated_buffer"],
    recall=1.0,
    false_per_h=0.0,
    from_end=True,
)
def repeated(take: Take, generator: np.random.Generator) -> list[Label]:
    """Write a buffer over what follows it, as a driver that missed its turn does."""
    labels = []
    everyone = tuple(range(take.samples.shape[1]))
    for spot in spots(take, generator, (0.01, 0.01), apart_s=4.0, channels=[0]):
        size = int(generator.choice(BUFFERS))
        times = int(generator.integers(1, 6))
        if spot.start + size * (times + 1) >= len(take.samples):
            continue
        buffer = take.samples[spot.start : spot.start + size].copy()
        for turn in range(1, times + 1):
            take.samples[spot.start + turn * size : spot.start + (turn + 1) * size] = buffer
        labels.append(
            Label(
                fault="repeated buffer",
                start=spot.start + size,
                end=spot.start + size * (times + 1),
                channels=everyone,
                amount=size,
            )
        )
    return labels


@fault(
    "not a number",
    says="1 to 500 samples of NaN or infinity in a float stream",
    detectors=["nan"],
    recall=1.0,
    false_per_h=0.0,
)
def not_a_number(take: Take, generator: np.random.Generator) -> list[Label]:
    """Turn the take into floats, some of which are none."""
    floats = take.samples.astype(np.float32) * np.float32(2.0**-31)
    labels = []
    for spot in spots(take, generator, (1 / RATE, 500 / RATE), apart_s=4.0):
        value = generator.choice([np.nan, np.inf, -np.inf])
        floats[spot.start : spot.end, spot.channel] = value
        labels.append(
            Label(fault="not a number", start=spot.start, end=spot.end, channels=(spot.channel,))
        )
    take.as_float = floats
    return labels


@fault(
    "16 bits in 24",
    says="the low byte is zero from some moment on, or from the start",
    detectors=["audio.format"],
    metric="bits_resting",
    words=["bits never move"],
    recall=1.0,
    false_per_h=0.0,
    within_s=12.0,
)
def sixteen_bits(take: Take, generator: np.random.Generator) -> list[Label]:
    """Cut the low byte of some channels' samples off."""
    labels = []
    for channel in take.microphones:
        late = generator.random() < 0.5
        start = round(generator.uniform(FIRST_S, len(take.samples) / RATE - LEFT_S) * RATE) * late
        take.samples[start:, channel] &= LOW_BYTES
        end = len(take.samples)
        labels.append(Label(fault="16 bits in 24", start=start, end=end, channels=(channel,)))
    return labels


@fault(
    "DC step",
    says="an offset of 0.5 % to 10 % of full scale from some moment on",
    detectors=["audio.dc_offset"],
    metric="dc_offset",
    recall=1.0,
    false_per_h=0.0,
    within_s=10.0,
)
def dc_step(take: Take, generator: np.random.Generator) -> list[Label]:
    """Add a constant."""
    labels = []
    for channel in take.microphones:
        start = round(generator.uniform(FIRST_S, len(take.samples) / RATE - LEFT_S) * RATE)
        offset = generator.choice([-1, 1]) * 0.005 * 20 ** generator.random()
        samples = take.get(channel, start)
        take.samples[start:, channel] = codes(samples * np.float32(0.85) + np.float32(offset))
        end = len(take.samples)
        labels.append(
            Label(fault="DC step", start=start, end=end, channels=(channel,), amount=abs(offset))
        )
    return labels
