"""The spec in force, in the page's words."""

from api.messages import SpecView
from config.spec import Limit, Spec, StageSpec


def _value(value: float | list[float] | str) -> str:
    if isinstance(value, list):
        return "×".join(f"{part:g}" for part in value)
    return value if isinstance(value, str) else f"{value:.10g}"


def in_words(limit: Limit) -> str:
    """Return a limit as a person writes it."""
    if limit.value is not None:
        value = limit.value
        text = _value(value)
        return f"{text} ±{limit.tolerance:g}" if limit.tolerance else text
    low = "" if limit.min is None else f"≥ {limit.min:g}"
    high = "" if limit.max is None else f"≤ {limit.max:g}"
    return " and ".join(part for part in (low, high) if part)


def _loudness_band(stage: StageSpec) -> tuple[float | None, float | None]:
    limit = stage.limits.get("audio.loudness")
    if limit is None or isinstance(limit.value, str | list):
        return None, None
    if limit.value is None:
        return limit.min, limit.max
    return limit.value - limit.tolerance, limit.value + limit.tolerance


def spec_view(name: str, spec: Spec) -> SpecView:
    """Return what the page quotes of a spec while it watches feeds."""
    low, high = _loudness_band(spec.feed)
    peak = spec.feed.limits.get("audio.peak")
    return SpecView(
        name=name,
        title=spec.title,
        stage="feed",
        limits={rule: in_words(limit) for rule, limit in spec.feed.limits.items()},
        peak_max_dbfs=peak.max if peak else None,
        target_min_dbfs=low,
        target_max_dbfs=high,
    )
