"""A page opened in the browser as a reader does, with all that it complains of and asks for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
DESKTOP, PHONE = (1280, 800), (390, 844)


@dataclass(frozen=True)
class Tab:
    """`complaints`: messages on the console, and errors. `asked`: requests other than that for the page itself."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)


@contextmanager
def opened(
    browser: Browser,
    path: Path,
    *,
    size: tuple[int, int] = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
) -> Iterator[Page]:
    """Open a page; afterwards, nothing may have been complained of nor asked for."""
    with watched(browser, path, size=size, scheme=scheme, scripts=scripts) as tab:
        yield tab.page
        assert (tab.complaints, [each.url for each in tab.asked]) == ([], [])


@contextmanager
def watched(
    browser: Browser,
    path: Path,
    *,
    size: tuple[int, int] = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
) -> Iterator[Tab]:
    """Open a page that may complain."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=scripts,
        is_mobile=size == PHONE,
        has_touch=size == PHONE,
        offline=True,
    )
    try:
        tab = Tab(context.new_page())
        own = path.absolute().as_uri()

        def note(request: Request) -> None:
            if request.url.partition("#")[0] != own:
                tab.asked.append(request)

        context.on("request", note)
        tab.page.on("console", lambda message: tab.complaints.append(message.text))
        tab.page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.page.goto(own)
        yield tab
    finally:
        context.close()


def unfold(page: Page) -> None:
    """Open all that is folded, as a reader does."""
    for summary in page.locator("summary").all():
        summary.click()
    page.wait_for_selector("details:has(noscript):not(:has(tr))", state="detached")


STOP = """() => {
  const each = document.activeElement, style = getComputedStyle(each), box = each.getBoundingClientRect();
  return {
    what: each.name || each.className || each.tagName.toLowerCase(),
    name: each.ariaLabel || each.labels?.[0]?.textContent || each.textContent.trim(),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    inside: box.right > 0 && box.left < innerWidth && box.bottom > 0 && box.top < innerHeight,
  };
}"""


def tabbed(page: Page) -> list[dict[str, Any]]:
    """What the Tab key comes to, from the top of the page to its end."""
    stops: list[dict[str, Any]] = []
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            return stops
        stops.append(page.evaluate(STOP))
    raise AssertionError("the Tab key does not come to an end")


def violations(page: Page, *only: str, but: str | None = None) -> list[str]:
    """What axe-core finds, by all its rules or these: a line for each, with the first element that breaks it."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = list(only)
    if but is not None:
        options["rules"] = {but: {"enabled": False}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]} ({len(each['nodes'])} of them)" for each in found]
