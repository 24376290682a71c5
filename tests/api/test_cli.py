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
