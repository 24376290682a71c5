"""What goes wrong in practice feeds, by a script: which fault, when, for how long, how often."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

What = Literal["clip", "silence", "dropout", "freeze", "black", "drop_frames", "lost", "frame_rate"]


class Fault(BaseModel):
    """One line of the script: what happens, when, for how long, and every how many seconds.

    ``channel`` counts from 1 and is needed by clip, silence and dropout. ``lost`` stops the feed;
    for longer than the stall time it ends the source as an unplugged one ends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    what: What
    at_s: float = Field(ge=0)
    for_s: float = Field(gt=0)
    channel: int | None = Field(default=None, ge=1, le=256)
    repeat_s: float | None = Field(default=None, gt=0)


SOUND_SCRIPT = (
    Fault(what="clip", at_s=42.0, for_s=0.004, channel=3, repeat_s=150),
    Fault(what="clip", at_s=95.0, for_s=0.05, channel=3, repeat_s=300),
    Fault(what="silence", at_s=130.0, for_s=1.5, channel=5, repeat_s=300),
    Fault(what="dropout", at_s=205.0, for_s=8.0, channel=6, repeat_s=400),
)
SCRIPTS: dict[str, tuple[Fault, ...]] = {
    "sound": SOUND_SCRIPT,
    "camera_a": (Fault(what="drop_frames", at_s=165.0, for_s=0.4, repeat_s=300),),
    "camera_b": (
        Fault(what="freeze", at_s=65.0, for_s=3.5, repeat_s=240),
        Fault(what="drop_frames", at_s=150.0, for_s=0.6, repeat_s=240),
        Fault(what="black", at_s=220.0, for_s=3.0, repeat_s=480),
    ),
}


def spans(fault: Fault, start: int, stop: int, ticks_per_s: int) -> Iterator[tuple[int, int]]:
    """Yield where the fault is on within [start, stop), as ticks."""
    first = round(fault.at_s * ticks_per_s)
    length = max(1, round(fault.for_s * ticks_per_s))
    period = round(fault.repeat_s * ticks_per_s) if fault.repeat_s else None
    turn = max(0, (start - first - length) // period) if period else 0
    while (on := first + (turn * period if period else 0)) < stop:
        if on + length > start:
            yield max(on, start), min(on + length, stop)
        if period is None:
            return
        turn += 1


def is_on(fault: Fault, tick: int, ticks_per_s: int) -> bool:
    """Say whether the fault is on at a tick."""
    return next(spans(fault, tick, tick + 1, ticks_per_s), None) is not None


def clip(samples: NDArray[np.int32], start: int, rate_hz: int) -> None:
    """Overdrive one channel's 24-bit samples in place, as a bumped boom does.

    A 180 Hz thump far over full scale is added, so that even a pause clips.
    """
    at = np.arange(start, start + len(samples)) / rate_hz
    thump = 2.4 * np.sin(2 * np.pi * 180.0 * (at - start / rate_hz) + 0.6)
    driven = samples.astype(np.float64) / 2**31 * 6 + thump
    codes = np.clip(np.rint(driven * 2**23), -(2**23), 2**23 - 1)
    samples[:] = codes.astype(np.int32) << 8


def spoil(samples: NDArray[np.int32], start: int, rate_hz: int, script: tuple[Fault, ...]) -> None:
    """Play the script's sound faults into a block, in place."""
    for fault in script:
        if fault.channel is None or fault.channel > samples.shape[1]:
            continue
        for on, off in spans(fault, start, start + len(samples), rate_hz):
            part = samples[on - start : off - start, fault.channel - 1]
            if fault.what == "clip":
                clip(part, on, rate_hz)
            elif fault.what == "silence":
                part[:] = 0
            elif fault.what == "dropout":
                part[:] = (part >> 16) << 8  # 48 dB down: a dead capsule, not digital silence
