"""Essentia's published detectors on one file: runs in an environment of its own (it is AGPL).

``python essentia_worker.py DETECTOR RATE FILE.npy``: float32 (frames, channels) in, JSON out: a
list of [channel, start in s, end in s]. Parameters are the defaults of each algorithm's page.
"""

import json
import sys
from collections.abc import Callable, Iterator

import essentia
import essentia.standard as es
import numpy as np

Found = Iterator[tuple[float, float]]


def frames_of(samples, size: int, hop: int):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the frames that an algorithm takes."""
    return es.FrameGenerator(samples, frameSize=size, hopSize=hop, startFromZero=True)


def spans(algorithm: str, size: int, hop: int) -> Callable[..., Found]:
    """Return a detector that gives starts and ends in seconds, frame by frame."""

    def run(samples, rate: int) -> Found:  # type: ignore[no-untyped-def]  # noqa: ANN001
        made = getattr(es, algorithm)(sampleRate=rate, frameSize=size, hopSize=hop)
        for frame in frames_of(samples, size, hop):
            starts, ends = made(frame)
            yield from zip(starts.tolist(), ends.tolist(), strict=False)

    return run


def discontinuities(samples, rate: int) -> Found:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Yield jumps; the algorithm gives places within a frame."""
    size, hop = 512, 256
    made = es.DiscontinuityDetector(frameSize=size, hopSize=hop)
    for index, frame in enumerate(frames_of(samples, size, hop)):
        places, _ = made(frame)
        for place in places.tolist():
            at = (index * hop + place) / rate
            yield at, at + 1 / rate


def hum(samples, rate: int) -> Found:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Yield tones between 22 and 400 Hz that last, as its page describes."""
    _, _, _, starts, ends = es.HumDetector(sampleRate=rate)(samples)
    yield from zip(starts.tolist(), ends.tolist(), strict=True)


DETECTORS: dict[str, Callable[..., Found]] = {
    "SaturationDetector": spans("SaturationDetector", 512, 256),
    "ClickDetector": spans("ClickDetector", 512, 256),
    "GapsDetector": spans("GapsDetector", 2048, 1024),
    "DiscontinuityDetector": discontinuities,
    "HumDetector": hum,
}


def false_stereo(samples, rate: int) -> Found:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Yield frames of a pair that are the same on both sides."""
    size, hop = 1024, 512
    made = es.FalseStereoDetector()
    mux = es.StereoMuxer()
    pair = mux(np.ascontiguousarray(samples[:, 0]), np.ascontiguousarray(samples[:, 1]))
    for at in range(0, len(pair) - size, hop):
        is_false, _ = made(pair[at : at + size])
        if is_false:
            yield at / rate, (at + size) / rate


def main() -> None:
    """Run one detector over every channel, or over the first pair."""
    essentia.log.infoActive = False
    essentia.log.warningActive = False
    name, rate, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    samples = np.load(path)
    found: list[list[float]] = []
    if name == "FalseStereoDetector":
        found = [[0, start, end] for start, end in false_stereo(samples, rate)]
    else:
        for channel in range(samples.shape[1]):
            column = np.ascontiguousarray(samples[:, channel])
            found += [[channel, start, end] for start, end in DETECTORS[name](column, rate)]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
