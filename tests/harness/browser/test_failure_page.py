"""The page of a failure, as a person uses it: what is seen at once, the filter, its keys, rows and their details."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.harness.browser.kinds import Pages
from tests.harness.browser.tab import PHONE, opened, tabbed, unfold, violations

pytestmark = pytest.mark.slow

ROWS = ".row[tabindex]:visible"


@pytest.fixture
def h1(browser: Browser, pages: Pages) -> Iterator[Page]:
    with opened(browser, pages["h1"]) as page:
        yield page


def shown(page: Page) -> list[dict[str, str]]:
    """What a filter goes by, of each row that is drawn and seen."""
    found: list[dict[str, str]] = page.eval_on_selector_all(
        "li[data-lane]", "rows => rows.filter(each => each.checkVisibility()).map(each => ({...each.dataset}))"
    )
    return found


def cells(page: Page, column: int) -> list[str]:
    """A column of the first table of every step."""
    found: list[str] = page.eval_on_selector_all(
        f".every:first-of-type tbody td:nth-child({column})", "cells => cells.map(each => each.textContent)"
    )
    return found


# --- at once ---------------------------------------------------------------------------------------------------------


def test_cause_remedy_and_both_orders_of_the_pair_are_seen_without_scrolling(h1: Page) -> None:
    roles = [
        [(row.get_attribute("class") or "").split()[1] for row in order.locator(".row.first, .row.second").all()]
        for order in h1.locator("article").all()
    ]

    assert roles == [["first", "second"], ["second", "first"]]
    for each in h1.locator("h1, .message, .lead dd, article h3, .row.first, .row.second, .row.bad").all():
        box = each.bounding_box()
        assert box is not None
        assert 0 <= box["y"] <= box["y"] + box["height"] <= 800, each.inner_text()


def test_it_is_small(pages: Pages) -> None:
    assert pages["h1"].stat().st_size < 2_000_000


# --- choosing --------------------------------------------------------------------------------------------------------


def test_a_service_is_chosen_in_the_pictures_and_in_the_tables(h1: Page) -> None:
    everything = shown(h1)
    unfold(h1)
    h1.get_by_label("Service").select_option(label="committer")
    rows = shown(h1)

    assert 0 < len(rows) < len(everything)
    assert len({row["lane"] for row in rows}) == 1
    assert set(cells(h1, 3)) == {"committer"}
    assert set(h1.locator(f"{ROWS} .what b").all_inner_texts()) == {"committer"}
    assert not h1.locator(".gap:visible, .tick:visible").count()
    expect(h1.get_by_role("status")).to_contain_text(f"{len(rows)} of {len(everything)} rows")
    expect(h1.locator(".every summary").first).to_contain_text(f"({len(cells(h1, 3))} fit the filter)")

    h1.get_by_role("button", name="Show all", exact=True).click()
    expect(h1.get_by_role("status")).to_have_text("")
    assert shown(h1) == everything
    assert len(set(cells(h1, 3))) > 1


def test_an_object_is_chosen(h1: Page) -> None:
    everything = shown(h1)
    choice = h1.get_by_label("Object").select_option(label="writer-2.states['XRP']")
    rows = shown(h1)

    assert 0 < len(rows) < len(everything)
    assert all(choice[0] in row["objects"].split() for row in rows)
    assert h1.locator(".row.first:visible, .row.second:visible").count() == 4


def test_a_time_is_chosen_by_typing_it(h1: Page) -> None:
    unfold(h1)
    h1.get_by_role("spinbutton", name="From").fill("60")
    late = shown(h1)
    h1.get_by_role("spinbutton", name="From").fill("")
    h1.get_by_role("spinbutton", name="to").fill("59.5")
    early = shown(h1)

    assert min(float(row["time"]) for row in late) == 60
    assert {float(row["time"]) for row in early} == {0}
    assert set(cells(h1, 2)) == {"T+00:00.000"}


def test_tables_that_are_open_and_filtered_are_accessible(h1: Page) -> None:
    unfold(h1)
    h1.get_by_label("Service").select_option(label="operator")

    assert violations(h1) == []


def test_nothing_that_fits_is_said(h1: Page) -> None:
    h1.get_by_role("spinbutton", name="From").fill("1000")

    assert shown(h1) == []
    expect(h1.get_by_role("status")).to_contain_text("0 of ")


def test_one_order_is_shown_alone_and_wider(h1: Page) -> None:
    failing, other = h1.locator("article").all()
    before = failing.bounding_box()
    h1.get_by_role("radio", name="failing").check()
    after = failing.bounding_box()

    assert before is not None
    assert after is not None
    assert after["width"] > 1.8 * before["width"]
    expect(other).to_be_hidden()
    h1.get_by_role("radio", name="reversed").check()
    expect(other).to_be_visible()
    expect(failing).to_be_hidden()
    h1.get_by_role("button", name="Show all", exact=True).click()
    expect(failing).to_be_visible()
    expect(other).to_be_visible()


# --- by keyboard only ------------------------------------------------------------------------------------------------


def test_the_tab_key_goes_through_the_page_in_its_order(h1: Page) -> None:
    found = [stop["what"] for stop in tabbed(h1)]

    assert found[:7] == ["skip", "order", "lane", "object", "from", "to", "button"]
    assert found[7:9] == ["row first", "row second"]  # one stop for each order
    assert found[-2:] == ["summary", "summary"]


def test_everything_is_done_with_keys(h1: Page) -> None:
    def press(*keys: str) -> None:
        for key in keys:
            h1.keyboard.press(key)

    everything = shown(h1)
    press("Tab", "Tab", "ArrowRight")  # the second of the three orders
    expect(h1.locator("article").nth(1)).to_be_hidden()
    press("ArrowLeft", "Tab", "ArrowDown")  # the first service
    assert 0 < len(shown(h1)) < len(everything)
    press("ArrowUp", "Tab", "Tab")
    h1.keyboard.type("60")
    assert min(float(row["time"]) for row in shown(h1)) == 60
    press("Enter", "Tab", "Tab", "Space")  # Enter sends nothing; the button
    expect(h1.get_by_role("status")).to_have_text("")
    assert shown(h1) == everything
    press("Tab", "Tab")
    while not h1.evaluate("document.activeElement.matches('.every summary')"):
        press("Tab")
    press("Enter")
    expect(h1.locator(".every").first.locator("tr").first).to_be_visible()


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def test_the_arrow_keys_move_along_an_order_and_to_the_other(h1: Page) -> None:
    rows = h1.locator("article").first.locator(ROWS)
    h1.locator(".row.first").first.focus()
    h1.keyboard.press("ArrowDown")
    h1.keyboard.press("ArrowUp")
    expect(h1.locator(".row.first").first).to_be_focused()
    h1.keyboard.press("Home")
    expect(rows.first).to_be_focused()
    h1.keyboard.press("ArrowUp")  # there is nothing above
    expect(rows.first).to_be_focused()
    h1.keyboard.press("End")
    expect(rows.last).to_be_focused()
    h1.keyboard.press("ArrowRight")
    expect(h1.locator("article").nth(1).locator(":focus")).to_have_class("row second")
    h1.keyboard.press("ArrowLeft")
    expect(rows.last).to_be_focused()


def test_a_row_that_is_filtered_away_is_no_stop(h1: Page) -> None:
    h1.get_by_label("Service").select_option(label="committer")
    h1.get_by_role("button", name="Show all", exact=True).focus()
    h1.keyboard.press("Tab")

    expect(focused(h1)).to_be_visible()
    expect(focused(h1)).to_contain_text("committer")


# --- details ---------------------------------------------------------------------------------------------------------


def test_a_row_tells_its_lines_values_and_footprint(h1: Page) -> None:
    row = h1.locator(".row.first").first
    more = row.locator(".more")
    expect(more).to_be_hidden()
    row.hover()
    for said in ("Step ", "racewindow_models/writer.py:", "Footprint:", "reads writer-2.states['XRP']: nothing"):
        expect(more).to_contain_text(said)
    h1.keyboard.press("Escape")
    expect(more).to_be_hidden()
    h1.mouse.move(0, 0)
    row.focus()
    expect(more).to_be_visible()
    h1.keyboard.press("Escape")
    expect(more).to_be_hidden()
    expect(row).to_be_focused()
    h1.keyboard.press("ArrowDown")
    expect(more).to_be_hidden()
    expect(focused(h1).locator(".more")).to_be_visible()


def test_a_tap_opens_a_row_on_a_phone(browser: Browser, pages: Pages) -> None:
    with opened(browser, pages["h1"], size=PHONE) as page:
        row = page.locator(".row.first").first
        row.tap()
        more = row.locator(".more")
        expect(more).to_be_visible()
        box = more.bounding_box()

        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE[0]


# --- names and values of the program ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hostile", "hostile exploration"])
def test_names_and_values_that_are_markup_are_shown_as_text(browser: Browser, pages: Pages, name: str) -> None:
    with opened(browser, pages[name]) as page:
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        unfold(page)
        if page.locator("form").count():
            for control in ("Service", "Object"):
                page.get_by_label(control).select_option(index=1)
                page.get_by_label(control).select_option(index=0)
            for row in page.locator(ROWS).all()[:4]:
                row.hover()

        assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in page.inner_text("main")
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1
        assert dialogs == []


# --- 20,000 steps ----------------------------------------------------------------------------------------------------


def test_of_20_000_steps_a_browser_holds_what_is_looked_at(browser: Browser, pages: Pages) -> None:
    """What makes a page slow is what is in it: as much as on that of a short execution, until more is asked for."""

    def elements(page: Page) -> int:
        found: int = page.evaluate("document.querySelectorAll('*').length")
        return found

    with opened(browser, pages["h1"]) as page:
        short = elements(page)
    with opened(browser, pages["long"]) as page:
        assert elements(page) < 2 * short
        page.locator(".every summary").first.click()
        page.get_by_label("Service").select_option(label="worker-7")
        fitting = 20_000 // 8
        assert set(cells(page, 3)) == {"worker-7"}
        assert len(cells(page, 3)) == 500
        assert elements(page) < 2 * short + 500 * 7
        expect(page.locator(".every summary").first).to_contain_text(f"({fitting:,} fit the filter)")
        page.get_by_role("button", name="Show 500 more").click()
        assert len(cells(page, 3)) == 1_000
        page.get_by_role("button", name=f"Show all {fitting - 1_000:,} that are left").click()
        expect(page.locator(".every tbody tr")).to_have_count(fitting)
        expect(page.get_by_role("button", name="that are left")).to_be_hidden()
        assert cells(page, 1) == sorted(cells(page, 1), key=int)
