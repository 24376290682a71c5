from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from config.errors import ConfigError, SettingsError, SpecError
from config.loading import load_settings, load_spec, preset_names
from config.rows import PRESETS, default_rows
from config.settings import Settings
from config.spec import RULE_NAMES, Stage
from monitor.rules.kinds import KINDS
from monitor.rules.table import metric_keys, rules_for


class FeedOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    address: str
    transport: str = "tcp"


OPTIONS: dict[str, type[BaseModel]] = {"network_feed": FeedOptions}


def faults(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path, OPTIONS)
    return [str(fault) for fault in caught.value.faults]


def source(**changes: object) -> str:
    table: dict[str, object] = {
        "id": "cam-a", "kind": "network_feed", "name": "A camera", "address": "rtsp://a/b",
    } | changes  # fmt: skip
    lines = [f"{key} = {value!r}" for key, value in table.items() if value is not None]
    return "[[source]]\n" + "\n".join(lines) + "\n"


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("")
    assert load_settings(path, OPTIONS) == Settings()


def test_a_sources_options_are_kept_for_its_kind(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(source(transport="udp"))
    assert load_settings(path, OPTIONS).source[0].options == {
        "address": "rtsp://a/b", "transport": "udp",
    }  # fmt: skip


def test_all_faults_are_listed_at_once_each_with_its_path_and_a_suggestion(tmp_path: Path) -> None:
    text = (
        'spec = "tv-25-hd"\n[network]\nprot = 8400\nport = 99999\n'
        '[storage]\nline_log_gib = "much"\n'
        + source(id="Cam A", kind="network_fed")
        + source(adress="rtsp://a/b", address=None)
    )
    found = faults(tmp_path, text)
    assert found == [
        "network.port: found 99999, expected at most 65535",
        "network.prot: found an unknown key, expected allowed_hosts, host or port; "
        "did you mean 'port'?",
        "storage.line_log_gib: found 'much', expected a number",
        "source[\"Cam A\"].id: found 'Cam A', "
        "expected text that matches ^[a-z0-9][a-z0-9_-]{0,31}$",
        "source[\"Cam A\"].kind: found 'network_fed', expected network_feed; "
        "did you mean 'network_feed'?",
        'source["cam-a"].adress: found an unknown key, expected an option of network_feed '
        "(address, transport); did you mean 'address'?",
        'source["cam-a"].address: found nothing, expected a value',
        "spec: found 'tv-25-hd', expected capture-streaming-uhd, film-23976-hd, film-24p-hd, "
        "online-1080p30, online-1080p60, online-vertical-1080x1920, podcast-audio, radio-r128, "
        "tv-25p-hd, tv-2997-hd, tv-50p-hd, uk-hd-1080i25 or uk-uhd-2160p50, "
        "or the path of a .toml file; "
        "did you mean 'tv-25p-hd'?",
    ]


def test_two_sources_of_one_id_are_a_fault(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, source() + source(name="B camera"))
    assert fault == "source[2].id: found 'cam-a', which is source 1's, expected an id of its own"


def test_channels_count_from_one(tmp_path: Path) -> None:
    found = faults(tmp_path, source(programme=[0, 1], pairs=[[1, 0]]))
    assert found == [
        'source["cam-a"].programme: found 0, expected channels from 1',
        'source["cam-a"].pairs: found 0, expected channels from 1',
    ]


def test_a_syntax_error_names_its_line(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, '[network]\nhost = "127.0.0.1"\nport = = 1\n')
    assert fault.startswith("line 3, column 8: found 'port = = 1', expected TOML (")


def test_a_missing_file_and_bytes_that_are_no_text_are_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="found no such file, expected a TOML file"):
        load_settings(tmp_path / "nothing.toml", OPTIONS)
    with pytest.raises(SettingsError, match="expected a readable TOML file"):
        load_settings(tmp_path, OPTIONS)
    path = tmp_path / "bytes.toml"
    path.write_bytes(b'[network]\nhost = "\xff"\n')
    with pytest.raises(SettingsError, match="not UTF-8 in line 2"):
        load_settings(path, OPTIONS)


def test_a_windows_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbfspec = 'podcast-audio'\r\n")
    assert load_settings(path, OPTIONS).spec == "podcast-audio"


def test_a_spec_of_ones_own_is_found_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('title = "Own"\nsource = "us"\n')
    path = tmp_path / "settings.toml"
    path.write_text('spec = "own.toml"\n')
    assert load_spec(load_settings(path, OPTIONS).spec, tmp_path).title == "Own"


