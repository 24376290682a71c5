"""What a listener is: a kernel of float samples, fed hop by hop, and the registry of them.

Samples are converted once, gathered into hops, and what several listeners want of a hop is worked
out once; :mod:`monitor.measure.sound.listening` does so. Detectors that need the codes as they came
(end codes, exact zeros) are measurements of their own and see the blocks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.measure.measurement import Detection, Setup
from monitor.measure.sound.energies import Cells
from monitor.measure.sound.hops import HISTORY, Samples
from monitor.metrics import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A stretch of sound of all channels. Arrays are valid only while it is heard.

    ``with_history``: (channels, HISTORY + frames), full scale ±1, no NaN; what is before the hop in
    front. ``start``: tick of the hop's first sample. ``follows``: the sample before it is the one
    that came before; False at the start and after a hole. ``peaks``: max |x|, shape (channels,).
    ``energies``: mean squares of the 10 ms cells it finished, (cells, channels), holes bridged.
    ``fine``: those of its 1 ms cells; their grid starts anew after a hole, and the first of them
    begins at tick ``fine_start``.
    """

    with_history: Samples
    start: int
    follows: bool
    peaks: NDArray[np.float32]
    energies: Cells
    fine: Cells
    fine_start: int

    @property
    def samples(self) -> Samples:
        """The hop without what was before, (channels, frames)."""
        return self.with_history[:, HISTORY:]

    @property
    def frames(self) -> int:
        """Samples a channel."""
        return int(self.with_history.shape[1]) - HISTORY

    @property
    def end(self) -> int:
        """Tick after the last sample."""
        return self.start + self.frames


class Listener(Protocol):
    """One kernel or detector of float samples; made for a known number of channels.

    Results must not depend on how the signal is cut into hops.
    """

    def __init__(self, setup: Setup, channels: int, sample_rate_hz: int) -> None:
        """Begin with no memory."""

    def hear(self, hop: Hop) -> None:
        """Take the next hop; from 1 frame to 524,288 values, or 0.1 s of many channels."""

    def drain(self) -> Mapping[str, Value]:
        """Return the metric values since the last drain. Keys are declared metrics."""

    def events(self) -> list[Detection]:
        """Return the episodes' steps since the last call, in order."""

    def reset(self) -> None:
        """Restart integrated values and maxima since reset, at the next sample."""

    def finish(self) -> None:
        """Close open episodes and fill last windows: the stream has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerKind:
    """A registered listener and the detectors whose events it gives."""

    name: str
    make: Callable[[Setup, int, int], Listener]
    detectors: tuple[str, ...]


LISTENERS: Final[dict[str, ListenerKind]] = {}
DETECTORS_HEARD: Final[list[str]] = []
"""Detectors of all listeners, in order of their registration."""


def listen(name: str, detectors: tuple[str, ...] = ()) -> Callable[[type], type]:
    """Register a listener class under a name, with the detectors whose events it gives."""

    def register(cls: type) -> type:
        assert name not in LISTENERS, f"listener registered twice: {name}"
        LISTENERS[name] = ListenerKind(name=name, make=cls, detectors=detectors)
        DETECTORS_HEARD.extend(detectors)
        return cls

    return register
