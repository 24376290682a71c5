"""What must hold for every scene, theme and way up: nothing is cut off or hard to read."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LANDSCAPE, PORTRAIT, Tablet
from tests.browser.scripted import SCENES, ScriptedService

FIT = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const out = [...document.querySelectorAll('main *, header *')].filter((one) => {
    if (one.closest('.list') || one.closest('.out-of-sight')) return false;
    const box = one.getBoundingClientRect();
    return box.width > 0 && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1);
  });
  return { wide, out: out.map((one) => one.outerHTML.slice(0, 80)) };
}"""
SMALL_TARGETS = """() => [...document.querySelectorAll('button')].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.width > 0 && (box.height < 44 || box.width < 44);
}).map((one) => one.outerHTML.slice(0, 120))"""
CONTRAST = """(pairs) => pairs.map(([front, back]) => {
  const style = getComputedStyle(document.documentElement);
  const pen = document.createElement('canvas').getContext('2d');
  const light = (name) => {
    pen.fillStyle = style.getPropertyValue(name).trim();
    pen.fillRect(0, 0, 1, 1);
    const part = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => {
      const unit = value / 255;
      return unit <= 0.04045 ? unit / 12.92 : ((unit + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * part[0] + 0.7152 * part[1] + 0.0722 * part[2];
  };
  const [low, high] = [light(front), light(back)].sort((one, other) => one - other);
  return (high + 0.05) / (low + 0.05);
})"""
READABLE = 4.5  # WCAG 2.2, 1.4.3
THEMES = ("dark", "sun", "night")


def look(page: Page, theme: str) -> None:
    page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)


def shown(page: Page, scene: str) -> None:
    wanted = "first-run" if scene == "first-run" else "word-sound"
    expect(page.get_by_test_id(wanted)).to_be_visible()


@pytest.fixture(scope="module")
def screen(chromium: Browser) -> Iterator[Page]:
    """One page for all scenes, so that looking at twelve of them stays quick."""
    context = chromium.new_context(has_touch=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("scene", SCENES)
def test_everything_fits_both_ways_up_without_scrolling(
    screen: Page, scripted: ScriptedService, scene: str
) -> None:
    screen.goto(scripted.address(scene))
    for width, height in (LANDSCAPE, PORTRAIT):
        screen.set_viewport_size({"width": width, "height": height})
        shown(screen, scene)
        assert screen.evaluate(FIT) == {"wide": 0, "out": []}
        assert screen.evaluate(SMALL_TARGETS) == []


def test_the_word_is_large_enough_to_read_from_two_metres(
    screen: Page, scripted: ScriptedService
) -> None:
    page = screen
    for scene, word in (("ok", "OK"), ("fault", "FAULT"), ("lost", "MONITORED")):
        page.goto(scripted.address(scene))
        shown(page, scene)
        size = page.get_by_text(word, exact=word != "MONITORED").first.evaluate(
            "(one) => parseFloat(getComputedStyle(one).fontSize)"
        )
        assert size >= 86


def test_words_and_figures_have_contrast_in_every_theme(
    tablet: Tablet, scripted: ScriptedService
) -> None:
    page = tablet(scripted.address("ok"))
    shown(page, "ok")
    words = ["--ink", "--ok", "--check", "--fault", "--standby"]
    for theme in THEMES:
        look(page, theme)
        pairs = [[word, "--panel"] for word in words]
        pairs += [["--on-button", "--button"], ["--on-check", "--check"], ["--on-fault", "--fault"]]
        ratios = page.evaluate(CONTRAST, pairs)
        floor = READABLE if theme != "night" else 3.0  # large text; the night look spares the eye
        assert min(ratios) >= floor, (theme, list(zip(pairs, ratios, strict=True)))


def test_only_a_fault_is_red(screen: Page, scripted: ScriptedService) -> None:
    page = screen
    for scene, wanted in (("check", 0), ("lost", 0), ("fault", 1)):
        page.goto(scripted.address(scene))
        shown(page, scene)
        assert page.locator(".card[data-word='FAULT']").count() == wanted
        assert (page.locator("[data-severity='FAULT']").count() > 0) == bool(wanted)


def test_many_clips_of_one_take_are_one_row_that_unfolds(
    screen: Page, scripted: ScriptedService
) -> None:
    page = screen
    page.goto(scripted.address("repeated"))
    shown(page, "repeated")
    page.get_by_role("button", name="Alerts").tap()
    row = page.get_by_test_id("alert")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("longest 9 samples")
    expect(row).to_contain_text("23 times in 3:18")
    row.get_by_role("button", name="each of 23").tap()
    expect(page.get_by_test_id("each").locator("li")).to_have_count(23)
    assert page.evaluate(SMALL_TARGETS) == []


def test_a_lost_camera_greys_its_own_tile_alone(tablet: Tablet, scripted: ScriptedService) -> None:
    page = tablet(scripted.address("lost"))
    expect(page.get_by_test_id("camera-cam-b")).to_have_attribute("data-state", "lost")
    expect(page.get_by_test_id("camera-cam-b")).to_contain_text("NOT MONITORED")
    expect(page.get_by_test_id("camera-cam-a")).to_have_attribute("data-state", "live")
    expect(page.get_by_test_id("word-sound")).to_have_attribute("data-word", "OK")


def test_no_input_is_watched_before_it_is_tapped(tablet: Tablet, scripted: ScriptedService) -> None:
    page = tablet(scripted.address("first-run"))
    begin = page.locator("footer .go")
    expect(begin).to_be_disabled()
    page.get_by_role("listitem").filter(has_text="MixPre").get_by_role("button").tap()
    expect(begin).to_have_text("Watch 1 input")
    expect(begin).to_be_enabled()


def test_a_tablet_that_may_only_look_has_no_controls(
    tablet: Tablet, scripted: ScriptedService
) -> None:
    page = tablet(scripted.address("view-only"))
    shown(page, "view-only")
    expect(page.get_by_text("ROLLING").last).to_be_visible()
    assert page.get_by_test_id("roll").count() == 0
    assert page.get_by_role("button", name="Acknowledge").count() == 0
    expect(page.get_by_label("Slate", exact=True)).to_be_disabled()


def test_a_journal_that_cannot_be_written_is_told(
    tablet: Tablet, scripted: ScriptedService
) -> None:
    page = tablet(scripted.address("not-recorded"))
    expect(page.get_by_role("alert")).to_contain_text("NOT RECORDED")


def test_a_link_from_takewatch_pair_asks_for_a_name_and_hides_its_token(
    tablet: Tablet, scripted: ScriptedService
) -> None:
    page = tablet(scripted.address("ok") + "/#pair=" + "x" * 43)
    expect(page.get_by_test_id("pairing")).to_contain_text("Join the set.")
    expect(page.get_by_role("button", name="Join")).to_be_disabled()
    page.get_by_label("Your name").fill("Priya")
    expect(page.get_by_role("button", name="Join")).to_be_enabled()
    assert "x" * 43 not in page.url