def test_a_spec_of_ones_own_is_checked_rule_by_rule(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        """
        title = "Own"
        source = "us"
        [feed.limits]
        "audio.peek" = { max = -1.0 }
        "audio.peak" = { min = -1.0 }
        "video.frame_rate" = { value = "25 fps" }
        "audio.clipping" = { max = 5 }
        "timecode.drift" = { max = -60.0 }
        [recording.rules."audio.peak"]
        metric = "sample_peek_dbfs"
        on_dellay_s = 1.0
        rolling = [{ severity = "CHEK" }]
        [delivery.limits]
        "audio.loudness" = { valu = -23.0 }
        """
    )
    with pytest.raises(SpecError) as caught:
        load_spec(str(path), metrics=metric_keys() | {"sample_peak_dbfs"})
    assert [str(f) for f in caught.value.faults] == [
        'delivery.limits."audio.loudness".valu: found an unknown key, expected max, min, one_of, '
        "tolerance or value; did you mean 'value'?"
    ]
    path.write_text(path.read_text().replace("valu =", "value ="))
    with pytest.raises(SpecError) as caught:
        load_spec(str(path), metrics=metric_keys() | {"sample_peak_dbfs"})
    found = [str(f) for f in caught.value.faults]
    assert len(found) == 8
    text = "\n".join(found)
    assert "found 'audio.peek', expected a rule's name; did you mean 'audio.peak'?" in text
    assert "found 'timecode.drift', expected a rule that is measured already" in text
    assert '"audio.peak": found no max, expected max = …' in text
    assert "found '25 fps', expected a number or a fraction such as \"24000/1001\"" in text
    assert '"audio.clipping": found a limit, expected none' in text
    assert "found 'sample_peek_dbfs', expected a metric's key" in text
    assert "did you mean 'sample_peak_dbfs'?" in text
    assert "on_dellay_s: found an unknown key" in text
    assert "did you mean 'on_delay_s'?" in text
    assert "rolling[1].severity: found 'CHEK'" in text


def test_an_unknown_preset_lists_the_known_and_suggests() -> None:
    with pytest.raises(SpecError, match="did you mean 'podcast-audio'"):
        load_spec("podcast")


# ---- presets -----------------------------------------------------------------------------------


def test_all_presets_are_there() -> None:
    assert preset_names() == [
        "capture-streaming-uhd", "film-23976-hd", "film-24p-hd", "online-1080p30",
        "online-1080p60", "online-vertical-1080x1920", "podcast-audio", "radio-r128", "tv-25p-hd",
        "tv-2997-hd", "tv-50p-hd", "uk-hd-1080i25", "uk-uhd-2160p50",
    ]  # fmt: skip


@pytest.mark.parametrize("name", preset_names())
def test_a_presets_every_limit_says_its_source(name: str) -> None:
    spec = load_spec(name)
    assert spec.title
    assert spec.source
    for line in (PRESETS / f"{name}.toml").read_text().splitlines():
        if line.startswith('"'):
            _, _, comment = line.partition("#")
            assert len(comment.strip()) > 8, line


@pytest.mark.parametrize("name", preset_names())
def test_loudness_and_true_peak_belong_to_the_delivery_only(name: str) -> None:
    spec = load_spec(name)
    normalised = {"audio.loudness", "audio.true_peak", "video.legal_range"}
    assert not normalised & (set(spec.feed.limits) | set(spec.recording.limits))


@pytest.mark.parametrize("name", ["podcast-audio", "radio-r128"])
def test_sound_alone_asks_nothing_of_pictures(name: str) -> None:
    spec = load_spec(name)
    for stage in (spec.feed, spec.recording, spec.delivery):
        assert not [name for name in stage.limits if name.startswith("video.")]


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("stage", ["feed", "recording", "delivery"])
def test_every_rule_of_every_preset_can_be_judged(name: str, stage: Stage) -> None:
    for rule in rules_for(load_spec(name), stage):
        assert rule.kind in KINDS
        assert rule.limit is not None or not KINDS[rule.kind].needs_limit


def test_default_rows_keep_to_the_known_names_and_to_one_row_a_key() -> None:
    rows = default_rows()
    assert {row.name for row in rows} <= set(RULE_NAMES)
    assert len({row.key for row in rows}) == len(rows)


# ---- nothing but a ConfigError -----------------------------------------------------------------

INNER = [
    "id", "kind", "name", "port", "x", "feed", "limits", "audio.peak", "max", "rules", "rolling",
]  # fmt: skip
words = st.text(alphabet=st.characters(max_codepoint=0x17F), max_size=8)
values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = ["production", "network", "storage", "spec", "source", "title", "feed", "delivery", "naem"]


def toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        pairs = (f"{toml(key)} = {toml(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08x}" if ord(c) < 0xD800 else "?" for c in value) + '"'
    return "''" if value is None else str(value)


FUZZ = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def refusal(load: Callable[[], object]) -> ConfigError | None:
    """Return why a file is refused, or None; any other exception fails the test."""
    try:
        load()
    except ConfigError as error:
        return error
    return None


@FUZZ
@given(st.dictionaries(st.sampled_from(KEYS), values, max_size=5))
def test_any_toml_loads_or_is_refused_with_its_faults(
    tmp_path: Path, document: dict[str, object]
) -> None:
    path = tmp_path / "any.toml"
    path.write_text("".join(f"{key} = {toml(value)}\n" for key, value in document.items()))
    for load in (lambda: load_settings(path, OPTIONS), lambda: load_spec(str(path))):
        error = refusal(load)
        assert error is None or error.faults


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(data)
    error = refusal(lambda: load_settings(path, OPTIONS))
    assert error is None or error.faults
