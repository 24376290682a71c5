"""Microphones that changed places since line-up: each hisses as another did.

The noise of the last 20 s of every channel (:mod:`noise_signature`) is compared with what the
line-up learned of all. Told are channels in a ring, two or more, of which each fits the record of
the next clearly better than its own, three times in a row, 2 s apart. One channel that looks like
another's record proves nothing, nor does a gain that was moved. Chains whose noise is alike cannot
be told apart, and nothing is said of them. See docs/decisions/0132-swapped-by-their-noise.md.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.listener import Hop, listen
from monitor.measure.sound_faults.noise_signature import (
    NoiseFrames,
    Powers,
    own_spread,
    signature,
)
from monitor.metrics import Value, declare

LEARN_FRAMES: Final = 150  # 30 s of line-up
NOW_FRAMES: Final = 100  # 20 s: holds pauses of nearly any dialogue
LOOK_EVERY: Final = 10  # frames, 2 s
LOOKS: Final = 3
SURE_DB: Final = 0.25  # repeated signatures of steady noise differ by 0.1 to 0.2 dB
OF_SPREAD: Final = 0.15
BETTER: Final = 0.5  # misfit less than its own; 62 clean takes of the tuning half stayed under
FITS: Final = 0.8  # misfit at most, half of the bands within one deviation; or half of its own
OF_OWN: Final = 0.5
LEAST_BANDS: Final = 3  # fewer average too little: the estimates' own noise looks like a swap
GONE: Final = 0.0  # an open episode ends where a channel fits its own record as well

NOISE_SIGNATURE = declare(
    "noise_signature_db",
    "dB",
    "vector",
    "last",
    "Noise between words in half octaves from 3.2 to 18 kHz over 30 s, live only: of each channel "
    "a level (dBFS) and a spread (dB) a band. The line-up keeps it to know microphones by.",
    baseline=True,
)

Ring = tuple[int, ...]


def misfits(now: Powers, record: Powers) -> Powers:
    """Return how badly each channel's noise fits each record, (channels, records), 0 is the same.

    The mean over the bands of log(1 + z²), z the difference in deviations: of heavy tails, since
    one band may hold a whistle. NaN where either is unknown.
    """
    spread = np.maximum(now[:, None, :, 1], record[None, :, :, 1])
    steady = own_spread(now.shape[1])
    deviation = SURE_DB + OF_SPREAD * steady + np.maximum(0.0, spread - 1.3 * steady)
    z = (now[:, None, :, 0] - record[None, :, :, 0]) / deviation
    return np.asarray(np.log1p(z**2).mean(axis=2), np.float64)


def rings(misfit: Powers, better: float, judged: NDArray[np.bool_]) -> list[Ring]:
    """Return the rings of channels that each fit the record of the next, its own less."""
    own = np.diagonal(misfit)[:, None]
    limit = np.maximum(FITS, OF_OWN * own)
    fits = np.logical_and(own - misfit > better, misfit < limit)
    fits[~judged] = False
    fits[:, ~judged] = False
    fits[:, ~fits.any(axis=1)] = False
    follow = np.where(fits, misfit, np.inf).argmin(axis=1).tolist()
    able: list[bool] = np.asarray(fits.any(axis=1)).tolist()
    found: list[Ring] = []
    for first in range(len(follow)):
        ring, at = [first], follow[first]
        while able[ring[-1]] and at not in ring:
            ring.append(at)
            at = follow[at]
        if at == first == min(ring) and len(ring) > 1 and able[ring[-1]]:
            found.append(tuple(ring))
    return found


@listen("swapped", detectors=("swapped",))
class Swapped:
    """Channels that changed places, against the line-up; of a live source only."""

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        self._baseline = setup.baseline
        self._channels = channels
        self._judged = np.ones(channels, np.bool_)
        if setup.programme is not None and len(setup.programme) < channels:
            self._judged[list(setup.programme)] = False
        self._frames = NoiseFrames(channels, sample_rate_hz)
        self._works = setup.live and self._frames.bands >= LEAST_BANDS
        self._recent = np.empty((LEARN_FRAMES, channels, self._frames.bands))
        self._count = 0
        self._learned: list[float | int | None] | None = None
        self._seen: dict[Ring, int] = {}
        """Rings of the last looks, and how often in a row."""
        self._open: dict[Ring, Detection] = {}
        self._missed: dict[Ring, int] = {}
        self._end = 0
        self._steps: list[Detection] = []

    def hear(self, hop: Hop) -> None:
        """Take the hop's frames."""
        self._end = hop.end
        if not self._works:
            return
        for tick, powers in self._frames.hear(hop):
            self._recent[self._count % LEARN_FRAMES] = powers
            self._count += 1
            if self._count % LOOK_EVERY == 0:
                self._look(tick)

    def _newest(self, count: int) -> Powers:
        """Return the last ``count`` frames, in any order."""
        return self._recent[np.arange(self._count - count, self._count) % LEARN_FRAMES]

    def _look(self, tick: int) -> None:
        if self._count >= LEARN_FRAMES:
            learned = signature(self._newest(LEARN_FRAMES)).round(2).ravel().tolist()
            self._learned = [None if value != value else value for value in learned]
        record = self._record()
        if record is None or self._count < NOW_FRAMES:
            self._forget(tick)
            return
        now = signature(self._newest(NOW_FRAMES))
        misfit = misfits(now, record)
        found = rings(misfit, BETTER, self._judged)
        self._seen = {ring: self._seen.get(ring, 0) + 1 for ring in found}
        for ring, times in self._seen.items():
            if times >= LOOKS and not any(set(ring) & set(one) for one in self._open):
                self._begin(ring, tick, now, record)
        still = rings(misfit, GONE, self._judged)
        for ring in list(self._open):
            self._missed[ring] = 0 if ring in still else self._missed[ring] + 1
            if self._missed[ring] >= LOOKS:
                self._close(ring, tick)

    def _record(self) -> Powers | None:
        """Return what the line-up learned, (channels, bands, 2), NaN where unknown."""
        value = self._baseline.get(NOISE_SIGNATURE.key)
        shape = (self._channels, self._frames.bands, 2)
        if not isinstance(value, list) or len(value) != self._channels * self._frames.bands * 2:
            return None
        return np.array([np.nan if one is None else one for one in value], np.float64).reshape(
            shape
        )

    def _begin(self, ring: Ring, tick: int, now: Powers, record: Powers) -> None:
        apart = np.abs(now[..., 0] - record[..., 0]).max(axis=1)[list(ring)]
        frames = NOW_FRAMES + (LOOKS - 1) * LOOK_EVERY
        start = max(0, tick - (frames - 1) * self._frames.step - self._frames.length)
        self._open[ring] = Detection(
            detector="swapped",
            key=f"swapped-{'-'.join(map(str, ring))}-{start}",
            phase="open",
            start=start,
            channels=tuple(sorted(ring)),
            worst=round(float(apart.max()), 1),
            worst_tick=tick,
            unit="dB",
        )
        self._missed[ring] = 0
        self._steps.append(self._open[ring])

    def _close(self, ring: Ring, end: int) -> None:
        opened = self._open.pop(ring)
        del self._missed[ring]
        self._steps.append(
            Detection(
                detector=opened.detector,
                key=opened.key,
                phase="close",
                start=opened.start,
                end=max(end, opened.start),
                channels=opened.channels,
                worst=opened.worst,
                worst_tick=opened.worst_tick,
                unit=opened.unit,
            )
        )

    def _forget(self, tick: int) -> None:
        """Close what is open: there is nothing to compare with any more."""
        self._seen = {}
        for ring in list(self._open):
            self._close(ring, tick)

    def drain(self) -> Mapping[str, Value]:
        """Return the signature when there is a new one, every 2 s after 30 s."""
        learned, self._learned = self._learned, None
        return {} if learned is None else {NOISE_SIGNATURE.key: learned}

    def events(self) -> list[Detection]:
        """Return the episodes' steps."""
        steps, self._steps = self._steps, []
        return steps

    def reset(self) -> None:
        """Nothing here is integrated."""

    def finish(self) -> None:
        """Close open episodes where the stream ends."""
        self._forget(self._end)
