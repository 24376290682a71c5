"""The documents' JSON is the product's interface: its keys are what the design says."""

import json

from hypothesis import given
from hypothesis import strategies as st

from monitor.report import REPORTS, plot, wording
from tests.monitor.report.samples import check_batch, whole_day

LOUDNESS = {"integrated_lufs", "range_lu", "momentary_max_lufs", "short_term_max_lufs"}


def test_a_checked_files_json_has_the_promised_keys_in_their_order() -> None:
    found = json.loads(REPORTS["json"].render(check_batch()).splitlines()[0])
    assert list(found) == [
        "file", "spec", "stage", "verdict", "not_checked", "error", "duration_s", "audio",
        "video", "alerts",
    ]  # fmt: skip
    assert list(found["audio"][0]) == [
        "stream", "codec", "sample_rate_hz", "channels", "bit_depth", "bit_rate_bps", "programme",
        "loudness", "channel_loudness", "true_peak_dbtp", "sample_peak_dbfs", "dc_offset",
        "noise_floor_dbfs",
    ]  # fmt: skip
    assert set(found["audio"][0]["loudness"]) == LOUDNESS
    assert set(found["audio"][0]["bit_rate_bps"]) == {"mean", "min_1s", "max_1s"}
    assert list(found["video"][0]) == [
        "stream", "codec", "width", "height", "pixel_format", "bit_depth", "scan", "frame_rate",
        "frames", "frames_dropped", "frames_repeated", "bit_rate_bps", "profile", "level",
        "chroma", "pixel_aspect", "field_order", "colour", "undeclared",
        "timecode", "frames_out_of_order", "key_frame_interval_max_s", "av_offset",
    ]  # fmt: skip
    assert found["video"][0]["frame_rate"] == {
        "declared": "24000/1001", "measured": 23.976024, "error": 0.000012, "cadence": "constant",
    }  # fmt: skip
    assert list(found["alerts"][1]) == [
        "rule", "severity", "stream", "channel", "start_s", "end_s", "start", "end", "timecode",
        "worst", "limit", "unit", "message", "trace", "ebu_qc", "cause",
    ]  # fmt: skip
    assert found["alerts"][1]["start"] == {"ticks": 592320, "time_base": "1/48000"}


def test_silence_is_null_and_never_an_infinity() -> None:
    text = REPORTS["json"].render(check_batch())
    assert "Infinity" not in text
    assert json.loads(text.splitlines()[0])["audio"][0]["channel_loudness"][1] == dict.fromkeys(
        LOUDNESS
    )


def test_every_verdict_of_a_day_is_said_to_be_of_the_feed() -> None:
    for form in ("text", "html", "json", "csv"):
        assert "as seen on the feed" in REPORTS[form].render(whole_day().document())


@given(st.floats(-1e6, 1e6))
def test_a_figure_never_says_minus_nought(value: float) -> None:
    assert wording.figure(value) != "−0.0"


@given(st.floats(0, 86400 * 3))
def test_a_position_is_cut_and_not_rounded_up(seconds: float) -> None:
    parts = [float(part) for part in wording.clock(seconds, 3).split(":")]
    told = sum(part * 60**at for at, part in enumerate(reversed(parts)))
    assert -0.0005 <= seconds - told < 0.0011


@given(st.floats(0.1, 200_000))
def test_time_labels_are_few_and_lie_on_the_plot(length_s: float) -> None:
    labels = plot.time_labels(length_s)
    assert 1 <= len(labels) <= plot.X_LABELS + 1
    assert all(0 <= label.at < plot.WIDTH for label in labels)


@given(st.floats(-10, 1000), st.one_of(st.none(), st.floats(0, 1000)))
def test_marks_lie_inside_the_plot_and_can_be_seen(start_s: float, end_s: float | None) -> None:
    from tests.monitor.report.samples import check_alert

    checked = (
        check_batch()
        .files[0]
        .model_copy(update={"alerts": [check_alert(start_s=start_s, end_s=end_s)]})
    )
    (mark,) = plot.check_plots(checked)[1].marks
    assert mark.x >= 0
    assert mark.x + mark.width <= plot.WIDTH + 0.11
    assert mark.width >= 2.9
