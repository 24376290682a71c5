import subprocess
import sys

import pytest
from click.testing import CliRunner

from api.cli import VERBS, main

HEAVY = ("numpy", "fastapi", "av", "cv2", "sounddevice")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = CliRunner().invoke(main, [verb, "--help"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Usage: main {verb}")


def test_an_unknown_verb_is_misuse() -> None:
    assert CliRunner().invoke(main, ["wacht"]).exit_code == 2


def test_an_unknown_verb_is_told_which_there_are_and_which_was_meant() -> None:
    said = CliRunner().invoke(main, ["chek", "a.mov"])
    assert said.exit_code == 2
    assert "found 'chek', expected one of check, demo" in said.output
    assert "did you mean 'check'?" in said.output


@pytest.mark.parametrize("verb", [["list"], ["revoke", "d1"]])
def test_the_port_may_stand_before_or_after_the_verb(verb: list[str]) -> None:
    for words in (["pair", "--port", "1", *verb], ["pair", *verb, "--port", "1"]):
        said = CliRunner().invoke(main, words)
        assert said.exit_code == 2
        assert "at port 1:" in said.output


def test_help_lists_every_verb_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from api.cli import main;"
        "print(CliRunner().invoke(main, ['--help']).output);"
        f"sys.exit(str([name for name in {HEAVY} if name in sys.modules] or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert not done.stderr.strip()
    for verb in VERBS:
        assert f"  {verb} " in done.stdout
