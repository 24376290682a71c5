"""``takewatch devices`` with a virtual sound card, without any, and without PortAudio."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.rigs.sound_card import WITHOUT_PORTAUDIO, SoundCard, environment

LIST = "from api.cli import main; main()"


def run(
    arguments: list[str], env: dict[str, str], code: str = LIST
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    wide = {**env, "COLUMNS": "160"}
    return subprocess.run(
        command, env=wide, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_card_is_listed_with_what_to_write_in_the_settings(
    tmp_path: Path, card_library: Path
) -> None:
    silence = np.zeros((4800, 8), np.int32)
    with SoundCard(tmp_path, card_library, silence, name="cart") as card:
        text = run(["devices"], environment(card))
        data = run(["devices", "--format", "json"], environment(card))
    assert text.returncode == 0, text.stderr
    assert 'device = "cart"' in text.stdout
    assert "8 channels, 48000 Hz" in text.stdout
    (found,) = (i for i in json.loads(data.stdout)["inputs"] if i["kind"] == "audio_device")
    assert found["options"] == {"device": "cart"}


def test_a_machine_without_inputs_is_told_what_to_do() -> None:
    done = run(["devices"], dict(os.environ))
    assert done.returncode == 0
    assert "takewatch demo" in done.stdout


def test_without_portaudio_the_package_to_install_is_named(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_PORTAUDIO)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = run(["devices"], {**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0
    assert "libportaudio2" in done.stderr
    data = run(["devices", "--format", "json"], {**os.environ, "PYTHONPATH": path})
    assert "libportaudio2" in json.loads(data.stdout)["not_listed"]["audio_device"]
