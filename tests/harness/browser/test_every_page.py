"""What is true of every kind of page in a real browser, on a wide window and on a phone, light and dark, on paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.harness.browser.kinds import ALIKE, KINDS, Pages
from tests.harness.browser.tab import DESKTOP, PHONE, opened, tabbed, unfold, violations, watched

pytestmark = pytest.mark.slow

EVERY = pytest.mark.parametrize("name", KINDS)
EVERY_PART = pytest.mark.parametrize("name", [name for name in KINDS if name not in ALIKE])

CLIPPED = """() => [...document.querySelectorAll("main *")].filter(each => {
  const style = getComputedStyle(each);
  return style.overflowX === "visible" && !each.closest("svg,.wide,pre,.unseen,.more") &&
    each.getBoundingClientRect().right > innerWidth + 1;
}).map(each => each.outerHTML.slice(0, 80))"""


@EVERY_PART
def test_it_is_accessible_wide_and_narrow_light_and_dark(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, pages[name]) as page:
        assert violations(page) == []
        page.emulate_media(color_scheme="dark")
        assert violations(page, "color-contrast") == []
    with opened(browser, pages[name], size=PHONE) as page:
        assert violations(page, but="color-contrast") == []  # the colours are the same, and take the longest


@EVERY
def test_it_fits_a_phone(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, pages[name], size=PHONE) as page:
        unfold(page)

        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert page.evaluate(CLIPPED) == []


@EVERY
def test_it_can_be_read_without_scripts(browser: Browser, pages: Pages, name: str) -> None:
    """Word for word: all that is there with the script, but the filter and what it says."""
    with opened(browser, pages[name]) as page:
        unfold(page)
        page.evaluate("document.querySelectorAll('form, details > div > p').forEach(each => each.remove())")
        words = page.inner_text("main").split()
    with opened(browser, pages[name], scripts=False) as page:
        unfold(page)

        assert not page.locator("form").is_visible()
        assert page.inner_text("main").split() == words


@EVERY_PART
def test_it_prints_on_white_without_what_is_for_a_screen(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, pages[name], scheme="dark") as page:
        page.emulate_media(media="print")

        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not page.locator("form:visible, .skip:visible, .more:visible, button:visible").count()
        assert violations(page, "color-contrast") == []


@EVERY
def test_every_stop_of_the_tab_key_is_seen_and_named(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, pages[name]) as page:
        for stop in tabbed(page):
            assert stop["outline"] >= 2, stop
            assert stop["name"], stop
            assert stop["inside"], stop


def test_what_is_put_into_a_page_neither_runs_nor_loads(browser: Browser, pages: Pages) -> None:
    """Its policy, if all else fails: the page with what an attacker would put into it."""
    path = pages["folder"].with_name("attacked.html")
    attacks = (
        "<script>document.title = 'run'</script>",
        "<img src='http://127.0.0.1:9/x.png' onerror='document.title = \"run\"'>",
        "<style>@import 'http://127.0.0.1:9/x.css'; main{background:url(http://127.0.0.1:9/y.png)}</style>",
        "<iframe src='http://127.0.0.1:9/'></iframe><base href='http://127.0.0.1:9/'>",
        "<svg onload='document.title = \"run\"'></svg>",
    )
    path.write_text(pages["folder"].read_text().replace("</main>", f"{''.join(attacks)}</main>"))
    with watched(browser, path, size=DESKTOP) as tab:
        asked = [each for each in tab.asked if each.url.startswith("http")]

        assert tab.page.title() != "run"
        assert len(asked) == 3
        assert {each.failure for each in asked} == {"csp"}
    assert sum("Content Security Policy" in each for each in tab.complaints) >= len(attacks)
