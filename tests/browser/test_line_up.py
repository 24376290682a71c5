"""A morning's line-up on a tablet, against the real service: a tone, a boom, a muted lavalier."""

import re
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import FULL_SCALE, RATE_HZ, Tablet, opened, tab
from tests.rigs.clips import ffmpeg
from tests.rigs.service import RunningService

CONFIG = """
[production]
name = "The Long Field"
unit = "Main unit"

[[source]]
id = "cart"
kind = "media_file"
name = "Sound cart"
channel_names = ["Tone", "Boom", "Ana"]
programme = [1]
path = "{sound}"
real_time = true
loop = true

[[source]]
id = "a"
kind = "media_file"
name = "A camera"
department = "camera"
path = "{card}"
real_time = true
loop = true

[[source]]
id = "b"
kind = "media_file"
name = "B camera"
department = "camera"
path = "{darker}"
real_time = true
loop = true
"""
LENGTH_S = 90  # longer than the tests take, so that Ana stays silent
SPEAKS_S = 1


def write_morning(path: Path) -> None:
    """Write a 1 kHz tone at -20 dBFS, a quiet room, and a microphone that is soon switched off."""
    frames = LENGTH_S * RATE_HZ
    tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)
    room = np.random.default_rng(5).normal(0, 0.002, RATE_HZ)
    sound = np.zeros((frames, 3), "<i2")
    sound[:, 0] = np.tile(np.round(tone * FULL_SCALE), LENGTH_S)
    sound[:, 1] = np.tile(np.round(room * FULL_SCALE), LENGTH_S)
    sound[: SPEAKS_S * RATE_HZ, 2] = sound[: SPEAKS_S * RATE_HZ, 1]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(3)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(sound.tobytes())


