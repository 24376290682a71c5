"""Timecode labels of SMPTE ST 12-1: from a picture's label to that of another so many later. Pure.

Labels are ``HH:MM:SS:FF``, with ``;`` before the pictures where numbers are dropped: of 29.97 and
59.94 pictures a second the first 2 or 4 numbers of each minute but the tenth are left out, so that
labels keep to the clock within a day.
"""

import re
from fractions import Fraction
from typing import Final

DROPS_A_MINUTE: Final = Fraction(2, 30)  # of the nominal rate: 2 of 30, 4 of 60
_LABEL: Final = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d)")


def label_after(label: str, pictures: int, rate_hz: Fraction) -> str | None:
    """Return the label so many pictures after a label, over midnight; None for what is no label."""
    nominal = round(rate_hz)
    found = _LABEL.fullmatch(label)
    if found is None or nominal < 1 or int(found[5]) >= nominal:
        return None
    hours, minutes, seconds, frames = (int(found[part]) for part in (1, 2, 3, 5))
    dropped = round(nominal * DROPS_A_MINUTE) if found[4] != ":" else 0
    whole_minutes = 60 * hours + minutes
    number = (60 * whole_minutes + seconds) * nominal + frames
    number -= dropped * (whole_minutes - whole_minutes // 10)
    return _label_of(number + pictures, nominal, dropped)


def _label_of(number: int, nominal: int, dropped: int) -> str:
    """Return the label of a picture counted from midnight."""
    ten_minutes = 600 * nominal - 9 * dropped
    tens, rest = divmod(number % (144 * ten_minutes), ten_minutes)
    number = tens * 600 * nominal + rest
    if rest >= 60 * nominal:  # past the first minute of ten, which drops none
        later = 1 + (rest - 60 * nominal) // (60 * nominal - dropped)
        number += dropped * later
    seconds, frames = divmod(number, nominal)
    mark = ";" if dropped else ":"
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}{frames:02}"
