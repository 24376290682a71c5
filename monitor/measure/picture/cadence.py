"""How pictures follow one another: a constant rate, 3:2 pulldown, or no steady rate. Pure.

All functions take ascending stamps in any unit, as floats, at least 3 of them.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

CadenceWord = Literal["constant", "pulldown 3:2", "variable"]
Stamps = NDArray[np.float64]

HOLES_SHARE = 0.1  # of the grid left empty: a link that loses more has no steady rate either
PULLDOWN_SHARE = 0.9  # of steps that must alternate; the others are edits and losses
PULLDOWN_SLACK = 0.1  # of the long step to the short one, around 3:2; rounding to ms moves it 0.04
FEED_SLACK = 0.2  # of the period: cameras stamp when they get to it
FILE_SLACK_S = 0.001  # a file that was ever in milliseconds (Matroska, FLV) is off by that


def frame_numbers(times: Stamps) -> Stamps:
    """Return each picture's place on a grid of the usual step: a missing picture leaves a hole."""
    steps = np.diff(times)
    usual = float(np.median(steps))
    return np.concatenate(([0.0], np.cumsum(np.maximum(1, np.round(steps / usual)))))


def pulldown_fields(times: Stamps) -> Stamps | None:
    """Return each picture's place in fields where pictures last 2 and 3 in turn, else None.

    Film at 23.976 carried in 59.94 fields by the repeat-first-field flag (ITU-T H.262, 6.3.10).
    """
    steps = np.diff(times)
    if len(steps) < 4:
        return None
    least, greatest = float(steps.min()), float(steps.max())
    if greatest < (1.5 - PULLDOWN_SLACK) * least:  # nearly always: a constant rate
        return None
    long = steps > (least + greatest) / 2
    ratio = float(np.median(steps[long]) / np.median(steps[~long]))
    turns = float(np.mean(long[1:] != long[:-1]))
    if abs(ratio - 1.5) > PULLDOWN_SLACK or turns < PULLDOWN_SHARE:
        return None
    return np.concatenate(([0.0], np.cumsum(np.where(long, 3.0, 2.0))))


def off_grid(times: Stamps, numbers: Stamps, period: float) -> float:
    """Return the farthest that a stamp lies from the grid of this period, laid for the least."""
    rest = times - numbers * period
    return float(rest.max() - rest.min()) / 2


def cadence_word(numbers: Stamps, worst_off: float, slack: float, *, pulldown: bool) -> CadenceWord:
    """Return the cadence in a word; ``worst_off`` and ``slack`` in one unit."""
    if worst_off > slack:
        return "variable"
    if pulldown:
        return "pulldown 3:2"
    holes = 1 - len(numbers) / (numbers[-1] + 1)
    return "variable" if holes > HOLES_SHARE else "constant"
