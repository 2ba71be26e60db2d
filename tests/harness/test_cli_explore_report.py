"""`racewindow explore --report DIR`, end to end: the page of the exploration, and those of its failures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import racewindow as api
from racewindow.cli_pages import write_report
from racewindow.target import resolve
from tests.harness.command_line import CommandLine, names, racewindow
from tests.harness.test_cli_report import HOSTILE, Page

__all__ = ["racewindow"]


def test_a_failure_has_its_page_beside_that_of_the_exploration(racewindow: CommandLine) -> None:
    ran = racewindow("explore", "mine.py", "--report", "pages", "--schedules", "60", "--all-failures")
    text = Path("pages/index.html").read_text()
    page = Page(text)
    links = [value for name, value in page.attributes if name == "href" and not value.startswith("#")]

    assert ran.status == 1
    assert ran.out.endswith("\nReport: pages/index.html\n")
    assert sorted(["index.html", *links]) == names("pages")
    assert [path.stem for path in Path(".racewindow/failures").iterdir()] == [Path(link).stem for link in links]
    assert page.problems == Page(Path("pages", links[0]).read_text()).problems == []
    assert "<h1>FAILURE in two-writers</h1>" in text
    assert "distinct orders in " in text
    assert "polyline" in page.tags


def test_why_a_failure_is_not_explained_is_on_its_page(racewindow: CommandLine) -> None:
    scenario, target = resolve("mine.py")
    result = api.explore(scenario, strategy="random", out="found", explain=False, target_name=target)
    failure = replace(result.failures[0], unexplained="9,999 steps are too many")
    write_report(replace(result, failures=(failure,)), "pages", None)
    (page,) = (name for name in names("pages") if name != "index.html")

    assert "Not explained: 9,999 steps are too many" in Path("pages", page).read_text()


def test_nothing_found_is_said_with_what_it_is_worth(racewindow: CommandLine) -> None:
    ran = racewindow("explore", "others.py:fine", "--report", "pages", "--json")
    text = Path("pages/index.html").read_text()

    assert json.loads(ran.out)["report"] == str(Path("pages/index.html").absolute())
    assert names("pages") == ["index.html"]
    assert "Nothing found in fine, and nothing is left to run" in text
    assert "That is about this program with what is held fixed below" in text


def test_markup_in_names_stays_text(racewindow: CommandLine) -> None:
    Path("hostile.py").write_text(HOSTILE)
    racewindow("explore", "hostile.py:hostile", "--strategy", "random", "--no-explain", "--report", "pages")

    assert len(names("pages")) == 2
    for name in names("pages"):
        page = Page(Path("pages", name).read_text())
        assert (page.problems, page.tags.count("script"), page.tags.count("img")) == ([], 1, 0)


@pytest.mark.parametrize("folder", ["mine.py", "mine.py/pages"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_run(
    racewindow: CommandLine, folder: str
) -> None:
    ran = racewindow("explore", "mine.py", "--report", folder)

    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"racewindow: the report cannot be written to {folder}.\nWhy: ")
    assert not Path(".racewindow").exists()


def test_the_curve_ends_with_what_was_counted() -> None:
    async def main() -> None:
        import trio

        x = api.Cell(0, name="x")

        async def add() -> None:
            for _ in range(2):
                x.set(x.get() + 1)
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(add)
            nursery.start_soon(add)

    result = api.explore(main, strategy="random", schedules=50, footprints=True)
    executions = [at for at, _ in result.curve]
    distinct = [seen for _, seen in result.curve]

    assert result.curve[-1] == (50, result.distinct_traces)
    assert (executions[0], distinct[0]) == (1, 1)
    assert executions == sorted(set(executions))
    assert distinct == sorted(distinct)
    assert len(executions) < 20
    assert api.explore(main, strategy="random", schedules=5).curve == ()
