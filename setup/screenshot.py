"""Take the README's pictures: the running service on practice feeds, at a tablet's size.

``python setup/screenshot.py FOLDER`` writes ``glance.png`` there. Nothing is drawn by hand: what
the picture shows is what the practice feeds' scripted faults made of the page.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SIZE = {"width": 1180, "height": 820}
SCALE = 2
START_LIMIT_S = 60
SETTLED_MS = 20_000  # past the grace after a roll: a scripted clip is then a CHECK
ALERT_LIMIT_MS = 90_000  # the practice script clips the boom about twice a minute
LOUD_LUFS = -25.0  # somebody is speaking: meters in a pause show little
SLATE = {"scene": "27", "slate": "27/7", "take": 3}
NOTES = {"notes": "Plane at 0:31. Lav rustle on Ana?"}
ASK = """async ([method, path, body]) => {
  const answer = await fetch("/api/" + path, {
    method, headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)});
  if (!answer.ok) throw new Error(await answer.text());
  return await answer.json();
}"""
LOUD = """(least) => {
  const row = [...document.querySelectorAll("dl > div")]
    .find((one) => /^M\\s*LUFS/.test(one.querySelector("dt")?.textContent ?? ""));
  return Number(row?.querySelector("dd")?.textContent.replace("\\u2212", "-") ?? NaN) >= least;
}"""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _await_health(service: "subprocess.Popen[bytes]", port: int) -> None:
    health = f"http://127.0.0.1:{port}/api/health"
    for _ in range(START_LIMIT_S * 10):
        try:
            with urllib.request.urlopen(health, timeout=5):
                return
        except OSError:
            pass
        try:
            sys.exit(f"takewatch demo ended with {service.wait(timeout=0.1)}")
        except subprocess.TimeoutExpired:
            continue
    sys.exit(f"takewatch demo is not healthy after {START_LIMIT_S} s")


@contextmanager
def practice() -> Iterator[str]:
    """Run the service on practice feeds in a data folder of its own; give its address."""
    port = _free_port()
    takewatch = Path(sys.executable).with_name("takewatch")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_DATA_HOME": folder}
        command: list[str | Path] = [takewatch, "demo", "--port", str(port)]
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as service:
            try:
                _await_health(service, port)
                yield f"http://127.0.0.1:{port}"
            finally:
                service.terminate()
                service.wait(timeout=20)


def take(page: Page, address: str, file: Path) -> None:
    """Roll a take, let it run, and write the picture."""
    page.goto(address)
    page.locator(".word").first.wait_for()
    rolled = page.evaluate(ASK, ["POST", "takes", SLATE])
    page.evaluate(ASK, ["PATCH", f"takes/{rolled['id']}", NOTES])
    page.wait_for_timeout(SETTLED_MS)
    page.locator("[data-word='CHECK'], [data-word='FAULT']").first.wait_for(timeout=ALERT_LIMIT_MS)
    page.wait_for_function(LOUD, arg=LOUD_LUFS, timeout=ALERT_LIMIT_MS)
    page.screenshot(path=file)


def main(folder: Path) -> None:
    """Write every picture into the folder."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        sys.exit("no Chromium found; on Debian: apt-get install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    with practice() as address, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        context = browser.new_context(
            viewport={"width": SIZE["width"], "height": SIZE["height"]},
            device_scale_factor=SCALE,
            has_touch=True,
            color_scheme="dark",
        )
        take(context.new_page(), address, folder / "glance.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
