"""The default rules name only what is really measured."""

import pytest

import monitor.hub.hub
import monitor.measure  # noqa: F401  declares all others
from config.loading import load_spec
from config.rows import default_rows
from config.spec import Row, Stage
from monitor.measure.measurement import MEASUREMENTS
from monitor.rules.kinds import KINDS
from monitor.rules.table import RULE_NAMES, detector_limits, metric_keys, rules_for

OF_THE_PIPELINE = {"format_changed"}  # it sees the streams change, no measurement does
OF_THE_SERVICE = {"monitoring_lost"}


@pytest.mark.parametrize("row", default_rows(), ids=lambda row: row.key)
def test_a_row_names_a_metric_or_an_event_that_exists(row: Row) -> None:
    detectors = {name for kind in MEASUREMENTS.values() for name in kind.detectors}
    assert row.kind in KINDS
    assert not (row.metric and row.event)
    for metric in (row.metric, row.error_metric):
        assert metric is None or metric in metric_keys()
    assert row.event is None or row.event in detectors | OF_THE_PIPELINE | OF_THE_SERVICE
    assert set(row.suppresses) <= {*RULE_NAMES, *(other.key for other in default_rows())}


def test_without_a_spec_only_rules_that_need_no_limit_apply() -> None:
    keys = {rule.key for rule in rules_for(None, "recording")}
    assert {"audio.clipping", "audio.silence", "source.gap", "video.freeze"} <= keys
    assert not {"audio.peak", "audio.loudness", "video.frame_rate", "video.resolution"} & keys


def test_a_spec_changes_any_cell() -> None:
    spec = load_spec("tv-25p-hd")
    feed = spec.feed.model_copy(
        update={"rules": {"audio.clipping": {"latch": "cut", "detector": {"clip_run_samples": 5}}}}
    )
    changed = spec.model_copy(update={"feed": feed})
    (rule,) = [r for r in rules_for(changed, "feed") if r.key == "audio.clipping"]
    assert rule.latch == "cut"
    assert detector_limits(changed, "feed")["clip_run_samples"] == 5
    assert detector_limits(changed, "recording")["clip_run_samples"] == 3


def test_a_file_is_judged_more_gravely_than_a_feed() -> None:
    spec = load_spec("film-24p-hd")
    stages: tuple[Stage, ...] = ("feed", "recording")
    of = {
        s: {r.key: r.rolling[-1].severity for r in rules_for(spec, s) if r.rolling} for s in stages
    }
    for key in ("video.frame_rate", "video.resolution", "video.format"):
        assert (of["feed"][key], of["recording"][key]) == ("CHECK", "FAULT")
