"""Dropouts of a wireless link: the sound is gone for 3 ms to 1 s, and the room with it."""

import numpy as np

from bench.corpus.faults.fault import Label, fault, floor_rms, spots
from bench.corpus.material import RATE
from bench.corpus.takes import Take

UNDER_DB = 20.0  # under the room's own noise, at least
EDGE = RATE // 4000  # a receiver mutes within a quarter of a millisecond


@fault(
    "dropout",
    says="3 ms to 1 s of nothing, 20 to 40 dB under the room's own noise or exact zeros",
    detectors=["dropout"],
    also=["silence", "stuck"],
    recall=0.99,
    false_per_h=0.5,
    within_s=0.5,
    from_end=True,
)
def dropout(take: Take, generator: np.random.Generator) -> list[Label]:
    """Take the sound away; half of the time a receiver's own noise is left."""
    labels = []
    floors = {channel: floor_rms(take.get(channel)) for channel in take.microphones}
    for spot in spots(take, generator, (0.003, 1.0), apart_s=4.0):
        frames = spot.end - spot.start
        under_db = UNDER_DB + generator.uniform(0, 20)
        level = floors[spot.channel] * 10 ** (-under_db / 20) * (generator.random() < 0.5)
        left = generator.standard_normal(frames, np.float32) * np.float32(level)
        around = take.get(spot.channel, spot.start - EDGE, spot.end + EDGE)
        around[EDGE:-EDGE] = left
        around[:EDGE] *= np.linspace(1, 0, EDGE, dtype=np.float32)
        around[-EDGE:] *= np.linspace(0, 1, EDGE, dtype=np.float32)
        take.put(spot.channel, spot.start - EDGE, around)
        labels.append(
            Label(
                fault="dropout",
                start=spot.start,
                end=spot.end,
                channels=(spot.channel,),
                amount=frames / RATE,
            )
        )
    return labels
