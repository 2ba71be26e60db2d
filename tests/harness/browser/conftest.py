"""One browser for all tests of this folder, and the pages that they open, each made when it is first asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.harness.browser.kinds import Pages
from tests.harness.browser.tab import CHROMIUM


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, as it is installed here; nothing is downloaded."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: the pages were not tried in a browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """The pages, in a folder of their own."""
    before = os.getcwd()  # noqa: PTH109  # to come back to, as it is
    os.chdir(folder := tmp_path_factory.mktemp("pages"))
    yield Pages(folder)
    os.chdir(before)