def write_card(path: Path, code: int) -> None:
    """Write a grey card before a test picture."""
    held = "between(X/W,.25,.75)*between(Y/H,.25,.75)"
    planes = {"lum": code, "cb": 128, "cr": 128}
    drawn = ":".join(f"{key}='if({held},{grey},{key}(X,Y))'" for key, grey in planes.items())
    picture = f"testsrc2=size=640x360:rate=25,format=yuv420p,geq={drawn}"
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25"]
    source = ["-f", "lavfi", "-i", picture, "-t", "4"]
    subprocess.run([ffmpeg(), "-loglevel", "error", *source, *coded, str(path)], check=True)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The real service on that morning."""
    folder = tmp_path_factory.mktemp("morning")
    write_morning(folder / "sound.wav")
    config = folder / "takewatch.toml"
    for name, code in (("card", 106), ("darker", 84)):
        write_card(folder / f"{name}.mp4", code)
    files = {name: folder / f"{name}.mp4" for name in ("card", "darker")}
    config.write_text(CONFIG.format(sound=folder / "sound.wav", **files))
    running = RunningService(folder / "data", config)
    running.folder.mkdir()
    running.start()
    yield running
    running.stop()


def dismiss(page: Page) -> None:
    """Take away what lies over the tabs: a message with a way back stays for 10 s."""
    page.get_by_role("button", name="dismiss").tap()


def test_one_tap_marks_a_silent_microphone_as_muted_and_another_takes_it_back(
    tablet: Tablet, morning: RunningService
) -> None:
    page = opened(tablet, morning)
    page.get_by_test_id("roll").tap()
    dismiss(page)
    tab(page, "Alerts")
    alert = page.get_by_test_id("alert").filter(has_text="Digital silence")
    expect(alert).to_contain_text("Ana")
    alert.get_by_role("button", name="Muted on purpose").tap()
    expect(alert).to_have_count(0)
    expect(page.get_by_test_id("muted")).to_contain_text("Ana · Sound cart")
    dismiss(page)
    tab(page, "Glance")
    expect(page.get_by_test_id("meters-cart").get_by_text("MUTED")).to_be_visible()
    expect(page.get_by_test_id("word-sound")).to_have_attribute("data-word", "OK")

    tab(page, "Alerts")
    page.get_by_test_id("muted").get_by_role("button", name="Not muted").tap()
    expect(alert).to_contain_text("Ana")
    page.get_by_test_id("roll").tap()
    expect(page.get_by_test_id("phase")).to_have_text("STANDBY")


def learn(page: Page) -> None:
    """Tap once, and it is learned."""
    page.get_by_role("button", name="Learn now").tap()
    expect(page.get_by_test_id("learned").filter(has_text=re.compile("^learned"))).to_be_visible()


def test_a_line_up_ticks_what_carries_sound_reads_the_tone_and_is_learned(
    tablet: Tablet, morning: RunningService
) -> None:
    page = opened(tablet, morning)
    page.get_by_role("button", name="settings of this tablet").tap()
    page.get_by_role("button", name="The line-up").tap()
    page.get_by_role("button", name="Start the line-up").tap()
    tone, boom, _ = (page.get_by_test_id("lined-up").nth(n) for n in range(3))
    expect(page.get_by_test_id("phase")).to_have_text("LINE-UP")
    expect(boom).to_have_attribute("data-heard", "true")
    expect(tone).to_contain_text(re.compile(r"tone 1000\.0 Hz at −20\.0\d dBFS, THD\+N 0\.\d+ %"))
    expect(page.get_by_test_id("learned")).to_have_text("not learned yet")
    learn(page)
    page.get_by_role("button", name="Learn and end").tap()
    expect(page.get_by_test_id("learned")).to_have_text(
        re.compile(r"^learned \d\d:\d\d by .+, 3 channels$")
    )
    expect(page.get_by_test_id("phase")).to_have_text("STANDBY")


def test_integrated_values_pause_continue_and_are_reset_but_not_under_a_take(
    tablet: Tablet, morning: RunningService
) -> None:
    page = opened(tablet, morning)
    tab(page, "Sound")
    loudness = page.get_by_label("programme loudness")
    loudness.get_by_role("button", name="Pause").tap()
    expect(loudness.get_by_text("paused", exact=True).first).to_be_visible()
    loudness.get_by_role("button", name="Continue").tap()
    expect(loudness.get_by_text("paused", exact=True)).to_have_count(0)
    loudness.get_by_role("button", name="Reset").tap()
    expect(loudness).to_contain_text(re.compile(r"over 0:0[0-9]"))
    expect(loudness).to_contain_text("not stable yet")
    page.get_by_test_id("roll").tap()
    expect(loudness.get_by_role("button", name="Reset")).to_be_disabled()
    page.get_by_test_id("roll").tap()
    expect(page.get_by_test_id("phase")).to_have_text("STANDBY")


def test_cameras_are_lined_up_by_card_focus_rate_and_each_other(
    tablet: Tablet, morning: RunningService
) -> None:
    page = opened(tablet, morning)
    page.get_by_role("button", name="settings of this tablet").tap()
    page.get_by_role("button", name="The line-up").tap()
    page.get_by_role("button", name="Cameras", exact=True).tap()
    mine, other = page.get_by_test_id("line-up-a"), page.get_by_test_id("line-up-b")
    expect(mine).to_contain_text("640×360 · progressive · 25.000 fps declared")
    expect(mine).to_contain_text("41.1 %, neutral")
    expect(mine).to_contain_text("Y′ +10.1 %, Cb 0.0 %, Cr 0.0 %")
    expect(other).to_contain_text("Y′ −10.1 %")
    mine.get_by_role("button", name="Measure").tap()
    expect(mine.get_by_role("progressbar")).to_be_visible()
    focus = mine.get_by_role("meter", name="focus")
    expect(focus).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d+$"))
    mine.get_by_role("button", name="Reset").tap()
    expect(focus).to_have_attribute("aria-valuenow", re.compile(r"^[1-9]\d+$"))


def test_the_tablet_flashes_and_beeps_and_ends_when_told(
    tablet: Tablet, morning: RunningService
) -> None:
    page = opened(tablet, morning)
    page.get_by_role("button", name="settings of this tablet").tap()
    page.get_by_role("button", name="The line-up").tap()
    page.get_by_role("button", name="Cameras", exact=True).tap()
    page.get_by_role("button", name="Flash and beep").first.tap()
    screen = page.get_by_test_id("flash-beep")
    expect(screen).to_have_attribute("data-shown", "1")
    expect(screen).to_have_attribute("data-shown", "2")
    expect(screen).not_to_contain_text("gives no sound")
    screen.get_by_role("button", name="End").tap()
    expect(screen).to_have_count(0)
