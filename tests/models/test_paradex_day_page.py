"""What docs/paradex-day.md shows is what its program prints, and what it counts is what is counted."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import racewindow
from racewindow_models.scenarios.paradex_second_wave import paradex_second_wave

PAGE = Path(__file__).parents[2] / "docs" / "paradex-day.md"


def test_the_program_prints_the_refund_report_that_is_shown() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```text\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, {})  # noqa: S102  # the page's own
    assert printed.getvalue() == shown


def test_the_band_reduces_by_as_much_as_the_page_says() -> None:
    counts = []
    for safeguards in ([], ["post_only_band"]):
        result = racewindow.explore(
            paradex_second_wave,
            strategy="dpor",
            all_failures=True,
            shrink=False,
            explain=False,
            safeguards=safeguards,
        )
        counts += [result.failing, result.executions]
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    said = re.search(r"(\d+) of (\d+) orders of events fail without it, and (\d+) of (\d+) with it", text)
    assert said is not None
    assert [int(number) for number in said.groups()] == counts
