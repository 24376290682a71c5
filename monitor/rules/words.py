"""Alerts in words: names, counts from 1, units. Templates are the ``message`` cells of rules."""

from collections.abc import Mapping
from fractions import Fraction

from config.spec import Limit, Rule
from monitor.rules.episode import SECOND_NS, Episode
from monitor.rules.kinds import Worst
from monitor.rules.metric import bound
from monitor.rules.model import Place
from monitor.rules.outside import edges

ONE_DECIMAL = frozenset({"dBFS", "dBTP", "LUFS", "LU", "dB"})
FEW_DECIMALS = frozenset({"ms", "%", "ppm"})
"""Units in which no fault is known more finely than a tenth."""
PREFIXES = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (0.0, "bit/s"))
FEW = ("", "once", "twice")


def duration_text(ns: int) -> str:
    """Return a duration: ``20 ms``, ``1.3 s``, ``2 min 5 s``."""
    if ns < SECOND_NS:
        return f"{max(1, round(ns / 1e6))} ms"
    tenths = round(ns / 1e8)
    if tenths < 600:
        return f"{tenths / 10:.1f} s"
    minutes, seconds = divmod(round(ns / SECOND_NS), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def times_text(count: int) -> str:
    """Return ``once``, ``twice``, ``3 times``."""
    return FEW[count] if 0 < count < len(FEW) else f"{count} times"


def number_text(value: float, unit: str) -> str:
    """Return a number as people of the trade write it in this unit."""
    if unit == "bit/s":
        scale, name = next(pair for pair in PREFIXES if abs(value) >= pair[0])
        return f"{value / (scale or 1):.3g} {name}"
    trimmed = f"{value:.{1 if unit in FEW_DECIMALS else 3}f}".rstrip("0").rstrip(".")
    text = f"{value:.1f}" if unit in ONE_DECIMAL else trimmed
    is_zero = not text.strip("-0.")  # −0.0 of a peak just under full scale reads like a mistake
    return text.lstrip("-") if is_zero else text.replace("-", "−")


def value_text(value: Worst, unit: str) -> str:
    """Return a value in words; a picture's size as ``1920×1080``."""
    if value is None:
        return "unknown"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "×".join(number_text(item, unit) for item in value)
    return number_text(value, unit)


def missing_text(worst: Worst, unit: str, start: Place | None) -> str:
    """Return what a gap lost: as time where it is known, ``21 ms of sound``, else ``3 packets``.

    A stream that loses samples counts its ticks in samples.
    """
    if not isinstance(worst, int | float):
        return value_text(worst, unit)
    if unit == "s":
        return duration_text(round(worst * SECOND_NS))
    if unit == "samples" and start is not None:
        lost_ns = round(worst * Fraction(start.time_base) * SECOND_NS)
        return f"{duration_text(lost_ns)} of sound"
    return f"{number_text(worst, unit)} {unit.removesuffix('s') if worst == 1 else unit}"


def limit_text(limit: Limit | None, unit: str) -> str:
    """Return a limit in words: ``25``, ``−23.0 ±0.2``, ``at least 8 Mbit/s``, ``5 to 9``."""
    if limit is None:
        return ""
    if limit.one_of is not None:
        *others, last = (value_text(one, unit) for one in limit.one_of)
        return f"{', '.join(others)} or {last}" if others else last
    if limit.value is not None:
        if isinstance(limit.value, list):
            return value_text(limit.value, unit)
        number = _number(limit.value)
        middle = str(limit.value) if number is None else number_text(number, unit)
        wide = limit.tolerance and unit != "Hz"  # a rate's tolerance is its clock's, not a choice
        return f"{middle} ±{number_text(limit.tolerance, unit)}" if wide else middle
    low, high = limit.min, limit.max
    if low is not None and high is not None:
        return f"{number_text(low, unit)} to {number_text(high, unit)}"
    if low is not None:
        return f"at least {number_text(low, unit)}"
    return f"at most {number_text(high, unit)}" if high is not None else ""


def _number(value: float | str) -> float | None:
    try:
        return bound(value)
    except (ValueError, ZeroDivisionError):
        return None


def limit_value(rule: Rule, worst: Worst) -> Worst:
    """Return the limit an alert quotes: the bound that was passed."""
    limit = rule.limit
    if limit is None:
        return None
    if rule.kind == "outside" and isinstance(worst, int | float) and limit.value is None:
        low, high = edges(limit)
        return low if worst < low else high
    if limit.one_of is not None:
        return limit_text(limit, "")
    if limit.value is not None:
        number = None if isinstance(limit.value, list) else _number(limit.value)
        return limit.value if number is None else number
    return limit.max if limit.max is not None else limit.min


def _single(rule: Rule, unit: str) -> str:
    """Return the limit as the templates of one-sided kinds want it: the bare bound."""
    assert rule.limit is not None
    if rule.kind in ("above", "below"):
        side = rule.limit.max if rule.kind == "above" else rule.limit.min
        return value_text(side, unit)
    return limit_text(rule.limit, unit)


def fields(rule: Rule, episode: Episode, now_ns: int, name: str, source: str) -> dict[str, str]:
    """Return what a message template may name."""
    lasted = duration_text(episode.lasted_ns(now_ns))
    span = duration_text(episode.seen_ns - episode.onset_ns)  # first fault to last
    return {
        "name": name,
        "source": source,
        "count": str(episode.count),
        "frames": "1 frame" if episode.count == 1 else f"{episode.count} frames",
        "times": times_text(episode.count),
        "span": f" in {span}" if episode.count > 1 else "",
        "duration": lasted,
        "worst": value_text(episode.worst, episode.unit),
        "limit": _single(rule, episode.unit) if rule.limit else "",
        "unit": episode.unit,
        "missing": missing_text(episode.worst, episode.unit, episode.start),
        "by": f" ({episode.detail})" if episode.detail else "",
    }


TEMPLATE_FIELDS = frozenset(
    {
        "name",
        "source",
        "count",
        "frames",
        "times",
        "span",
        "duration",
        "worst",
        "limit",
        "unit",
        "missing",
        "by",
    }
)


def message(rule: Rule, values: Mapping[str, str]) -> str:
    """Return a rule's message with its fields filled in."""
    template = rule.message or "{name}: " + rule.name
    return template.format_map(dict(values))
