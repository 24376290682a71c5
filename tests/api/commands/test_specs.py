import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.commands.specs import command
from config.loading import load_spec, preset_names


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


def test_every_preset_is_listed_with_its_title() -> None:
    out = run().output
    for name in preset_names():
        assert f"{name} " in out
        assert load_spec(name).title in out


@pytest.mark.parametrize("name", preset_names())
def test_one_spec_shows_every_limit_with_its_source(name: str) -> None:
    result = run(name)
    assert result.exit_code == 0
    spec = load_spec(name)
    for stage in (spec.feed, spec.recording, spec.delivery):
        for rule in stage.limits:
            assert rule in result.output
    assert "(no source given)" not in result.output


def test_limits_stand_in_the_words_of_the_trade() -> None:
    out = run("tv-25p-hd").output
    assert "−23.0 ±0.2 LUFS" in out
    assert "at most −1.0 dBTP" in out
    assert "1920×1080 px" in out
    assert "EBU R 128" in out
    assert "23.976 Hz" in run("film-23976-hd").output
    assert "at least 8 Mbit/s" in run("online-1080p30").output


def test_json_is_the_same_as_data() -> None:
    listed = json.loads(run("--format", "json").output)
    assert [spec["name"] for spec in listed] == preset_names()
    shown = json.loads(run("podcast-audio", "--format", "json").output)
    (loudness,) = [r for r in shown["stages"]["delivery"] if r["rule"] == "audio.loudness"]
    assert loudness["limit"] == {"value": -16.0, "tolerance": 1.0}
    assert loudness["severity"] == ["FAULT"]
    assert "unverified" in loudness["source"]


def test_a_spec_of_ones_own_is_shown_from_its_path(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'title = "Own # one"\nsource = "us"\n[feed.limits]\n"audio.peak" = { max = -3 }\n'
        '"video.format/scan" = { value = "pro#gressive" } # "as asked"\n'
    )
    out = run(str(path)).output
    assert "at most −3.0 dBFS  NOTE, then CHECK  (no source given)" in out
    assert "pro#gressive" in out
    assert '"as asked"' in out


def test_an_unknown_name_and_a_faulty_file_are_misuse_with_clear_words(tmp_path: Path) -> None:
    result = run("tv-25-hd")
    assert result.exit_code == 2
    assert "did you mean 'tv-25p-hd'?" in result.output
    path = tmp_path / "own.toml"
    path.write_text('title = "Own"\nsource = "us"\n[feed.rules."audio.peak"]\nmetric = "peak"\n')
    result = run(str(path))
    assert result.exit_code == 2
    assert "found 'peak', expected a metric's key" in result.output
