"""The page on a tablet, against the real service: what an assistant sees and does."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import PORTRAIT, WAIT_MS, Tablet, opened, tab
from tests.rigs.service import RunningService

GONE_MS = 2000  # DESIGN: NOT MONITORED within 2 s
CLIP = ".clip"
PIXELS = """() => {
  const canvas = document.querySelector('canvas');
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum = (sum * 31 + data[at] + data[at + 1]) | 0;
  return sum;
}"""


def roll(page: Page) -> None:
    """Roll; cut first what another test left rolling."""
    button = page.get_by_test_id("roll")
    expect(button).to_be_enabled()
    if "CUT" in button.inner_text():
        button.tap()
    expect(button).to_have_text("ROLL")
    button.tap()
    expect(button).to_contain_text("CUT")


def test_meters_move_and_loudness_is_read(tablet: Tablet, service: RunningService) -> None:
    page = opened(tablet, service)
    before = page.evaluate(PIXELS)
    page.wait_for_function(f"(before) => ({PIXELS})() !== before", arg=before)
    momentary = page.get_by_label("programme loudness").locator("dd").first
    expect(momentary).to_have_text(re.compile(r"^−\d+\.\d$"))
    expect(page.get_by_text("Boom", exact=True)).to_be_visible()


SET_SCENE = """(scene) => fetch("/api/takes/next", {
  method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ scene }),
})"""
BEGINNINGS = """() => {
  window.begun = 0;
  const size = Object.getOwnPropertyDescriptor(HTMLCanvasElement.prototype, 'width');
  Object.defineProperty(HTMLCanvasElement.prototype, 'width', {
    ...size, set(value) { window.begun += 1; size.set.call(this, value); },
  });
}"""


def test_views_do_not_begin_the_meters_anew(tablet: Tablet, service: RunningService) -> None:
    page = opened(tablet, service)
    with page.expect_websocket() as connecting:
        page.reload()
    expect(page.get_by_test_id("meters-cart")).to_have_attribute("data-state", "live")
    page.evaluate(BEGINNINGS)
    scenes = ("27", "28", "29", "30", "")  # a view is sent when something in it changed
    for scene in scenes:
        with connecting.value.expect_event("framereceived", lambda frame: '"view"' in str(frame)):
            page.evaluate(SET_SCENE, scene)
    # An alert that comes meanwhile takes room, and the meters begin at their new size: once.
    assert page.evaluate("window.begun") < len(scenes) - 1


def test_nobody_rolling_is_standby_never_ok(tablet: Tablet, service: RunningService) -> None:
    page = opened(tablet, service)
    button = page.get_by_test_id("roll")
    expect(button).to_be_enabled()
    if "CUT" in button.inner_text():
        button.tap()
    expect(page.get_by_test_id("phase")).to_have_text("STANDBY")
    expect(page.get_by_test_id("word-sound")).not_to_have_attribute("data-word", "OK")


def test_a_clipped_take_raises_an_alert_that_stays_until_somebody_acknowledges(
    tablet: Tablet, service: RunningService
) -> None:
    page = opened(tablet, service)
    roll(page)
    page.get_by_test_id("toast").get_by_role("button", name="30 s").tap()
    expect(page.get_by_test_id("word-sound")).to_have_attribute(
        "data-word", re.compile("CHECK|FAULT")
    )
    expect(page.locator(CLIP)).to_contain_text("CLIP")

    page.reload()
    expect(page.locator(CLIP)).to_contain_text("CLIP")
    tab(page, "Alerts")
    alert = page.get_by_test_id("alert").filter(has_text="Clipping").first
    expect(alert).to_contain_text("Boom")
    expect(alert.get_by_test_id("trace")).to_have_attribute("aria-label", re.compile("Boom, . s"))
    expect(alert).to_have_attribute("data-severity", re.compile("CHECK|FAULT"))

    alert.get_by_role("button", name="Acknowledge").tap()
    known = page.locator("[data-rule='audio.clipping']").filter(has_text="acknowledged by").first
    expect(known).to_contain_text(re.compile(r"acknowledged by \S+"))
    tab(page, "Glance")
    page.get_by_test_id("roll").tap()
    expect(page.get_by_test_id("roll")).to_have_text("ROLL")


def test_a_slate_is_written_rolled_circled_and_cut(tablet: Tablet, service: RunningService) -> None:
    page = opened(tablet, service)
    roll(page)
    slate = page.get_by_label("Slate", exact=True)
    slate.fill("49/2")
    slate.press("Enter")
    page.get_by_role("button", name="take number up").tap()
    expect(page.get_by_label("Take", exact=True)).not_to_have_value("")
    note = page.get_by_label("Note", exact=True)
    note.fill("Plane at 0:31")
    note.press("Enter")
    page.get_by_role("button", name="circle 49/2").tap()
    expect(page.get_by_role("button", name="circle 49/2")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("roll").tap()
    expect(page.get_by_test_id("phase")).to_have_text("STANDBY")

    tab(page, "Takes")
    newest = page.get_by_test_id("take").first
    expect(newest).to_contain_text("49/2")
    expect(newest.get_by_label(re.compile("note on"))).to_have_value("Plane at 0:31")
    expect(newest.get_by_role("button", name=re.compile("circle"))).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_roll_by_mistake_is_taken_back_and_can_be_restored(
    tablet: Tablet, service: RunningService
) -> None:
    page = opened(tablet, service)
    roll(page)
    page.get_by_test_id("toast").get_by_role("button", name="Undo roll").tap()
    expect(page.get_by_test_id("phase")).to_have_text("STANDBY")
    tab(page, "Takes")
    page.get_by_role("button", name=re.compile("Show .* deleted")).tap()
    gone = page.locator("[data-testid=take].gone").first
    gone.get_by_role("button", name="Restore").tap()
    expect(page.locator("[data-testid=take].gone")).to_have_count(0)


def test_a_cut_by_mistake_goes_on_under_the_same_take_number(
    tablet: Tablet, service: RunningService
) -> None:
    page = opened(tablet, service)
    roll(page)
    number = page.locator(".take input")
    before = number.input_value()
    page.get_by_test_id("roll").tap()
    page.get_by_test_id("toast").get_by_role("button", name="Still rolling").tap()
    expect(page.get_by_test_id("phase")).to_have_text("ROLLING")
    expect(number).to_have_value(before)


def test_a_take_number_that_is_none_is_refused_in_words(
    tablet: Tablet, service: RunningService
) -> None:
    page = opened(tablet, service)
    number = page.locator(".take input")
    number.fill("two")
    number.press("Enter")
    expect(page.get_by_test_id("toast")).to_contain_text("is not a number")
    expect(number).to_have_value(re.compile(r"^\d+$"))


def test_two_tablets_agree(tablet: Tablet, service: RunningService) -> None:
    sound, script = opened(tablet, service), opened(tablet, service)
    roll(sound)
    expect(script.get_by_test_id("phase")).to_have_text("ROLLING")
    scene = script.get_by_label("Scene", exact=True)
    scene.fill("32A")
    scene.press("Enter")
    expect(sound.get_by_label("Scene", exact=True)).to_have_value("32A")
    script.get_by_test_id("roll").tap()
    expect(sound.get_by_test_id("phase")).to_have_text("STANDBY")


def test_a_tablet_of_the_network_pairs_with_its_link_and_gives_its_name(
    tablet: Tablet, service: RunningService
) -> None:
    page = tablet(service.from_the_network)
    expect(page.get_by_test_id("pairing")).to_contain_text("This tablet is not paired.")
    page.goto(f"{service.from_the_network}/#pair={service.invite('log')}")
    page.get_by_label("Your name").fill("Priya")
    page.get_by_role("button", name="Script").tap()
    page.get_by_role("button", name="Join").tap()
    expect(page.get_by_test_id("meters-cart")).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="settings of this tablet").tap()
    expect(page.get_by_text("Priya, may log")).to_be_visible()


def test_upright_the_real_page_fits(tablet: Tablet, service: RunningService) -> None:
    page = tablet(service.address, PORTRAIT)
    expect(page.get_by_test_id("meters-cart")).to_have_attribute("data-state", "live")
    assert page.evaluate("document.documentElement.scrollWidth") <= PORTRAIT[0]
    cut = page.get_by_test_id("roll").bounding_box()
    assert cut is not None
    assert cut["width"] > 0.9 * PORTRAIT[0]
    assert cut["height"] >= 64


def test_a_killed_service_is_not_monitored_within_2_s_and_comes_back_by_itself(
    tablet: Tablet, service: RunningService
) -> None:
    page = opened(tablet, service)
    word = page.get_by_test_id("word-sound")
    service.kill()
    expect(word).to_have_attribute("data-word", "NOT MONITORED", timeout=GONE_MS)
    expect(word).to_contain_text("last seen")
    expect(page.get_by_test_id("meters-cart")).to_have_attribute("data-state", "lost")
    expect(page.get_by_test_id("roll")).to_be_disabled()

    service.start()
    expect(word).not_to_have_attribute("data-word", "NOT MONITORED", timeout=2 * WAIT_MS)
    expect(page.get_by_test_id("meters-cart")).to_have_attribute("data-state", "live")
    expect(page.get_by_test_id("roll")).to_be_enabled()


def test_a_frozen_service_is_not_monitored_within_2_s_though_its_socket_is_open(
    tablet: Tablet, service: RunningService
) -> None:
    page = opened(tablet, service)
    word = page.get_by_test_id("word-sound")
    expect(word).not_to_have_attribute("data-word", "NOT MONITORED")
    with service.frozen():
        expect(word).to_have_attribute("data-word", "NOT MONITORED", timeout=GONE_MS)
        expect(page.get_by_test_id("roll")).to_be_disabled()
    expect(word).not_to_have_attribute("data-word", "NOT MONITORED", timeout=2 * WAIT_MS)


def test_a_first_run_opens_nothing_and_practice_is_one_tap_away(
    tablet: Tablet, first_run: RunningService
) -> None:
    page = tablet(first_run.address)
    expect(page.get_by_test_id("first-run")).to_contain_text("Nothing is watched yet.")
    page.get_by_test_id("practice").tap()
    expect(page.get_by_text("PRACTICE", exact=True)).to_be_visible()
    expect(page.get_by_test_id("meters-sound-cart")).to_have_attribute("data-state", "live")
