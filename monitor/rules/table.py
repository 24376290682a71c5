"""The rules in force: the default rows as a spec and a stage make them."""

from config.rows import rows_for
from config.spec import RULE_NAMES, Rule, Spec, Stage
from monitor.metrics import METRICS
from monitor.rules.kinds import KINDS
from monitor.rules.metric import DECLARED_KEYS

__all__ = ["RULE_NAMES", "detector_limits", "metric_keys", "rules_for"]


def rules_for(spec: Spec | None, stage: Stage) -> list[Rule]:
    """Return the rules of a spec's stage; without a spec, the hard faults only.

    Rows of a kind that needs a limit are left out where neither row nor spec names one.
    """
    rows = rows_for(spec, stage)
    for row in rows:
        assert row.kind in KINDS, f"{row.key}: no such kind of rule: {row.kind}"
    return [row for row in rows if row.limit is not None or not KINDS[row.kind].needs_limit]


def detector_limits(spec: Spec | None, stage: Stage) -> dict[str, object]:
    """Return the limits handed to the detectors, by name."""
    return {name: value for row in rows_for(spec, stage) for name, value in row.detector.items()}


def metric_keys() -> frozenset[str]:
    """Return the metrics a rule may name: all that are declared by now, and what hello declares."""
    return frozenset(METRICS) | frozenset(DECLARED_KEYS)
