"""How soon a page can be used: `python benchmarks/pages.py [--quick]`; prints the table of `README.md` as Markdown.

The page of `paradex` and one of 20,000 steps, opened in turn in the Chromium that is installed. Times are those of the
browser itself, in milliseconds, of the best round; read the ratios. Interactive: the script has run and the filter
answers. Drawn: the first text is seen. Each of the rest ends when what was asked for has been drawn.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import trio
from playwright.sync_api import Browser, sync_playwright

import racewindow
from racewindow import Scenario
from racewindow.failure_file import load
from racewindow.page_failure import failure_page
from racewindow.picture import Picture
from racewindow.picturing import picture_of
from racewindow_models.scenarios.paradex import paradex
from run import machine

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
STEPS = 20_000
DRAWN = "await new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
MEASURE = f"""async () => {{
  const timed = async act => {{
    const before = performance.now();
    await act();
    {DRAWN};
    return performance.now() - before;
  }};
  const [opening] = performance.getEntriesByType("navigation");
  const paints = () => performance.getEntriesByName("first-contentful-paint");
  while (!paints().length) await new Promise(done => setTimeout(done, 5));
  const {{lane, object}} = document.getElementById("filter").elements;
  const details = document.querySelector("details");
  const choose = (select, index) => () => {{
    select.selectedIndex = index;
    select.dispatchEvent(new Event("input", {{bubbles: true}}));
  }};
  return {{
    "elements": document.querySelectorAll("*").length,
    "interactive": opening.domContentLoadedEventEnd,
    "drawn": paints()[0].startTime,
    "first filter": await timed(choose(lane, 1)),
    "table opened": await timed(() => new Promise(done => {{
      details.addEventListener("toggle", () => done(), {{once: true}});
      details.open = true;
    }})),
    "filter changed": await timed(choose(lane, 2)),
    "filter off": await timed(choose(lane, 0)),
    "another filter": await timed(choose(object, 1)),
  }};
}}"""


@racewindow.scenario
async def many_steps(_: racewindow.Simulation, *, services: int = 10, rounds: int = STEPS // 10) -> None:
    """Services that write what the others read, step after step."""
    cells = [racewindow.Cell(0, name=f"balance of {at}") for at in range(services)]

    async def serve(at: int) -> None:
        for number in range(rounds):
            cell = cells[(at + number) % services]
            cell.set(cell.get() + 1)
            await trio.sleep(0.01)

    async with trio.open_nursery() as nursery:
        for at in range(services):
            nursery.start_soon(serve, at, name=f"service-{at}")
    assert cells[0].get() == 0, "the balance is not 0"


def main() -> None:
    """Measure as the arguments say, and print."""
    parser = argparse.ArgumentParser(description="Opens a short page and long ones in the browser that is here.")
    parser.add_argument("--quick", action="store_true", help="one round of 2,000 steps, only to see that it runs")
    asked = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("There is no Chromium here, so no page can be opened.")
    steps, rounds = (2_000, 1) if asked.quick else (STEPS, 7)

    short = picture(paradex, 200)
    long = picture(many_steps, None, rounds=steps // 10)
    twice = replace(long, reversed_=replace(long.failing, failing=False, passes=True))
    pages = {"paradex": short, f"{steps:,} steps": long, f"twice {steps:,} steps": twice}
    print(machine(), end="; ")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        paths = {name: Path(folder, f"{number}.html") for number, name in enumerate(pages)}
        for name, path in paths.items():
            path.write_text(failure_page(pages[name]), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        print(f"Chromium {browser.version}", end="\n\n", flush=True)
        print_table({name: measured(browser, path, rounds) for name, path in paths.items()})
        browser.close()


def picture(scenario: Scenario, schedules: int | None, **params: int) -> Picture:
    """The first failure of a scenario, explained with at most so many executions; None: not at all."""
    with tempfile.TemporaryDirectory() as folder:
        found = racewindow.explore(scenario, strategy="random", schedules=1, params=params, shrink=False, out=folder)
        stored = load(str(found.files[0]))
    told = schedules is not None
    return picture_of(scenario, stored, file="failure.json", target=scenario.name, schedules=schedules, wanted=told)


def measured(browser: Browser, path: Path, rounds: int) -> dict[str, float]:
    """The best of each figure; a new tab for each round."""
    found: list[dict[str, float]] = []
    for _ in range(rounds + 1):  # the first is for the cache of the disk
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.goto(path.as_uri())
        found.append(page.evaluate(MEASURE))
        context.close()
    best = {name: min(each[name] for each in found[1:]) for name in found[0]}
    return {"kB": path.stat().st_size / 1000, **best}


def print_table(found: dict[str, dict[str, float]]) -> None:
    """A column for each page, with the ratio to the first."""
    first, *_ = found.values()
    print("|  | " + " | ".join(found) + " |")
    print("|---|" + "---|" * len(found))
    for name, base in first.items():
        figures = [
            f"{base:,.0f}",
            *(f"{each[name]:,.0f} ({each[name] / base:.1f} ×)" for each in [*found.values()][1:]),
        ]
        print(f"| {name} | {' | '.join(figures)} |")


if __name__ == "__main__":
    main()
