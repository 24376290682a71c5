"""A tablet: Debian's Chromium at a tablet's size, with touch; and services for it to look at."""

import re
import shutil
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.scripted import ScriptedService
from tests.rigs.service import RunningService

LANDSCAPE = (1180, 820)
PORTRAIT = (820, 1180)
CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS = 20_000  # a worker's start on two loaded cores
RATE_HZ = 48_000
FULL_SCALE = 32_767

# 127.0.0.2 reaches the listener of the set's network, on any machine: there a tablet has to pair.
CONFIG = """
[production]
name = "The Long Field"
unit = "Main unit"

[network]
host = "0.0.0.0"
allowed_hosts = ["127.0.0.2"]

[[source]]
id = "cart"
kind = "media_file"
name = "Sound cart"
channel_names = ["Boom", "Ana"]
path = "{sound}"
real_time = true
loop = true
"""

Tablet = Callable[..., Page]


def opened(tablet: Tablet, service: RunningService) -> Page:
    """Return a page on which the sound is live."""
    page = tablet(service.address)
    expect(page.get_by_test_id("meters-cart")).to_have_attribute("data-state", "live")
    return page


def tab(page: Page, name: str) -> None:
    page.locator("nav").get_by_role("button", name=re.compile(name)).tap()


def write_clipped(path: Path) -> None:
    """Write 4 s of stereo speech-like level, the first channel clipped twice in its second 3."""
    t_s = np.arange(4 * RATE_HZ) / RATE_HZ
    swell = 0.05 + 0.12 * np.sin(np.pi * 0.5 * t_s) ** 2
    sound = np.stack([swell * np.sin(2 * np.pi * f * t_s) for f in (440.0, 660.0)], axis=1)
    samples = np.round(sound * FULL_SCALE).astype("<i2")
    for start in (2 * RATE_HZ, 2 * RATE_HZ + 4_800):
        samples[start : start + 6, 0] = FULL_SCALE
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all; gone with them, for Playwright keeps an event loop running."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM)
        )
        expect.set_options(timeout=WAIT_MS)
        yield browser
        browser.close()


@pytest.fixture
def tablet(chromium: Browser) -> Iterator[Tablet]:
    """Return a function that opens a page on a fresh tablet; any script error fails the test."""
    contexts = []
    errors: list[str] = []

    def open_page(address: str, size: tuple[int, int] = LANDSCAPE) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=True, device_scale_factor=1
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The real service, watching a file that plays at its own pace and clips every 4 s."""
    folder = tmp_path_factory.mktemp("service")
    write_clipped(folder / "sound.wav")
    config = folder / "takewatch.toml"
    config.write_text(CONFIG.format(sound=folder / "sound.wav"))
    running = RunningService(folder / "data", config)
    running.folder.mkdir()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def first_run(tmp_path: Path) -> Iterator[RunningService]:
    """The real service with no configuration at all."""
    running = RunningService(tmp_path, None)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="package")
def scripted() -> Iterator[ScriptedService]:
    """The scripted service: a scene is its address."""
    with ScriptedService() as running:
        yield running
